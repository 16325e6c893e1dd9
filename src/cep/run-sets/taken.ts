import type { StoredEvent } from '../../event/event.js'
import type { Position } from './position.js'

const NOT_YET: number[] = []

/**
 * An event at a position: all partial matches at once that end with it there. What came before it is not a list but
 * ranges of the lists that lead here, as they were when it came.
 */
export class Taken {
  readonly event: StoredEvent
  readonly position: Position
  /** The event's place in the order of events. */
  readonly at: number
  /** Its place in its list, counted from the list's beginning. */
  readonly index: number
  /** A match begins with it. */
  readonly begins: boolean
  /** The newest beginning of what ends here: when that has gone, so has this. */
  readonly newest: number
  /** The newest of `newest` up to here in the list. */
  readonly newestYet: number
  /** For each way into its position, from and to (exclusive) in the list there. */
  readonly ranges: readonly number[]
  /** For each way out of its position, how long the list there was when this came: who follows, comes after. */
  next: number[] = NOT_YET
  /** Nothing that waits, and nothing will come: it need not be looked at again. */
  barren = false
  /** Marked by a search, which has this number. */
  mark = 0
  /** In how many ways, as a search counted. */
  ways = 0

  constructor(
    event: StoredEvent,
    position: Position,
    at: number,
    index: number,
    begins: boolean,
    newest: number,
    newestYet: number,
    ranges: readonly number[],
  ) {
    this.event = event
    this.position = position
    this.at = at
    this.index = index
    this.begins = begins
    this.newest = newest
    this.newestYet = newestYet
    this.ranges = ranges
  }
}

/** Slots at the front that are given up before the array is moved. */
const MOST_GAP = 32

/** What was taken at one position, oldest first. It grows at the end and goes at the front; indexes stay. */
export class TakenList {
  #items: Taken[] = []
  #gap = 0
  /** Index of the oldest. */
  first = 0

  constructor(first = 0) {
    this.first = first
  }

  /** Index that the next one will have. */
  get end(): number {
    return this.first + this.#items.length - this.#gap
  }

  get size(): number {
    return this.#items.length - this.#gap
  }

  /** Only for indexes from `first` to `end`. */
  get(index: number): Taken {
    return this.#items[index - this.first + this.#gap] as Taken
  }

  get last(): Taken | undefined {
    return this.size === 0 ? undefined : this.#items.at(-1)
  }

  push(taken: Taken): void {
    this.#items.push(taken)
  }

  /** Lets go of what begins at or before `start` only; returns how many. */
  trim(start: number): number {
    const items = this.#items
    const before = this.#gap
    while (this.#gap < items.length && (items[this.#gap] as Taken).newest <= start) this.#gap++
    const gone = this.#gap - before
    this.first += gone
    if (this.#gap === items.length) {
      items.length = 0
      this.#gap = 0
    } else if (this.#gap > MOST_GAP && this.#gap * 2 > items.length) {
      items.splice(0, this.#gap)
      this.#gap = 0
    } else for (let at = before; at < this.#gap; at++) items[at] = GONE
    return gone
  }

  *[Symbol.iterator](): Generator<Taken> {
    for (let at = this.#gap; at < this.#items.length; at++) yield this.#items[at] as Taken
  }
}

const GONE = undefined as unknown as Taken
