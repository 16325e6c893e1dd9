import { NOT_QUEUED } from './earliest-heap.js'

/** Places given up before the queue is made shorter. */
const COMPACT = 1_024

/**
 * Of items that are also in an `EarliestHeap`, the one that was added first. An item that has left the heap counts as
 * gone, so nothing is searched when one leaves: amortised O(1).
 */
export class ArrivalQueue<T extends { readonly place: number }> {
  #items: T[] = []
  #head = 0
  #gone = 0

  get first(): T | undefined {
    const items = this.#items
    while (this.#head < items.length && items[this.#head]?.place === NOT_QUEUED) this.#head++
    return items[this.#head]
  }

  add(item: T): void {
    this.#items.push(item)
  }

  /** To be called when an item has left the heap, so that it is not held for long. */
  forget(): void {
    this.#gone++
    if (this.#gone < COMPACT || this.#gone * 2 < this.#items.length) return
    this.#items = this.#items.filter(({ place }) => place !== NOT_QUEUED)
    this.#head = 0
    this.#gone = 0
  }
}
