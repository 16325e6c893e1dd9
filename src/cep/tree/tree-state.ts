import type { StoredEvent } from '../../event/event.js'
import { fault } from '../../error/millrace-error.js'
import type { Taken } from './taken.js'

/** The state of a tree executor as plain data. Events are stored once, however many partial matches hold them. */
export interface TreeState {
  readonly order: number
  readonly now: number | null
  readonly events: readonly StoredEvent[]
  /** [event, tag, order, index of what was taken before or -1] */
  readonly taken: readonly (readonly [number, string | null, number, number])[]
  /** [key, time of its beginning, time of its last event, the event that it began with, state of its tree] */
  readonly keys: readonly (readonly [string, number, number, number, unknown])[]
  /** [key, time of its last event], the longest ago first. */
  readonly seen: readonly (readonly [string, number])[]
  /** Keys whose tree has ended. */
  readonly ended: readonly string[]
  readonly evaluationErrors: number
  readonly errorSamples: readonly string[]
  readonly dropped: Readonly<Record<string, number>>
}

/** Numbers what running parts hold. */
export class StateWriter {
  readonly events: StoredEvent[] = []
  readonly rows: [number, string | null, number, number][] = []
  readonly #events = new Map<StoredEvent, number>()
  readonly #taken = new Map<Taken, number>()

  event(event: StoredEvent): number {
    const known = this.#events.get(event)
    if (known !== undefined) return known
    this.#events.set(event, this.events.length)
    return this.events.push(event) - 1
  }

  /** Its number, with all that was taken before it; -1 for nothing. */
  taken(last: Taken | null): number {
    const missing: Taken[] = []
    let t = last
    while (t !== null && !this.#taken.has(t)) {
      missing.push(t)
      t = t.before
    }
    for (const next of missing.reverse()) {
      const before = next.before === null ? -1 : (this.#taken.get(next.before) as number)
      this.#taken.set(next, this.rows.length)
      this.rows.push([this.event(next.event), next.tag, next.at, before])
    }
    return last === null ? -1 : (this.#taken.get(last) as number)
  }
}

/** Gives back what the numbers stand for. */
export class StateReader {
  readonly #events: readonly StoredEvent[]
  readonly #taken: Taken[] = []

  /** @throws SNAPSHOT_MISMATCH when a number stands for nothing */
  constructor({ events, taken }: Pick<TreeState, 'events' | 'taken'>) {
    this.#events = events
    for (const [event, tag, at, before] of taken)
      this.#taken.push({ before: this.taken(before), event: this.event(event), tag, at, bound: null })
  }

  event(index: number): StoredEvent {
    return nth(this.#events, index)
  }

  taken(index: number): Taken | null {
    return index === -1 ? null : nth(this.#taken, index)
  }
}

function nth<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw fault('SNAPSHOT_MISMATCH', `item ${index} of ${list.length}`)
  return item
}
