/**
 * The last values of a series, in order of arrival and in order of size. Adding costs a binary search and a move within a
 * flat array: for windows of some hundreds that is faster than a tree.
 */
export class SortedWindow {
  readonly #capacity: number
  readonly #ring: number[]
  readonly #sorted: number[]
  #next: number

  constructor(capacity: number, values: readonly number[] = []) {
    this.#capacity = capacity
    this.#ring = [...values]
    this.#sorted = [...values].sort((a, b) => a - b)
    this.#next = values.length % capacity
  }

  get size(): number {
    return this.#ring.length
  }

  get full(): boolean {
    return this.#ring.length === this.#capacity
  }

  /** Smallest first. Changes with the next `add`. */
  get sorted(): readonly number[] {
    return this.#sorted
  }

  /** @returns the value that left for it; undefined as long as there is room */
  add(value: number): number | undefined {
    let left: number | undefined
    if (this.full) {
      left = this.#ring[this.#next] as number
      this.#sorted.splice(firstAtLeast(this.#sorted, left), 1)
    }
    this.#ring[this.#next] = value
    this.#next = (this.#next + 1) % this.#capacity
    this.#sorted.splice(firstAtLeast(this.#sorted, value), 0, value)
    return left
  }

  /** Oldest first. */
  values(): number[] {
    if (!this.full) return [...this.#ring]
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)]
  }
}

/** Index of the first of the sorted values that is at least `value`. */
export function firstAtLeast(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

export function medianOfSorted(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

/** Median distance of sorted values from `centre`, by binary search. */
export function medianDistance(sorted: readonly number[], centre: number): number {
  const middle = sorted.length >> 1
  const upper = distanceAt(sorted, centre, middle)
  return sorted.length % 2 === 1 ? upper : (distanceAt(sorted, centre, middle - 1) + upper) / 2
}

/**
 * The `rank`-th smallest distance (from 0). Distances grow to both sides of the centre: it is the largest of those that the
 * nearest `up` values above and the nearest `rank + 1 - up` below have, for the `up` at which neither side is ahead.
 */
function distanceAt(sorted: readonly number[], centre: number, rank: number): number {
  const start = firstAtLeast(sorted, centre)
  const above = (i: number): number => (start + i < sorted.length ? (sorted[start + i] as number) - centre : Infinity)
  const below = (i: number): number => (start - 1 - i >= 0 ? centre - (sorted[start - 1 - i] as number) : Infinity)
  let low = Math.max(0, rank + 1 - start)
  let high = Math.min(rank + 1, sorted.length - start)
  while (low < high) {
    const up = (low + high) >> 1
    if (above(up) < below(rank - up)) low = up + 1
    else high = up
  }
  const down = rank + 1 - low
  return Math.max(low > 0 ? above(low - 1) : 0, down > 0 ? below(down - 1) : 0)
}
