import type { StoredEvent } from '../../event/event.js'
import type { Found, Match, Timeout } from '../engine/match.js'
import type { Taken } from './taken.js'

/** The way to an event, from the end backwards. Those with one beginning share it. */
export interface Step {
  readonly event: StoredEvent
  readonly stage: string
  readonly before: Step | null
}

/** What every match has that one event completes at one stage. */
export interface Completion {
  readonly key: string
  readonly event: StoredEvent
  readonly stage: string
}

/** What all have whose window closes at one moment. */
export interface Closing {
  readonly key: string
  /** End of the window, in ms. */
  readonly time: number
}

// Of many matches most are only counted, so they are laid out by stage when somebody looks, and what many share is kept
// once: a match of a million costs what it takes of memory. The two classes have no common one above them: making an
// object with private fields costs four times as much where there is a super(); and a private method is one more field.

/** A match that is laid out when somebody looks. */
export class LazyMatch implements Match {
  readonly #end: Completion
  readonly #taken: Taken | null
  readonly #before: Step | null

  /**
   * @param taken what came right before the end
   * @param before and what came before that
   */
  constructor(end: Completion, taken: Taken | null, before: Step | null) {
    this.#end = end
    this.#taken = taken
    this.#before = before
  }

  get kind(): 'match' {
    return 'match'
  }

  get key(): string {
    return this.#end.key
  }

  get last(): StoredEvent {
    return this.#end.event
  }

  get time(): number {
    return this.#end.event.time
  }

  get first(): StoredEvent {
    return firstOf(this.#before) ?? this.#taken?.event ?? this.last
  }

  get events(): readonly StoredEvent[] {
    return pathTo(lastStep(this.#end, this.#taken, this.#before)).map(({ event }) => event)
  }

  get stages(): Found['stages'] {
    return stagesOf(lastStep(this.#end, this.#taken, this.#before))
  }

  /** As JSON carries it: everything laid out. */
  toJSON(): Match {
    const { kind, key, stages, events, first, last, time } = this
    return { kind, key, stages, events, first, last, time }
  }
}

/** A timeout that is laid out when somebody looks. */
export class LazyTimeout implements Timeout {
  readonly ways: number
  readonly #end: Closing
  readonly #taken: Taken
  readonly #before: Step | null

  /**
   * @param taken the last event
   * @param before and what came before it
   */
  constructor(end: Closing, taken: Taken, before: Step | null, ways: number) {
    this.ways = ways
    this.#end = end
    this.#taken = taken
    this.#before = before
  }

  get kind(): 'timeout' {
    return 'timeout'
  }

  get key(): string {
    return this.#end.key
  }

  get time(): number {
    return this.#end.time
  }

  get last(): StoredEvent {
    return this.#taken.event
  }

  get first(): StoredEvent {
    return firstOf(this.#before) ?? this.last
  }

  get events(): readonly StoredEvent[] {
    return pathTo(stepOf(this.#taken, this.#before)).map(({ event }) => event)
  }

  get stages(): Found['stages'] {
    return stagesOf(stepOf(this.#taken, this.#before))
  }

  /** As JSON carries it: everything laid out. */
  toJSON(): Timeout {
    const { kind, key, stages, events, first, last, time, ways } = this
    return { kind, key, stages, events, first, last, time, ways }
  }
}

export function stepOf({ event, position }: Taken, before: Step | null): Step {
  return { event, stage: position.stage.name, before }
}

function lastStep({ event, stage }: Completion, taken: Taken | null, before: Step | null): Step {
  return { event, stage, before: taken === null ? null : stepOf(taken, before) }
}

function firstOf(end: Step | null): StoredEvent | undefined {
  let first: StoredEvent | undefined
  for (let step = end; step !== null; step = step.before) first = step.event
  return first
}

function pathTo(end: Step): Step[] {
  const path: Step[] = []
  for (let step: Step | null = end; step !== null; step = step.before) path.push(step)
  return path.reverse()
}

function stagesOf(end: Step): Found['stages'] {
  const stages: Record<string, StoredEvent[]> = {}
  for (const { stage, event } of pathTo(end))
    if (Object.hasOwn(stages, stage)) stages[stage]?.push(event)
    else stages[stage] = [event]
  return stages
}
