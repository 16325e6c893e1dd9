const FIRST_CAPACITY = 32

/**
 * Starts in time order, as a ring: with one window for the whole pattern and time that never goes back, the order of
 * starts is the order of deadlines, so that expiry costs nothing but what expires.
 */
export class StartQueue<Owner> {
  #owners: (Owner | undefined)[] = Array.from({ length: FIRST_CAPACITY })
  #times = new Float64Array(FIRST_CAPACITY)
  #starts = new Float64Array(FIRST_CAPACITY)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Time of the earliest start; Infinity when there is none. */
  get time(): number {
    return this.#size === 0 ? Infinity : (this.#times[this.#head] as number)
  }

  /** Place in order of the earliest start. */
  get start(): number {
    return this.#starts[this.#head] as number
  }

  /** Whose the earliest start is. */
  get owner(): Owner | undefined {
    return this.#owners[this.#head]
  }

  push(owner: Owner, time: number, start: number): void {
    if (this.#size === this.#times.length) this.#grow()
    const at = (this.#head + this.#size++) & (this.#times.length - 1)
    this.#owners[at] = owner
    this.#times[at] = time
    this.#starts[at] = start
  }

  /** Removes the earliest start and says whose it was. */
  shift(): Owner | undefined {
    const owner = this.#owners[this.#head]
    this.#owners[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#times.length - 1)
    this.#size--
    return owner
  }

  /** Forgets those that are not to be kept. */
  filter(keep: (owner: Owner, start: number) => boolean): void {
    const mask = this.#times.length - 1
    const end = this.#head + this.#size
    let to = this.#head
    for (let from = this.#head; from < end; from++) {
      const at = from & mask
      const owner = this.#owners[at]
      const start = this.#starts[at] as number
      if (owner === undefined || !keep(owner, start)) continue
      const kept = to++ & mask
      if (kept === at) continue
      this.#owners[kept] = owner
      this.#times[kept] = this.#times[at] as number
      this.#starts[kept] = start
    }
    this.#size = to - this.#head
    for (; to < end; to++) this.#owners[to & mask] = undefined
  }

  #grow(): void {
    const { length } = this.#times
    const owners: (Owner | undefined)[] = Array.from({ length: length * 2 })
    const times = new Float64Array(length * 2)
    const starts = new Float64Array(length * 2)
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & (length - 1)
      owners[i] = this.#owners[at]
      times[i] = this.#times[at] as number
      starts[i] = this.#starts[at] as number
    }
    this.#owners = owners
    this.#times = times
    this.#starts = starts
    this.#head = 0
  }
}
