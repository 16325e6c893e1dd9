import type { StoredEvent } from '../../event/event.js'

/** An event that waits for its turn. `at` is its place in order of arrival, which settles equal times. */
export interface Waiting {
  readonly event: StoredEvent
  readonly key: string
  readonly at: number
}

/** Events out of order, handed back by time: a binary heap. */
export class ReorderBuffer {
  readonly #heap: Waiting[] = []
  readonly #orderBy: ((event: StoredEvent) => number | string) | null

  /** @param orderBy puts events of one time in order, ascending, before their arrival does */
  constructor(orderBy?: (event: StoredEvent) => number | string) {
    this.#orderBy = orderBy ?? null
  }

  get size(): number {
    return this.#heap.length
  }

  /** Time of the earliest event; Infinity when there is none. */
  get time(): number {
    return this.#heap[0]?.event.time ?? Infinity
  }

  push(waiting: Waiting): void {
    const heap = this.#heap
    let at = heap.push(waiting) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#earlier(heap[parent] as Waiting, waiting)) break
      heap[at] = heap[parent] as Waiting
      at = parent
    }
    heap[at] = waiting
  }

  /** The earliest event, if its time is at most `time`. */
  take(time: number): Waiting | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.event.time > time) return undefined
    const moved = heap.pop() as Waiting
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#earlier(heap[child + 1] as Waiting, heap[child] as Waiting)) child++
      if (this.#earlier(moved, heap[child] as Waiting)) break
      heap[at] = heap[child] as Waiting
      at = child
    }
    heap[at] = moved
    return first
  }

  /** In the order in which they will be handed back. */
  list(): Waiting[] {
    return [...this.#heap].sort((a, b) => (this.#earlier(a, b) ? -1 : 1))
  }

  #earlier(a: Waiting, b: Waiting): boolean {
    if (a.event.time !== b.event.time) return a.event.time < b.event.time
    const orderBy = this.#orderBy
    if (orderBy !== null) {
      const [x, y] = [orderBy(a.event), orderBy(b.event)]
      if (x !== y) return x < y
    }
    return a.at < b.at
  }
}
