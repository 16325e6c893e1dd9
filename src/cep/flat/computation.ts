import type { Heap } from './heap.js'
import type { Done, Taking } from './run.js'
import type { State } from './state.js'

/** A partial match at one place; `last` null: what every match begins from. */
export interface Computation {
  readonly state: State
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
