/** Count, mean and variance: the state of `RunningMoments`. */
export type Moments = readonly [count: number, mean: number, variance: number]

/**
 * Mean and variance of the past, all alike at first and then weighted exponentially: the weight of a new value is 1/n until
 * that falls to `rate`. With rate 0 all values weigh alike for ever (Welford’s method).
 */
export class RunningMoments {
  readonly #rate: number
  count: number
  mean: number
  variance: number

  constructor(rate: number, state: Moments = [0, 0, 0]) {
    this.#rate = rate
    this.count = state[0]
    this.mean = state[1]
    this.variance = state[2]
  }

  get sigma(): number {
    // what rounding leaves of a constant is no spread
    const sigma = Math.sqrt(this.variance)
    return sigma <= 1e-12 * Math.abs(this.mean) ? 0 : sigma
  }

  add(value: number): void {
    this.count++
    const weight = Math.max(this.#rate, 1 / this.count)
    const off = value - this.mean
    this.mean += weight * off
    this.variance = (1 - weight) * (this.variance + weight * off * off)
  }

  clear(): void {
    this.count = 0
    this.mean = 0
    this.variance = 0
  }

  snapshot(): Moments {
    return [this.count, this.mean, this.variance]
  }
}
