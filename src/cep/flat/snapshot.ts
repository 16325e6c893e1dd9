import type { StoredEvent } from '../../event/event.js'
import { fault } from '../../error/millrace-error.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { take, unbound, type Done, type Taking } from './run.js'
import type { Ways } from './state.js'

/** The state of the runs as plain data. Events are stored once, however many partial matches hold them. */
export interface FlatState {
  /** Events seen so far. */
  readonly at: number
  readonly events: readonly StoredEvent[]
  readonly states: readonly string[]
  /** [event, stage, order, index of the taking before or -1] */
  readonly takings: readonly (readonly [number, number, number, number])[]
  /** [key, [[state, last taking or -1, ways or null]…], last taking of each match that is held back] */
  readonly keys: readonly (readonly [string, readonly WrittenRun[], readonly number[]])[]
  readonly evaluationErrors: number
  readonly errorSamples: readonly string[]
  readonly dropped: Readonly<Record<string, number>>
}

type WrittenRun = readonly [state: number, last: number, ways: Ways]

/** A partial match as it is written: what it is called where it waits, and what it took (null: nothing yet). */
export interface Written {
  readonly state: string
  readonly last: Taking | null
  readonly ways: Ways
}

/** A partial match as it is read. */
export interface Read<State> extends Done {
  readonly state: State
  readonly ways: Ways
}

/** What is under way for one key, as it is read. `null`: has taken nothing yet. */
export interface ReadKey<State> {
  readonly key: string
  readonly runs: readonly (Read<State> | { readonly state: State; readonly last: null })[]
  readonly held: readonly Done[]
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

/** Writes what is under way for every key as data. */
export function writeRuns(keys: Iterable<readonly [string, readonly Written[], readonly Done[]]>): Body {
  const events = new Numbering<StoredEvent>()
  const states = new Numbering<string>()
  const takings = new Numbering<Taking>()
  const rows: [number, number, number, number][] = []
  const taking = (last: Taking | null): number => {
    if (last === null) return -1
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
  const written: FlatState['keys'][number][] = []
  for (const [key, runs, held] of keys)
    written.push([
      key,
      runs.map((run) => [states.of(run.state), taking(run.last), run.ways] as const),
      held.map((done) => taking(done.last)),
    ])
  return { events: events.list, states: states.list, takings: rows, keys: written }
}

/**
 * Makes what was under way again. Running values are not stored: they are computed again from the taken events, in
 * their order.
 * @param restore what the written name of a state means
 * @throws SNAPSHOT_MISMATCH when the snapshot is of another pattern
 */
export function readRuns<State>(
  pattern: CompiledPattern,
  snapshot: FlatState,
  restore: (text: string) => State,
): ReadKey<State>[] {
  const none = unbound(pattern)
  const states = snapshot.states.map(restore)
  const takings: Done[] = []
  for (const [event, step, at, before] of snapshot.takings) {
    if (pattern.steps[step] === undefined) throw fault('SNAPSHOT_MISMATCH', `stage ${step}`)
    const previous = before === -1 ? null : nth(takings, before)
    const last = take(pattern, none, previous?.last ?? null, nth(snapshot.events, event), step, at)
    takings.push({ first: previous?.first ?? last, last })
  }
  return snapshot.keys.map(([key, runs, held]) => ({
    key,
    runs: runs.map(([at, last, ways]) => {
      const state = nth(states, at)
      return last === -1 ? { state, last: null } : { state, ways, ...nth(takings, last) }
    }),
    held: held.map((last) => nth(takings, last)),
  }))
}

function nth<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw fault('SNAPSHOT_MISMATCH', `item ${index} of ${list.length}`)
  return item
}
