import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { RunningMoments, type Moments } from './moments.js'
import { scoreNormal } from './tail.js'

export interface EwmaOptions {
  /** Values after which what was learnt weighs half. Default 50. */
  readonly halfLife?: number
  /** Values before scores are worth acting on. Default: one half-life. */
  readonly warmUp?: number
}

/**
 * z-score against the exponentially weighted mean and variance of what came before.
 * S. W. Roberts, “Control chart tests based on geometric moving averages”, Technometrics 1 (1959); the recurrence for the
 * variance: T. Finch, “Incremental calculation of weighted mean and variance”, 2009. Scale and shift of the values change nothing.
 * Finds spikes on noise without a season. State: three numbers.
 * @throws DETECTOR_INVALID
 */
export function ewma(options: EwmaOptions = {}): DetectorPlan {
  const name = 'ewma'
  const halfLife = checkNumber(name, 'halfLife', options.halfLife ?? 50, { min: 1 })
  const warmUp = checkNumber(name, 'warmUp', options.warmUp ?? Math.ceil(halfLife), { min: 2, whole: true })
  const rate = 1 - 2 ** (-1 / halfLife)
  return {
    name,
    signature: signatureOf(name, options),
    warmUp,
    scope: 'key',
    start: (state) => new Ewma(new RunningMoments(rate, state as Moments | undefined)),
  }
}

class Ewma implements Detector {
  readonly #moments: RunningMoments

  constructor(moments: RunningMoments) {
    this.#moments = moments
  }

  observe(value: number): Score | null {
    const { count, mean, sigma } = this.#moments
    const score = count < 2 ? null : scoreNormal(value, mean, sigma)
    this.#moments.add(value)
    return score
  }

  snapshot(): Moments {
    return this.#moments.snapshot()
  }
}
