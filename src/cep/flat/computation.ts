import type { FlinkMove } from './flink-moves.js'
import { Heap } from './heap.js'
import type { Done, Taking } from './run.js'
import type { State } from './state.js'

/** A partial match at one place; `last` null: what every match begins from. */
export interface Computation {
  readonly state: State
  /** What it does with events, by their truth, as far as that is known. */
  readonly moves: readonly (FlinkMove | undefined)[]
  readonly first: Taking | null
  readonly last: Taking | null
}

/** What Flink's NFA holds for a key. */
export interface KeyState {
  readonly key: string
  partial: Heap<Computation>
  readonly completed: Heap<Done>
}

/** Place in the order of events where it began. */
export const startOf = ({ first }: { readonly first: Taking | null }) => first?.at ?? Infinity
export const byStart = (a: { readonly first: Taking | null }, b: { readonly first: Taking | null }) => {
  const [x, y] = [startOf(a), startOf(b)]
  return x === y ? 0 : x - y
}

/** Time of the earliest event that one of them began with. */
export function horizonOf(computations: readonly Computation[]): number {
  let horizon = Infinity
  for (const { first } of computations) horizon = Math.min(horizon, first?.event.time ?? Infinity)
  return horizon
}

/** When the first of their windows closes. */
export function dueOf(computations: readonly Computation[], within: number): number {
  let due = horizonOf(computations) + within
  for (const { state, last } of computations)
    due = Math.min(due, (last?.event.time ?? Infinity) + (state.nodes[0]?.gap ?? Infinity))
  return due
}

/** Matches that became complete together, as they lie in a heap of their own: in Flink it decides their order. */
export function inHeap(done: readonly Done[]): readonly Done[] {
  if (done.length < 2) return done
  const together = new Heap<Done>(byStart)
  for (const match of done) together.push(match)
  return together.list
}

/** The oldest or the newest. */
export function beyond(
  computations: readonly Computation[],
  excess: number,
  policy: 'drop-oldest' | 'drop-newest',
): Computation[] {
  const oldest = computations.filter(({ first }) => first !== null).sort(byStart)
  return policy === 'drop-oldest' ? oldest.slice(0, excess) : oldest.slice(oldest.length - excess)
}
