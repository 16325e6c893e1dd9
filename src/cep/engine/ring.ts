/** A list that grows at its end and shrinks at its beginning, where each item keeps its number. */
export class Ring<T> {
  #items: T[] = []
  #head = 0
  #shifted = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  /** Number of the first item: it grows by one with each that is taken out. */
  get begin(): number {
    return this.#shifted
  }

  /** Number that the next item will have. */
  get end(): number {
    return this.#shifted + this.length
  }

  /** The item with a number. */
  at(number: number): T | undefined {
    return number < this.#shifted ? undefined : this.#items[number - this.#shifted + this.#head]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const { first } = this
    if (this.length === 0) return undefined
    this.#items[this.#head++] = undefined as T
    this.#shifted++
    if (this.#head > 32 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return first
  }

  list(): readonly T[] {
    return this.#items.slice(this.#head)
  }
}
