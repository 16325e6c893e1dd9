/** What waits for a time. Who waits for the same time waits in order. */
export interface Due {
  readonly time: number
  readonly order: number
  /** It waits no more, and is passed over. */
  dead: boolean
}

/** Cancelled entries are left where they are until there are so many, and more than half. */
const COMPACT = 256

/** A heap by (time, order) whose entries may be cancelled where they are. */
export class TimerQueue<Entry extends Due> {
  #heap: Entry[] = []
  #cancelled = 0

  /** Time of the earliest entry; Infinity when there is none. */
  get time(): number {
    return this.first?.time ?? Infinity
  }

  get first(): Entry | undefined {
    while (this.#heap[0]?.dead === true) {
      this.#cancelled--
      this.#removeFirst()
    }
    return this.#heap[0]
  }

  push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!before(entry, heap[above] as Entry)) break
      heap[at] = heap[above] as Entry
      at = above
    }
    heap[at] = entry
  }

  /** Takes out the earliest entry that is due at `time`. */
  take(time: number): Entry | undefined {
    const { first } = this
    if (first === undefined || first.time > time) return undefined
    this.#removeFirst()
    return first
  }

  /** Notes that an entry of this queue is dead now. */
  cancelled(): void {
    this.#cancelled++
    if (this.#cancelled < COMPACT || this.#cancelled * 2 < this.#heap.length) return
    const rest = this.#heap.filter(({ dead }) => !dead)
    this.#heap = []
    this.#cancelled = 0
    for (const entry of rest) this.push(entry)
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop() as Entry
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && before(heap[below + 1] as Entry, heap[below] as Entry)) below++
      if (!before(heap[below] as Entry, last)) break
      heap[at] = heap[below] as Entry
      at = below
    }
    heap[at] = last
  }
}

function before(a: Due, b: Due): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}
