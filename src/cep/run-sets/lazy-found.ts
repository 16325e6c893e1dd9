import type { StoredEvent } from '../../event/event.js'
import type { Found, Match, Timeout } from '../engine/match.js'

/** The way to an event, from the end backwards. Those with one beginning share it. */
export interface Step {
  readonly event: StoredEvent
  readonly stage: string
  readonly before: Step | null
}

// Of many matches most are only counted, so they are laid out by stage when somebody looks. The two classes have no
// common one above them: making an object with private fields costs four times as much where there is a super().

/** A match that is laid out when somebody looks. */
export class LazyMatch implements Match {
  readonly key: string
  readonly last: StoredEvent
  readonly time: number
  readonly #stage: string
  readonly #before: Step | null

  constructor(key: string, last: StoredEvent, stage: string, before: Step | null, time: number) {
    this.key = key
    this.last = last
    this.time = time
    this.#stage = stage
    this.#before = before
  }

  get kind(): 'match' {
    return 'match'
  }

  get first(): StoredEvent {
    return firstOf(this.#before) ?? this.last
  }

  get events(): readonly StoredEvent[] {
    return eventsOf(this.last, this.#before)
  }

  get stages(): Found['stages'] {
    return stagesOf({ event: this.last, stage: this.#stage, before: this.#before })
  }

  /** As JSON carries it: everything laid out. */
  toJSON(): Match {
    const { kind, key, stages, events, first, last, time } = this
    return { kind, key, stages, events, first, last, time }
  }
}

/** A timeout that is laid out when somebody looks. */
export class LazyTimeout implements Timeout {
  readonly key: string
  readonly time: number
  readonly ways: number
  readonly #end: Step

  constructor(key: string, end: Step, time: number, ways: number) {
    this.key = key
    this.time = time
    this.ways = ways
    this.#end = end
  }

  get kind(): 'timeout' {
    return 'timeout'
  }

  get last(): StoredEvent {
    return this.#end.event
  }

  get first(): StoredEvent {
    return firstOf(this.#end) ?? this.last
  }

  get events(): readonly StoredEvent[] {
    return eventsOf(this.last, this.#end.before)
  }

  get stages(): Found['stages'] {
    return stagesOf(this.#end)
  }

  /** As JSON carries it: everything laid out. */
  toJSON(): Timeout {
    const { kind, key, stages, events, first, last, time, ways } = this
    return { kind, key, stages, events, first, last, time, ways }
  }
}

function firstOf(end: Step | null): StoredEvent | undefined {
  let first: StoredEvent | undefined
  for (let step = end; step !== null; step = step.before) first = step.event
  return first
}

function eventsOf(last: StoredEvent, before: Step | null): readonly StoredEvent[] {
  const events = [last]
  for (let step = before; step !== null; step = step.before) events.push(step.event)
  return events.reverse()
}

function stagesOf(end: Step): Found['stages'] {
  const steps: Step[] = []
  for (let step: Step | null = end; step !== null; step = step.before) steps.push(step)
  const stages: Record<string, StoredEvent[]> = {}
  for (const { stage, event } of steps.reverse())
    if (Object.hasOwn(stages, stage)) stages[stage]?.push(event)
    else stages[stage] = [event]
  return stages
}
