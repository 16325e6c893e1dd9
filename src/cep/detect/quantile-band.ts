import { checkNumber, checkThat } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { P2Quantile, type P2State } from './p2-quantile.js'
import { BAND_SCORE, directionOf, scoreOfLogProbability } from './tail.js'

export interface QuantileBandOptions {
  /** Share of values below the band. Default 0.05. */
  readonly lower?: number
  /** Share of values below the band’s upper end. Default 0.95. */
  readonly upper?: number
  /** Values before scores are worth acting on. Default: twenty outside of the band, at least 50. */
  readonly warmUp?: number
}

/**
 * A band between two quantiles of everything seen so far, with an exponential tail beyond each that meets the median and the
 * quantile: it takes skewed and heavy-tailed values as they are, where a mean and a variance do not. Quantiles by P²
 * (src/cep/detect/p2-quantile.ts). It does not forget: for series that drift, take `ewma` or `median-mad`. State: 33 numbers.
 * @throws DETECTOR_INVALID
 */
export function quantileBand(options: QuantileBandOptions = {}): DetectorPlan {
  const name = 'quantile-band'
  const lower = checkNumber(name, 'lower', options.lower ?? 0.05, { min: 0.0001, max: 0.49 })
  const upper = checkNumber(name, 'upper', options.upper ?? 0.95, { min: 0.51, max: 0.9999 })
  checkThat(lower < upper, name, 'lower must be less than upper')
  const enough = Math.max(50, Math.ceil(20 / Math.min(lower, 1 - upper)))
  const warmUp = checkNumber(name, 'warmUp', options.warmUp ?? enough, { min: 5, whole: true })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp,
    scope: 'key',
    start: (state) => new QuantileBand([lower, 0.5, upper], state as P2State[] | undefined),
  }
}

class QuantileBand implements Detector {
  readonly #lowerRate: number
  readonly #upperRate: number
  readonly #quantiles: readonly [P2Quantile, P2Quantile, P2Quantile]
  #count: number

  constructor(quantiles: readonly [number, number, number], state?: readonly P2State[]) {
    const [low, middle, high] = quantiles
    // in an exponential tail from the median (half of the values) to the quantile so many factors of e are lost
    this.#lowerRate = Math.log(0.5 / low)
    this.#upperRate = Math.log(0.5 / (1 - high))
    this.#quantiles = [
      new P2Quantile(low, state?.[0]),
      new P2Quantile(middle, state?.[1]),
      new P2Quantile(high, state?.[2]),
    ]
    this.#count = state?.[0]?.[2] ?? 0
  }

  observe(value: number): Score | null {
    const score = this.#count < 5 ? null : this.#score(value)
    for (const quantile of this.#quantiles) quantile.add(value)
    this.#count++
    return score
  }

  #score(value: number): Score {
    const expected = this.#quantiles[1].value
    // early markers may cross
    const down = Math.max(0, expected - this.#quantiles[0].value)
    const up = Math.max(0, this.#quantiles[2].value - expected)
    // markers move by fractions: what rounding leaves of a distance is none
    const least = this.#quantiles[1].span * 1e-12
    const off = Math.abs(value - expected) <= least ? 0 : value - expected
    const [width, rate] = off < 0 ? [down, this.#lowerRate] : [up, this.#upperRate]
    // both tails together hold twice as much as one, which makes it 1 at the median
    const logarithm = off === 0 ? 0 : width <= least ? -Infinity : (-rate * Math.abs(off)) / width
    const reach = BAND_SCORE * 10 * Math.LN10
    return {
      score: scoreOfLogProbability(logarithm),
      expected,
      lower: expected - (down * reach) / this.#lowerRate,
      upper: expected + (up * reach) / this.#upperRate,
      direction: directionOf(off),
    }
  }

  snapshot(): P2State[] {
    return this.#quantiles.map((quantile) => quantile.snapshot())
  }
}
