import type { Condition, Node } from './graph.js'

/**
 * Places that wait for the next event together: as long as events are only ignored, a partial match stays one object
 * however many places it waits at. In how many ways it waits at each is not part of the state: see `Ways`.
 */
export interface State {
  /** Names it in a snapshot. */
  readonly text: string
  readonly nodes: readonly Node[]
  /** Gap windows up to this many ms have closed since the last event was taken. */
  readonly elapsed: number
  /** Bits of every condition that can change anything here, and the conditions themselves. */
  readonly watch: number
  readonly conditions: readonly Condition[]
  /** Bits without which an event changes nothing here: `watch`, or everything as long as that is not known. */
  heed: number
  /** Whether one of them reads what was taken before. */
  readonly readsBound: boolean
  /** Gap windows that will close for it, in ms, ascending. */
  readonly gaps: readonly number[]
  /** Places that are complete when the window closes, and places that then run out of time; indexes of `nodes`. */
  readonly pending: readonly number[]
  readonly waiting: readonly number[]
  /** What becomes of it, by the conditions that hold; filled in when first needed. */
  readonly moves: (Move | undefined)[]
  readonly moreMoves: Map<number, Move>
}

/**
 * In how many ways a partial match waits at each place of its state; null: in one. As in Flink, ways that cannot be told
 * apart by their events are counted apart: a repeated group makes them.
 */
export type Ways = readonly number[] | null

/** Indexes of places, in the state before, that something comes from. */
export type From = readonly number[]

/** What an event of a certain truth does to a partial match. */
export interface Move {
  /** Nothing: the state and its ways stay as they are. */
  readonly idle: boolean
  /** What was one way stays one way. */
  readonly plain: boolean
  readonly takes: readonly Take[]
  /** Where it waits on, with what it had before; null: it does not. */
  readonly stay: State | null
  /** For each place of `stay`. */
  readonly stayFrom: readonly From[]
  /** It is complete as it was, without the event: once for each. */
  readonly ends: From
  /** What must not happen and has, if that ended it. */
  readonly stopped: Node | null
}

/** The event is taken by the stage `step`, to wait in `state` (null: nowhere). */
export interface Take {
  readonly step: number
  readonly state: State | null
  /** For each place of `state`. */
  readonly from: readonly From[]
  /** It is complete with the event: once for each. */
  readonly completes: From
}

/** What is left of a state when a gap window closes. */
export interface Closed {
  readonly state: State | null
  readonly from: readonly From[]
  /** Places that are complete by that. */
  readonly matches: From
  /** Places that ran out of time. */
  readonly over: From
}

/** Ways are counted up to here: groups in groups multiply them. */
const MOST_WAYS = 1_000_000_000

/** In how many ways something comes from these places. */
export function waysFrom(ways: Ways, from: From): number {
  if (ways === null) return from.length
  let sum = 0
  for (const index of from) sum += ways[index] ?? 0
  return Math.min(sum, MOST_WAYS)
}

/** The ways at each place of the next state. */
export function nextWays(ways: Ways, from: readonly From[]): Ways {
  if (ways === null && from.every(({ length }) => length === 1)) return null
  const next = from.map((each) => waysFrom(ways, each))
  return next.every((count) => count === 1) ? null : next
}
