/** What an `EarliestHeap` holds. */
export interface Queued {
  /** Time in ms. */
  due: number
  /** Settles equal times; no two in one heap have both the same. */
  order: number
  /** Index in the heap, kept by the heap; NOT_QUEUED outside of it. */
  place: number
}

/** `place` of what is in no heap. */
export const NOT_QUEUED = -1

/**
 * Items by (due, order), the smallest first: a binary heap that knows where each item is, so that any item can be taken
 * out. Adding and taking out are O(log n), and O(1) for an item that is later than all others.
 */
export class EarliestHeap<T extends Queued> {
  #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    item.place = this.#items.length
    this.#items.push(item)
    this.#rise(item)
  }

  /** Takes out `item`, which must be in this heap. */
  remove(item: T): void {
    const hole = item.place
    const last = this.#items.pop() as T
    item.place = NOT_QUEUED
    if (last === item) return
    last.place = hole
    this.#items[hole] = last
    this.#sink(last)
    this.#rise(last)
  }

  /** In no particular order. */
  list(): readonly T[] {
    return [...this.#items]
  }

  /** Empties it, and returns what was in it. */
  clear(): readonly T[] {
    const items = this.#items
    this.#items = []
    for (const item of items) item.place = NOT_QUEUED
    return items
  }

  #rise(item: T): void {
    const items = this.#items
    let place = item.place
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = items[above] as T
      if (isBefore(parent, item)) break
      items[place] = parent
      parent.place = place
      place = above
    }
    items[place] = item
    item.place = place
  }

  #sink(item: T): void {
    const items = this.#items
    let place = item.place
    for (;;) {
      let below = 2 * place + 1
      if (below >= items.length) break
      let child = items[below] as T
      const other = items[below + 1]
      if (other !== undefined && isBefore(other, child)) {
        child = other
        below++
      }
      if (isBefore(item, child)) break
      items[place] = child
      child.place = place
      place = below
    }
    items[place] = item
    item.place = place
  }
}

function isBefore(a: Queued, b: Queued): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order)
}
