import type { StoredEvent } from '../../event/event.js'
import type { Match, Timeout } from '../engine/match.js'

/** The way to an event, from the end backwards. Those with one beginning share it. */
export interface Step {
  readonly event: StoredEvent
  readonly stage: string
  readonly before: Step | null
}

/** A match or timeout that is laid out by stage when somebody looks: most of many are only counted. */
class LazyFound {
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

  get first(): StoredEvent {
    let first = this.last
    for (let step = this.#before; step !== null; step = step.before) first = step.event
    return first
  }

  get events(): readonly StoredEvent[] {
    const events = [this.last]
    for (let step = this.#before; step !== null; step = step.before) events.push(step.event)
    return events.reverse()
  }

  get stages(): Readonly<Record<string, readonly StoredEvent[]>> {
    const steps: Step[] = [{ event: this.last, stage: this.#stage, before: null }]
    for (let step = this.#before; step !== null; step = step.before) steps.push(step)
    const stages: Record<string, StoredEvent[]> = {}
    for (const { stage, event } of steps.reverse())
      if (Object.hasOwn(stages, stage)) stages[stage]?.push(event)
      else stages[stage] = [event]
    return stages
  }

  /** As JSON and for who compares: all fields laid out. */
  protected plain() {
    const { key, stages, events, first, last, time } = this
    return { key, stages, events, first, last, time }
  }
}

export class LazyMatch extends LazyFound implements Match {
  get kind(): 'match' {
    return 'match'
  }

  toJSON(): Match {
    return { kind: 'match', ...this.plain() }
  }
}

export class LazyTimeout extends LazyFound implements Timeout {
  readonly ways: number

  constructor(key: string, last: StoredEvent, stage: string, before: Step | null, time: number, ways: number) {
    super(key, last, stage, before, time)
    this.ways = ways
  }

  get kind(): 'timeout' {
    return 'timeout'
  }

  toJSON(): Timeout {
    return { kind: 'timeout', ...this.plain(), ways: this.ways }
  }
}
