/** Bins in order with their counts, and how many measurements there were, zeros among them. */
export type TailState = readonly [bins: number[], counts: number[], all: number]

const BINS_PER_OCTAVE = 8
/** Less than this is nothing: what rounding leaves of two equal values. */
const LEAST = 1e-12
/** Fewer measurements than this give no tail. */
const ENOUGH = 10
const TAIL_SHARE = 0.02
const TAIL_LEAST = 5

/**
 * How rare a measurement is among its own history, in decades: 2 is one in a hundred. Measurements of any size and unit, zero or more,
 * become comparable so. A histogram of logarithms, and past its end an exponential tail with the mean excess of the
 * largest fiftieth (peaks over a threshold: J. Pickands, “Statistical inference using extreme order statistics”, Ann. Stat. 3, 1975).
 */
export class TailHistogram {
  readonly #bins: number[]
  readonly #counts: number[]
  #all: number

  constructor(state: TailState = [[], [], 0]) {
    this.#bins = [...state[0]]
    this.#counts = [...state[1]]
    this.#all = state[2]
  }

  /** @param most more decades than this are given as this */
  decades(value: number, most: number): number {
    if (this.#all < ENOUGH || value <= LEAST) return 0
    const position = Math.log2(value) * BINS_PER_OCTAVE
    const bin = Math.floor(position)
    let above = 0
    let at = this.#bins.length - 1
    for (; at >= 0 && (this.#bins[at] as number) > bin; at--) above += this.#counts[at] as number
    const shared = this.#bins[at] === bin ? (this.#counts[at] as number) * (1 - position + bin) : 0
    const seen = -Math.log10((above + shared + 1) / (this.#all + 1))
    const inTail = above === 0 ? this.#beyond(value, most) : 0
    return Math.min(most, Math.max(seen, inTail))
  }

  /** Decades of a value in or past the last bin. */
  #beyond(value: number, most: number): number {
    const needed = Math.max(TAIL_LEAST, this.#all * TAIL_SHARE)
    let count = 0
    let from = this.#bins.length
    while (from > 0 && count < needed) count += this.#counts[--from] as number
    if (count === 0) return most
    const start = from > 0 ? sizeAt((this.#bins[from - 1] as number) + 1) : 0
    let excess = 0
    for (let i = from; i < this.#bins.length; i++)
      excess += (this.#counts[i] as number) * Math.max(0, sizeAt((this.#bins[i] as number) + 0.5) - start)
    if (excess <= 0 || value <= start) return 0
    const reached = -Math.log10((count + 1) / (this.#all + 1))
    return reached + ((value - start) * count) / excess / Math.LN10
  }

  add(value: number): void {
    this.#all++
    if (value <= LEAST) return
    const bin = Math.floor(Math.log2(value) * BINS_PER_OCTAVE)
    let at = this.#bins.length
    while (at > 0 && (this.#bins[at - 1] as number) >= bin) at--
    if (this.#bins[at] !== bin) {
      this.#bins.splice(at, 0, bin)
      this.#counts.splice(at, 0, 0)
    }
    this.#counts[at] = (this.#counts[at] as number) + 1
  }

  snapshot(): TailState {
    return [[...this.#bins], [...this.#counts], this.#all]
  }
}

function sizeAt(bin: number): number {
  return 2 ** (bin / BINS_PER_OCTAVE)
}
