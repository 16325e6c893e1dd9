/** Room that is kept from one use to the next. */
const MOST_KEPT = 1_024

/** A list that is filled anew again and again: an array that is emptied lets its memory go and has to grow each time. */
export class Scratch<T> {
  #items: T[] = []
  size = 0

  /** Only for places below `size`. */
  get(at: number): T {
    return this.#items[at] as T
  }

  push(item: T): void {
    this.#items[this.size++] = item
  }

  /** What it had is let go of at the latest when as much comes again; much of it at once. */
  clear(): void {
    if (this.#items.length > MOST_KEPT) this.#items = []
    this.size = 0
  }

  sort(compare: (a: T, b: T) => number): void {
    this.#items.length = this.size
    this.#items.sort(compare)
  }
}
