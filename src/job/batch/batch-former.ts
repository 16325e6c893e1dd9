/** When what waits for others becomes a batch. */
export interface FormingLimits {
  readonly size: number
  readonly bytes: number
  /** How long the first waits for others, in ms. */
  readonly age: number
}

interface Forming<Item> {
  readonly items: Map<Item, number>
  bytes: number
  readonly since: number
}

/** Puts things together by number, size and age; without a clock of its own. */
export class BatchFormer<Item> {
  readonly #limits: FormingLimits
  #forming: Forming<Item> | undefined

  constructor(limits: FormingLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#forming?.items.size ?? 0
  }

  /**
   * @param now in ms, never smaller than before
   * @returns what is full now: without the new one, where that does not fit
   */
  add(item: Item, bytes: number, now: number): readonly (readonly Item[])[] {
    const full: (readonly Item[])[] = []
    if (this.#forming !== undefined && this.#forming.bytes + bytes > this.#limits.bytes) full.push(this.take())
    this.#forming ??= { items: new Map(), bytes: 0, since: now }
    this.#forming.items.set(item, bytes)
    this.#forming.bytes += bytes
    if (this.#forming.items.size >= this.#limits.size || this.#forming.bytes >= this.#limits.bytes)
      full.push(this.take())
    return full
  }

  /** @returns false: it is not here */
  remove(item: Item): boolean {
    const bytes = this.#forming?.items.get(item)
    if (this.#forming === undefined || bytes === undefined) return false
    this.#forming.items.delete(item)
    this.#forming.bytes -= bytes
    if (this.#forming.items.size === 0) this.#forming = undefined
    return true
  }

  /** When it is old enough, in ms of the same clock; undefined: nothing waits. */
  get dueAt(): number | undefined {
    return this.#forming === undefined ? undefined : this.#forming.since + this.#limits.age
  }

  take(): readonly Item[] {
    const items = [...(this.#forming?.items.keys() ?? [])]
    this.#forming = undefined
    return items
  }
}
