// AggregateTable
//
// The aggregates that are in memory, by id: those of one unit in its table, those of all units of an actor in one ring,
// which keeps their number and their size bounded for the process. The clock rule: a hand goes round the ring; it drops
// what was not used since it came by last, and passes over what may not be dropped.
//
// Invariants (tests cite them):
//   AL1  An aggregate that is pinned (its last turn is not committed, a step is open, commands wait) is never dropped.
//   AL2  Beside pinned ones, no more aggregates are in memory than the bounds say.

/** What the table needs of an aggregate; it keeps all but the id and the size. */
export interface Resident {
  readonly id: string
  /** Roughly what it takes, in bytes. Told to the table when it changes (`resized`). */
  size: number
  /** How many need it to stay. */
  pins: number
  /** Used since the hand came by. */
  used: boolean
  /** Its place in the ring, and the table that it is in. */
  slot: number
  home: AggregateTable<Resident> | undefined
}

export interface RingBounds {
  /** How many aggregates are kept in memory. */
  readonly most: number
  /** How much they take together, in bytes, as their sizes say. Default: no bound of its own. */
  readonly mostBytes?: number
}

/** What was counted since the ring was made. */
export interface RingCounts {
  readonly size: number
  readonly bytes: number
  readonly passivated: number
}

/** The hand gives up after so many that may not be dropped, and goes on with the next aggregate that comes. */
const PATIENCE = 64

/** All aggregates of an actor that this process has in memory. */
export class AggregateRing {
  readonly #bounds: Required<RingBounds>
  readonly #slots: Resident[] = []
  #hand = 0
  #bytes = 0
  #passivated = 0

  constructor({ most, mostBytes = Number.POSITIVE_INFINITY }: RingBounds) {
    this.#bounds = { most, mostBytes }
  }

  get counts(): RingCounts {
    return { size: this.#slots.length, bytes: this.#bytes, passivated: this.#passivated }
  }

  /** Takes one in; others may be dropped for it. */
  add(entry: Resident): void {
    entry.slot = this.#slots.length
    entry.used = true
    this.#slots.push(entry)
    this.#bytes += entry.size
    this.#shrink(entry)
  }

  remove(entry: Resident): void {
    const last = this.#slots.pop()
    if (last !== undefined && last !== entry) {
      this.#slots[entry.slot] = last
      last.slot = entry.slot
    }
    this.#bytes -= entry.size
  }

  resize(entry: Resident, size: number): void {
    this.#bytes += size - entry.size
    entry.size = size
    if (this.#bytes > this.#bounds.mostBytes) this.#shrink(entry)
  }

  #shrink(keep: Resident): void {
    let patience = PATIENCE
    while (this.#isOver() && patience > 0) {
      if (this.#hand >= this.#slots.length) this.#hand = 0
      const entry = this.#slots[this.#hand]
      if (entry === undefined) return
      if (entry === keep || entry.pins > 0) {
        patience -= 1
        this.#hand += 1
      } else if (entry.used) {
        entry.used = false
        this.#hand += 1
      } else {
        this.#passivated += 1
        entry.home?.passivate(entry) // another one is in this place then
      }
    }
  }

  #isOver(): boolean {
    return this.#slots.length > this.#bounds.most || this.#bytes > this.#bounds.mostBytes
  }
}

/** The aggregates of one unit that are in memory. */
export class AggregateTable<Entry extends Resident> {
  readonly #ring: AggregateRing
  readonly #entries = new Map<string, Entry>()
  readonly #onPassivated: ((entry: Entry) => void) | undefined

  /** @param onPassivated told of each that is dropped for others */
  constructor(ring: AggregateRing, onPassivated?: (entry: Entry) => void) {
    this.#ring = ring
    this.#onPassivated = onPassivated
  }

  get size(): number {
    return this.#entries.size
  }

  /** The aggregate of an id, if it is in memory. */
  peek(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  /** The aggregate of an id, if it is in memory; it counts as used. */
  get(id: string): Entry | undefined {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.used = true
    return entry
  }

  /** Adds one that is not there; others may be dropped for it. */
  add(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    entry.home = this as unknown as AggregateTable<Resident>
    this.#ring.add(entry)
  }

  delete(entry: Entry): void {
    if (!this.#entries.delete(entry.id)) return
    entry.home = undefined
    this.#ring.remove(entry)
  }

  /** Drops one for others. */
  passivate(entry: Entry): void {
    this.delete(entry)
    this.#onPassivated?.(entry)
  }

  /** Says how large one is now. */
  resized(entry: Entry, size: number): void {
    if (entry.home === undefined) entry.size = size
    else this.#ring.resize(entry, size)
  }

  values(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  /** The unit ends here: none of them is needed. */
  clear(): void {
    for (const entry of this.#entries.values()) this.delete(entry)
  }
}
