/**
 * A binary heap whose order among equals is defined: it is that of java.util.PriorityQueue, which decides what Flink's
 * NFA looks at first. `list` is the heap as it lies in memory, which is the order in which Flink walks it.
 */
export class Heap<T> {
  list: T[]
  readonly #compare: (a: T, b: T) => number

  /** @param list the beginning of another heap's, as it lies; it becomes this heap's */
  constructor(compare: (a: T, b: T) => number, list: T[] = []) {
    this.#compare = compare
    this.list = list
  }

  get first(): T | undefined {
    return this.list[0]
  }

  push(item: T): void {
    let at = this.list.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = this.list[parent] as T
      if (this.#compare(item, above) >= 0) break
      this.list[at] = above
      at = parent
    }
    this.list[at] = item
  }

  shift(): T | undefined {
    const [first] = this.list
    const last = this.list.pop()
    if (this.list.length > 0 && last !== undefined) this.#sink(0, last)
    return first
  }

  /** Keeps those that are to be kept; nothing moves when that is all of them. */
  filter(keep: (item: T) => boolean): void {
    const kept = this.list.filter(keep)
    if (kept.length === this.list.length) return
    this.list = kept
    for (let at = (kept.length >>> 1) - 1; at >= 0; at--) this.#sink(at, kept[at] as T)
  }

  #sink(from: number, item: T): void {
    const { list } = this
    const half = list.length >>> 1
    let at = from
    while (at < half) {
      let child = 2 * at + 1
      if (child + 1 < list.length && this.#compare(list[child] as T, list[child + 1] as T) > 0) child++
      const below = list[child] as T
      if (this.#compare(item, below) <= 0) break
      list[at] = below
      at = child
    }
    list[at] = item
  }
}
