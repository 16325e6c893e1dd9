import { checkNumber, checkThat } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { RunningMoments, type Moments } from './moments.js'
import { directionOf, scoreNormal } from './tail.js'

export interface RateOfChangeOptions {
  /** Largest rise that is allowed, in the value’s unit per second. Without `rise` and `fall` the usual rates are learnt. */
  readonly rise?: number
  /** Largest fall that is allowed, in the value’s unit per second, as a positive number. */
  readonly fall?: number
  /** For learnt rates: values after which what was learnt weighs half. Default 50. */
  readonly halfLife?: number
}

/**
 * Change since the value before, per second of event time: finds jumps that stay within the usual range of values, and counters
 * that run away. Of several values at one time the change counts as if a millisecond had passed. With limits: 1 beyond, else 0.
 * Without: z-score among earlier rates, as `ewma` does for values. `expected`, `lower` and `upper` are in the value’s unit.
 * State: five numbers.
 * @throws DETECTOR_INVALID
 */
export function rateOfChange(options: RateOfChangeOptions = {}): DetectorPlan {
  const name = 'rate-of-change'
  const { rise, fall } = options
  if (rise !== undefined) checkNumber(name, 'rise', rise, { min: 0 })
  if (fall !== undefined) checkNumber(name, 'fall', fall, { min: 0 })
  const fixed = rise !== undefined || fall !== undefined
  checkThat(!fixed || options.halfLife === undefined, name, 'halfLife has no meaning beside rise or fall')
  const halfLife = checkNumber(name, 'halfLife', options.halfLife ?? 50, { min: 1 })
  const limits = fixed ? { rise: rise ?? Infinity, fall: fall ?? Infinity } : undefined
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: fixed ? 0 : Math.ceil(halfLife),
    scope: 'key',
    start: (state) => new RateOfChange(1 - 2 ** (-1 / halfLife), limits, state as RateState | undefined),
  }
}

interface RateState {
  readonly last: readonly [value: number, time: number] | null
  readonly rates: Moments
}

class RateOfChange implements Detector {
  readonly #limits: { readonly rise: number; readonly fall: number } | undefined
  readonly #rates: RunningMoments
  #last: readonly [value: number, time: number] | null

  constructor(weight: number, limits: { rise: number; fall: number } | undefined, state?: RateState) {
    this.#limits = limits
    this.#rates = new RunningMoments(weight, state?.rates)
    this.#last = state?.last ?? null
  }

  observe(value: number, time: number): Score | null {
    const last = this.#last
    this.#last = [value, time]
    if (last === null) return null
    const seconds = Math.max(time - last[1], 1) / 1000
    const rate = (value - last[0]) / seconds
    if (this.#limits !== undefined) return this.#fixed(rate, last[0], seconds, this.#limits)
    const { count, mean, sigma } = this.#rates
    this.#rates.add(rate)
    if (count < 2) return null
    const { score, expected, lower, upper, direction } = scoreNormal(rate, mean, sigma)
    const inUnits = (r: number | null): number => last[0] + (r as number) * seconds
    return { score, expected: inUnits(expected), lower: inUnits(lower), upper: inUnits(upper), direction }
  }

  #fixed(rate: number, last: number, seconds: number, limits: { rise: number; fall: number }): Score {
    return {
      score: rate > limits.rise || rate < -limits.fall ? 1 : 0,
      expected: last,
      lower: limits.fall === Infinity ? null : last - limits.fall * seconds,
      upper: limits.rise === Infinity ? null : last + limits.rise * seconds,
      direction: directionOf(rate),
    }
  }

  snapshot(): RateState {
    return { last: this.#last, rates: this.#rates.snapshot() }
  }
}
