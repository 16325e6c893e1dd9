/** Entries that may be set beside twice those that are there, before the map is made anew. */
const LEAST = 64

/**
 * A map of entries that come and go, most of them young objects. V8 gives a `Map` a new table when removed entries have
 * filled the old one, and the old one refers to the new one, for iterators. Once one of them is old, all later ones, and
 * what was in them, live until the next full collection, and every collection before it copies what has long gone. Here
 * the whole map is replaced now and then, at O(1) for an entry on average.
 */
export class RenewedMap<V> {
  #entries = new Map<string, V>()
  /** Entries set since the map was made. */
  #set = 0

  get size(): number {
    return this.#entries.size
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  set(key: string, value: V): void {
    if ((this.#set += 1) > 2 * this.#entries.size + LEAST) {
      this.#entries = new Map(this.#entries)
      this.#set = this.#entries.size + 1
    }
    this.#entries.set(key, value)
  }

  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  /** In the order in which they were set. What is removed while this goes on may still appear, what is set may not. */
  values(): IterableIterator<V> {
    return this.#entries.values()
  }
}
