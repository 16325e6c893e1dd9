import type { StoredEvent } from '../../event/event.js'
import { fault } from '../../error/millrace-error.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { take, unbound, type Run, type Taking } from './run.js'

/** The state of the runs as plain data. Events are stored once, however many partial matches hold them. */
export interface FlatState {
  /** Events seen so far. */
  readonly at: number
  readonly events: readonly StoredEvent[]
  readonly states: readonly string[]
  /** [event, stage, order, index of the taking before or -1] */
  readonly takings: readonly (readonly [number, number, number, number])[]
  /** [key, [[state, last taking, start, start time]…]] */
  readonly keys: readonly (readonly [string, readonly (readonly [number, number, number, number])[]])[]
  readonly evaluationErrors: number
  readonly errorSamples: readonly string[]
  readonly droppedPartialMatches: number
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

type Body = Pick<FlatState, 'events' | 'states' | 'takings' | 'keys'>

/** Writes the runs of every key as data. */
export function writeRuns(keys: Iterable<readonly [string, readonly Run[]]>): Body {
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
  return { events: events.list, states: states.list, takings: rows, keys: written }
}

/**
 * Makes the runs again. Running values are not stored: they are computed again from the taken events, in their order.
 * @throws SNAPSHOT_MISMATCH when the snapshot is of another pattern
 */
export function readRuns(pattern: CompiledPattern, snapshot: FlatState): [string, Run[]][] {
  const none = unbound(pattern)
  const states = snapshot.states.map((text) => pattern.states.restore(text))
  const takings: Taking[] = []
  for (const [event, step, at, before] of snapshot.takings) {
    const previous = before === -1 ? null : nth(takings, before)
    takings.push(take(pattern, none, previous, nth(snapshot.events, event), step, at))
  }
  return snapshot.keys.map(([key, runs]): [string, Run[]] => [
    key,
    runs.map(([state, last, start, startTime]) => ({
      state: nth(states, state),
      last: nth(takings, last),
      start,
      startTime,
    })),
  ])
}

function nth<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw fault('SNAPSHOT_MISMATCH', `item ${index} of ${list.length}`)
  return item
}
