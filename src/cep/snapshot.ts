import type { StoredEvent } from '../event/event.js'
import { fault } from '../error/millrace-error.js'
import type { CompiledPattern } from './compile-pattern.js'
import { take, unbound, type Run, type Taking } from './run.js'
import type { Waiting } from './reorder.js'

/** What an engine counts. Part of its snapshot, so that the counts go on after a restore. */
export interface EngineCounters {
  readonly events: number
  readonly matches: number
  readonly timeouts: number
  readonly late: number
  /** Events behind the time reached that were taken at that time, by the pattern's grace. */
  readonly raised: number
  /** Events that had no room to wait for late ones, and were let through before their time. */
  readonly releasedEarly: number
  readonly evaluationErrors: number
  /** The first conditions that could not be evaluated: event id, stage, why. */
  readonly errorSamples: readonly string[]
  /** Partial matches dropped because their key had too many. */
  readonly droppedPartialMatches: number
  /** Matches dropped because one advance completed too many. */
  readonly droppedMatches: number
}

/** An engine's whole state as plain data. Events are stored once, however many partial matches hold them. */
export interface EngineSnapshot {
  readonly format: 1
  readonly signature: string
  readonly clock: number | null
  /** Events seen so far. */
  readonly at: number
  readonly events: readonly StoredEvent[]
  readonly states: readonly string[]
  /** [event, stage, order, index of the taking before or -1] */
  readonly takings: readonly (readonly [number, number, number, number])[]
  /** [key, [[state, last taking, start, start time]…]] */
  readonly keys: readonly (readonly [string, readonly (readonly [number, number, number, number])[]])[]
  /** [event, key, order of arrival] */
  readonly waiting: readonly (readonly [number, string, number])[]
  readonly counters: EngineCounters
}

/** Numbers things in the order in which they are first met. */
class Numbering<T> {
  readonly list: T[] = []
  readonly #numbers = new Map<T, number>()
  of(thing: T, onNew?: () => void): number {
    const known = this.#numbers.get(thing)
    if (known !== undefined) return known
    onNew?.()
    this.#numbers.set(thing, this.list.length)
    return this.list.push(thing) - 1
  }
}

type Body = Pick<EngineSnapshot, 'events' | 'states' | 'takings' | 'keys' | 'waiting'>

/** Writes the runs of every key and the waiting events as data. */
export function writeRuns(keys: Iterable<readonly [string, readonly Run[]]>, waiting: readonly Waiting[]): Body {
  const events = new Numbering<StoredEvent>()
  const states = new Numbering<string>()
  const takings = new Numbering<Taking>()
  const rows: [number, number, number, number][] = []
  const taking = (last: Taking): number => {
    const chain: Taking[] = []
    for (let t: Taking | null = last; t !== null; t = t.before) chain.push(t)
    for (const t of chain.reverse()) {
      const before = t.before
      takings.of(t, () => {
        rows.push([events.of(t.event), t.step, t.at, before === null ? -1 : takings.of(before)])
      })
    }
    return takings.of(last)
  }
  const written: (readonly [string, readonly (readonly [number, number, number, number])[]])[] = []
  for (const [key, runs] of keys)
    written.push([key, runs.map((r) => [states.of(r.state.text), taking(r.last), r.start, r.startTime] as const)])
  const late = waiting.map((w) => [events.of(w.event), w.key, w.at] as const)
  return { events: events.list, states: states.list, takings: rows, keys: written, waiting: late }
}

/**
 * Makes the runs again. Running values are not stored: they are computed again from the taken events, in their order.
 * @throws SNAPSHOT_MISMATCH when the snapshot is of another pattern
 */
export function readRuns(
  pattern: CompiledPattern,
  snapshot: EngineSnapshot,
): { keys: [string, Run[]][]; waiting: Waiting[] } {
  if (snapshot.format !== 1 || snapshot.signature !== pattern.signature)
    throw fault('SNAPSHOT_MISMATCH', `${snapshot.signature} is not ${pattern.signature}`)
  const none = unbound(pattern)
  const states = snapshot.states.map((text) => pattern.states.restore(text))
  const takings: Taking[] = []
  for (const [event, step, at, before] of snapshot.takings) {
    const previous = before === -1 ? null : nth(takings, before)
    takings.push(take(pattern, none, previous, nth(snapshot.events, event), step, at))
  }
  const keys = snapshot.keys.map(([key, runs]): [string, Run[]] => [
    key,
    runs.map(([state, last, start, startTime]) => ({
      state: nth(states, state),
      last: nth(takings, last),
      start,
      startTime,
    })),
  ])
  return {
    keys,
    waiting: snapshot.waiting.map(([event, key, at]) => ({ event: nth(snapshot.events, event), key, at })),
  }
}

function nth<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw fault('SNAPSHOT_MISMATCH', `item ${index} of ${list.length}`)
  return item
}
