import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { RunningMoments, type Moments } from './moments.js'
import { scoreOfLogProbability } from './tail.js'

export interface CusumOptions {
  /** Shifts of less than twice this are let pass, in standard deviations. Default 0.5: finds shifts of one sigma soonest. */
  readonly slack?: number
  /** Values from which the level and the spread are learnt, at the start and after each shift. Default 100. */
  readonly learn?: number
}

/**
 * Two-sided CUSUM for shifts of the level: sums what each standardised value lies beyond the slack.
 * E. S. Page, “Continuous inspection schemes”, Biometrika 41 (1954). The score is the chance of such a sum without a shift,
 * exp(−2·slack·(sum + 1.166)), D. Siegmund’s approximation (“Sequential analysis”, 1985) for independent normal values. A shift
 * that scores 1 is taken as the new level, which is learnt anew. Scale and shift of the values change nothing. State: five numbers.
 * @throws DETECTOR_INVALID
 */
export function cusum(options: CusumOptions = {}): DetectorPlan {
  const name = 'cusum'
  const slack = checkNumber(name, 'slack', options.slack ?? 0.5, { min: 0.01, max: 10 })
  const learn = checkNumber(name, 'learn', options.learn ?? 100, { min: 5, whole: true })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: learn,
    scope: 'key',
    start: (state) => new Cusum(slack, learn, state as CusumState | undefined),
  }
}

type CusumState = readonly [high: number, low: number, moments: Moments]

/** Score over which values are no longer learnt from: they may be those of a shift. */
const DOUBT = 0.2
/** Mean overshoot of a random walk of normal steps over a level, which moves the level up by as much. */
const OVERSHOOT = 1.166

class Cusum implements Detector {
  readonly #slack: number
  readonly #learn: number
  readonly #moments: RunningMoments
  #high: number
  #low: number

  constructor(slack: number, learn: number, state: CusumState = [0, 0, [0, 0, 0]]) {
    this.#slack = slack
    this.#learn = learn
    this.#high = state[0]
    this.#low = state[1]
    this.#moments = new RunningMoments(0, state[2])
  }

  observe(value: number): Score | null {
    const { count, mean, sigma } = this.#moments
    if (count < this.#learn) {
      this.#moments.add(value)
      return null
    }
    const off = value - mean
    // without any spread a single different value is a shift
    const steps = off === 0 ? 0 : sigma === 0 ? Math.sign(off) * LIMIT : off / sigma
    this.#high = Math.max(0, this.#high + steps - this.#slack)
    this.#low = Math.max(0, this.#low - steps - this.#slack)
    const sum = Math.max(this.#high, this.#low)
    const score = sum === 0 ? 0 : scoreOfLogProbability(-2 * this.#slack * (sum + OVERSHOOT))
    const direction = sum === 0 ? 'none' : this.#high >= this.#low ? 'above' : 'below'
    if (score === 1) this.#restart(value)
    else if (score < DOUBT) this.#moments.add(value)
    return { score, expected: mean, lower: null, upper: null, direction }
  }

  #restart(value: number): void {
    this.#high = 0
    this.#low = 0
    this.#moments.clear()
    this.#moments.add(value)
  }

  snapshot(): CusumState {
    return [this.#high, this.#low, this.#moments.snapshot()]
  }
}

/** More standard deviations than any slack needs for a score of 1. */
const LIMIT = 1e6
