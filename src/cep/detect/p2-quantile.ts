/** Heights and places of the five markers, and the places wanted; before the fifth value only heights. */
export type P2State = readonly [heights: number[], places: number[], count: number]

/**
 * One quantile of a series, in five markers.
 * R. Jain and I. Chlamtac, “The P² algorithm for dynamic calculation of quantiles and histograms without storing
 * observations”, Comm. ACM 28 (1985).
 */
export class P2Quantile {
  readonly #quantile: number
  readonly #heights: number[]
  readonly #places: number[]
  #count: number

  constructor(quantile: number, state?: P2State) {
    this.#quantile = quantile
    this.#heights = [...(state?.[0] ?? [])]
    this.#places = [...(state?.[1] ?? [1, 2, 3, 4, 5])]
    this.#count = state?.[2] ?? 0
  }

  /** The quantile so far; with fewer than five values, by rank among them. NaN before the first. */
  get value(): number {
    if (this.#count >= 5) return this.#heights[2] as number
    const at = Math.round(this.#quantile * (this.#count - 1))
    return this.#heights[at] ?? NaN
  }

  /** Greatest value minus the least so far. */
  get span(): number {
    return (this.#heights.at(-1) ?? 0) - (this.#heights[0] ?? 0)
  }

  add(value: number): void {
    const heights = this.#heights
    this.#count++
    if (this.#count <= 5) {
      heights.push(value)
      heights.sort((a, b) => a - b)
      return
    }
    for (let i = this.#cellOf(value) + 1; i < 5; i++) (this.#places[i] as number)++
    const p = this.#quantile
    const steps = this.#count - 1
    for (let i = 1; i <= 3; i++) this.#adjust(i, 1 + steps * (i === 1 ? p / 2 : i === 2 ? p : (1 + p) / 2))
  }

  /** Which of the four cells the value falls into; the outer markers move out to it. */
  #cellOf(value: number): number {
    const heights = this.#heights
    if (value < (heights[0] as number)) heights[0] = value
    else if (value > (heights[4] as number)) heights[4] = value
    for (let i = 3; i > 0; i--) if (value >= (heights[i] as number)) return i
    return 0
  }

  /** Moves an inner marker by one place where it has fallen a whole place behind where it should be. */
  #adjust(i: number, wanted: number): void {
    const [h, n] = [this.#heights, this.#places]
    const [before, at, after] = [n[i - 1] as number, n[i] as number, n[i + 1] as number]
    const off = wanted - at
    if (!((off >= 1 && after - at > 1) || (off <= -1 && before - at < -1))) return
    const step = off > 0 ? 1 : -1
    const [low, mid, high] = [h[i - 1] as number, h[i] as number, h[i + 1] as number]
    const parabola =
      mid +
      (step / (after - before)) *
        (((at - before + step) * (high - mid)) / (after - at) + ((after - at - step) * (mid - low)) / (at - before))
    const line = step > 0 ? mid + (high - mid) / (after - at) : mid - (low - mid) / (before - at)
    h[i] = low < parabola && parabola < high ? parabola : line
    n[i] = at + step
  }

  snapshot(): P2State {
    return [[...this.#heights], [...this.#places], this.#count]
  }
}
