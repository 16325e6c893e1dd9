import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { RunningMoments, type Moments } from './moments.js'
import { scoreOfLogProbability } from './tail.js'

export interface PageHinkleyOptions {
  /** Drift that is let pass, in standard deviations per value. Default 0.1. */
  readonly delta?: number
  /** Values before the test begins, at the start and after each change. Default 30. */
  readonly learn?: number
}

/**
 * Page–Hinkley test for changes of the mean: how far the sum of deviations from the running mean has come from its extreme.
 * D. V. Hinkley, “Inference about the change-point from cumulative sum tests”, Biometrika 58 (1971), after E. S. Page (1954).
 * Slower than `cusum` for large shifts, finds small ones and ramps, since its mean is that of all values since the last change.
 * The score is the chance exp(−2·delta·distance) that a random walk with drift −delta ever comes as far. After a score of 1 it
 * starts anew. Scale and shift of the values change nothing. State: seven numbers.
 * @throws DETECTOR_INVALID
 */
export function pageHinkley(options: PageHinkleyOptions = {}): DetectorPlan {
  const name = 'page-hinkley'
  const delta = checkNumber(name, 'delta', options.delta ?? 0.1, { min: 0.001, max: 10 })
  const learn = checkNumber(name, 'learn', options.learn ?? 30, { min: 5, whole: true })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: learn,
    scope: 'key',
    start: (state) => new PageHinkley(delta, learn, state as PageHinkleyState | undefined),
  }
}

/** Sums in units of the value, with their extremes. */
type PageHinkleyState = readonly [up: number, lowest: number, down: number, highest: number, moments: Moments]

class PageHinkley implements Detector {
  readonly #delta: number
  readonly #learn: number
  readonly #moments: RunningMoments
  #up: number
  #lowest: number
  #down: number
  #highest: number

  constructor(delta: number, learn: number, state: PageHinkleyState = [0, 0, 0, 0, [0, 0, 0]]) {
    this.#delta = delta
    this.#learn = learn
    this.#up = state[0]
    this.#lowest = state[1]
    this.#down = state[2]
    this.#highest = state[3]
    this.#moments = new RunningMoments(0, state[4])
  }

  observe(value: number): Score | null {
    const { count, mean, sigma } = this.#moments
    this.#moments.add(value)
    if (count < this.#learn) return null
    const off = value - mean
    const drift = this.#delta * sigma
    this.#up += off - drift
    this.#lowest = Math.min(this.#lowest, this.#up)
    this.#down += off + drift
    this.#highest = Math.max(this.#highest, this.#down)
    const rise = this.#up - this.#lowest
    const fall = this.#highest - this.#down
    const distance = Math.max(rise, fall)
    const score = distance === 0 ? 0 : sigma === 0 ? 1 : scoreOfLogProbability((-2 * this.#delta * distance) / sigma)
    if (score === 1) this.#restart(value)
    const direction = distance === 0 ? 'none' : rise >= fall ? 'above' : 'below'
    return { score, expected: mean, lower: null, upper: null, direction }
  }

  #restart(value: number): void {
    this.#up = 0
    this.#lowest = 0
    this.#down = 0
    this.#highest = 0
    this.#moments.clear()
    this.#moments.add(value)
  }

  snapshot(): PageHinkleyState {
    return [this.#up, this.#lowest, this.#down, this.#highest, this.#moments.snapshot()]
  }
}
