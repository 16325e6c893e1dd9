/** Time of the last value (ms), usual interval (ms), intervals so far. */
export type GapState = readonly [last: number | null, usual: number, count: number]

/** As many usual intervals without a value are a gap. */
const LONG = 12
/** An interval counts for at most so many usual ones: gaps do not make themselves usual. */
const MOST = 4
/** Intervals that the usual one looks back. */
const MEMORY = 100

/** Where a series was interrupted: what lies before a gap and what comes after it are not neighbours. */
export class Gap {
  #last: number | null
  #usual: number
  #count: number

  constructor(state: GapState = [null, 0, 0]) {
    ;[this.#last, this.#usual, this.#count] = state
  }

  /** @returns whether there is a gap between the value before and this one */
  before(time: number): boolean {
    const interval = this.#last === null ? 0 : time - this.#last
    const known = this.#count > 0 && this.#usual > 0
    const gap = known && interval > LONG * this.#usual
    if (this.#last !== null) {
      this.#count = Math.min(MEMORY, this.#count + 1)
      this.#usual += ((known ? Math.min(interval, MOST * this.#usual) : interval) - this.#usual) / this.#count
    }
    this.#last = time
    return gap
  }

  snapshot(): GapState {
    return [this.#last, this.#usual, this.#count]
  }
}
