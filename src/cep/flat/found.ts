import type { StoredEvent } from '../../event/event.js'
import type { Found, Match, Timeout } from '../engine/match.js'
import type { Step } from './graph.js'
import type { Taking } from './run.js'

// Of many matches most are only counted, so they are laid out by stage when somebody looks. The two classes have no
// common one above them: making an object with private fields costs several times as much where there is a super().

/** A match that is laid out when somebody looks. */
export class FlatMatch implements Match {
  readonly key: string
  readonly time: number
  readonly #steps: readonly Step[]
  readonly #first: Taking
  readonly #last: Taking

  constructor(steps: readonly Step[], key: string, first: Taking, last: Taking, time: number) {
    this.key = key
    this.time = time
    this.#steps = steps
    this.#first = first
    this.#last = last
  }

  get kind(): 'match' {
    return 'match'
  }

  get first(): StoredEvent {
    return this.#first.event
  }

  get last(): StoredEvent {
    return this.#last.event
  }

  get events(): readonly StoredEvent[] {
    return chainOf(this.#last).map(({ event }) => event)
  }

  get stages(): Found['stages'] {
    return stagesOf(this.#steps, this.#last)
  }

  /** As JSON carries it: everything laid out. */
  toJSON(): Match {
    const { kind, key, stages, events, first, last, time } = this
    return { kind, key, stages, events, first, last, time }
  }
}

/** A timeout that is laid out when somebody looks. */
export class FlatTimeout implements Timeout {
  readonly key: string
  readonly time: number
  readonly ways: number
  readonly #steps: readonly Step[]
  readonly #first: Taking
  readonly #last: Taking

  constructor(steps: readonly Step[], key: string, first: Taking, last: Taking, time: number, ways: number) {
    this.key = key
    this.time = time
    this.ways = ways
    this.#steps = steps
    this.#first = first
    this.#last = last
  }

  get kind(): 'timeout' {
    return 'timeout'
  }

  get first(): StoredEvent {
    return this.#first.event
  }

  get last(): StoredEvent {
    return this.#last.event
  }

  get events(): readonly StoredEvent[] {
    return chainOf(this.#last).map(({ event }) => event)
  }

  get stages(): Found['stages'] {
    return stagesOf(this.#steps, this.#last)
  }

  /** As JSON carries it: everything laid out. */
  toJSON(): Timeout {
    const { kind, key, stages, events, first, last, time, ways } = this
    return { kind, key, stages, events, first, last, time, ways }
  }
}

function chainOf(last: Taking): Taking[] {
  const chain: Taking[] = []
  for (let taking: Taking | null = last; taking !== null; taking = taking.before) chain.push(taking)
  return chain.reverse()
}

function stagesOf(steps: readonly Step[], last: Taking): Found['stages'] {
  const stages: Record<string, StoredEvent[]> = {}
  for (const { event, step } of chainOf(last)) {
    const name = steps[step]?.stage.name ?? ''
    if (Object.hasOwn(stages, name)) stages[name]?.push(event)
    else stages[name] = [event]
  }
  return stages
}
