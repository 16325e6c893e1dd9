import type { Scalar } from './aggregator.js'

/** A value with how often it came at most, and by how much that may be too much. */
export interface Frequent {
  readonly value: Scalar
  readonly count: number
  /** 0: the count is exact. The value came at least `count - error` times. */
  readonly error: number
}

interface Counter {
  value: Scalar
  count: number
  error: number
  /** Order of changes, which settles equal counts. */
  at: number
  place: number
}

/** As data: [value, count, error], those that would go first first. */
export type SavedCounters = readonly (readonly [Scalar, number, number])[]

/**
 * The most frequent values in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005). Exact as long as
 * there are no more different values than counters; beyond, a count is too high by no more than n / capacity, and every
 * value that came more often than that is there. Counters are in a heap, the one that would go first on top.
 */
export class SpaceSaving {
  readonly #capacity: number
  readonly #counters = new Map<Scalar, Counter>()
  #heap: Counter[] = []
  #at = 0

  constructor(capacity: number, saved: SavedCounters = []) {
    this.#capacity = capacity
    for (const [value, count, error] of saved) this.#insert(value, count, error)
  }

  add(value: Scalar): void {
    const known = this.#counters.get(value)
    if (known !== undefined) {
      known.count++
      known.at = this.#at++
      this.#sink(known)
    } else if (this.#heap.length < this.#capacity) this.#insert(value, 1, 0)
    else this.#replaceLeast(value)
  }

  /** By the rule of Agarwal et al. ("Mergeable summaries", 2012): what one has not counted, it counts as its least. */
  merge(other: SpaceSaving): void {
    const [least, otherLeast] = [this.#least, other.#least]
    const all = this.#sorted().map(({ value, count, error }) => {
      const also = other.#counters.get(value)
      return also === undefined
        ? ([value, count + otherLeast, error + otherLeast] as const)
        : ([value, count + also.count, error + also.error] as const)
    })
    for (const { value, count, error } of other.#sorted())
      if (!this.#counters.has(value)) all.push([value, count + least, error + least])
    all.sort((a, b) => a[1] - b[1]) // stable: equal counts keep their order
    this.#counters.clear()
    this.#heap = []
    for (const [value, count, error] of all.slice(-this.#capacity)) this.#insert(value, count, error)
  }

  /** The `k` most frequent; of equal counts the smaller value first, by its text. */
  top(k: number): Frequent[] {
    return Array.from(this.#counters.values(), ({ value, count, error }) => ({ value, count, error }))
      .sort((a, b) => b.count - a.count || compare(String(a.value), String(b.value)))
      .slice(0, k)
  }

  save(): SavedCounters {
    return this.#sorted().map(({ value, count, error }) => [value, count, error] as const)
  }

  /** What a value that is not counted may have come at most. */
  get #least(): number {
    return this.#heap.length < this.#capacity ? 0 : (this.#heap[0]?.count ?? 0)
  }

  #sorted(): Counter[] {
    return [...this.#heap].sort((a, b) => a.count - b.count || a.at - b.at)
  }

  #insert(value: Scalar, count: number, error: number): void {
    const counter = { value, count, error, at: this.#at++, place: this.#heap.length }
    this.#counters.set(value, counter)
    let { place } = counter
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1] as Counter
      if (goesFirst(parent, counter)) break
      this.#put(parent, place)
      place = (place - 1) >> 1
    }
    this.#put(counter, place)
  }

  #replaceLeast(value: Scalar): void {
    const counter = this.#heap[0] as Counter
    this.#counters.delete(counter.value)
    counter.value = value
    counter.error = counter.count
    counter.count++
    counter.at = this.#at++
    this.#counters.set(value, counter)
    this.#sink(counter)
  }

  #sink(counter: Counter): void {
    const heap = this.#heap
    let { place } = counter
    for (;;) {
      let below = place * 2 + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && goesFirst(heap[below + 1] as Counter, heap[below] as Counter)) below++
      if (goesFirst(counter, heap[below] as Counter)) break
      this.#put(heap[below] as Counter, place)
      place = below
    }
    this.#put(counter, place)
  }

  #put(counter: Counter, place: number): void {
    this.#heap[place] = counter
    counter.place = place
  }
}

function goesFirst(a: Counter, b: Counter): boolean {
  return a.count < b.count || (a.count === b.count && a.at < b.at)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
