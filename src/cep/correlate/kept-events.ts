import type { StoredEvent } from '../../event/event.js'
import { Ring } from '../engine/ring.js'

/** An event that may still find a partner. */
export interface Kept {
  readonly event: StoredEvent
  readonly of: KeyEntry
  /** Order in which events came. */
  readonly at: number
  /** It has found one. */
  paired: boolean
  gone: boolean
}

/** What is kept of a key, by side. */
export interface KeyEntry {
  readonly key: string
  readonly sides: readonly [Ring<Kept>, Ring<Kept>]
}

/** Gone ones that may lie around. */
const SLACK = 64

/** The events of one side, of all keys, in order of time; and those of each key. */
export class KeptEvents {
  readonly #side: 0 | 1
  /** May have some that are gone. */
  #ring = new Ring<Kept>()
  #size = 0
  /** Before this number all have found a partner, or are gone. */
  #aloneAt = 0

  constructor(side: 0 | 1) {
    this.#side = side
  }

  get size(): number {
    return this.#size
  }

  get first(): Kept | undefined {
    while (this.#ring.first?.gone === true) this.#ring.shift()
    return this.#ring.first
  }

  /** The first that has found no partner. */
  get firstAlone(): Kept | undefined {
    this.#aloneAt = Math.max(this.#aloneAt, this.#ring.begin)
    for (; this.#aloneAt < this.#ring.end; this.#aloneAt++) {
      const kept = this.#ring.at(this.#aloneAt) as Kept
      if (!kept.paired && !kept.gone) return kept
    }
    return undefined
  }

  add(kept: Kept): void {
    kept.of.sides[this.#side].push(kept)
    this.#ring.push(kept)
    this.#size++
  }

  /** Lets go of the oldest of a key. @returns it */
  dropOldest({ sides }: KeyEntry): Kept | undefined {
    const kept = sides[this.#side].shift()
    if (kept === undefined) return undefined
    kept.gone = true
    this.#size--
    if (this.#ring.length <= 2 * this.#size + SLACK) return kept
    const left = this.list()
    this.#ring = new Ring()
    this.#aloneAt = 0
    for (const each of left) this.#ring.push(each)
    return kept
  }

  list(): readonly Kept[] {
    return this.#ring.list().filter(({ gone }) => !gone)
  }
}

/** Number of the first of a key that is at `time` or later. */
export function firstFrom(ring: Ring<Kept>, time: number): number {
  let [low, high] = [ring.begin, ring.end]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ring.at(middle) as Kept).event.time < time) low = middle + 1
    else high = middle
  }
  return low
}
