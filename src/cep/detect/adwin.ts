import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { ExponentialHistogram, type HistogramState, type Part } from './exponential-histogram.js'
import { directionOf, scoreOfLogProbability } from './tail.js'

export interface AdwinOptions {
  /** Chance of a false cut at which the window is cut, at the score of 0.4 that goes with it. Default 0.0001. */
  readonly delta?: number
  /** Values that the window may grow to. Default 100,000. */
  readonly window?: number
}

/**
 * ADWIN: a window that grows as long as its mean holds and is cut where two parts of it differ.
 * A. Bifet and R. Gavaldà, “Learning from time-changing data with adaptive windowing”, SDM 2007 (ADWIN2, with the bound of
 * its equation 3.1 for values that lie within the range seen in the window). The score is the smallest chance, over all
 * places to cut, that parts of one distribution differ as much. Finds drift, slowly and with few false alarms; says how long the
 * present level has lasted. Scale and shift of the values change nothing. State: at most five buckets of five numbers for each doubling of the window.
 * @throws DETECTOR_INVALID
 */
export function adwin(options: AdwinOptions = {}): DetectorPlan {
  const name = 'adwin'
  const delta = checkNumber(name, 'delta', options.delta ?? 0.0001, { min: 1e-10, max: 0.5 })
  const window = checkNumber(name, 'window', options.window ?? 100_000, { min: 32, whole: true })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: 2 * MIN_PART,
    scope: 'key',
    start: (state) => new Adwin(Math.log(delta), window, new ExponentialHistogram(state as HistogramState | undefined)),
  }
}

/** Fewer values than this say nothing about a mean. */
const MIN_PART = 5

class Adwin implements Detector {
  readonly #logDelta: number
  readonly #window: number
  readonly #histogram: ExponentialHistogram

  constructor(logDelta: number, window: number, histogram: ExponentialHistogram) {
    this.#logDelta = logDelta
    this.#window = window
    this.#histogram = histogram
  }

  observe(value: number): Score | null {
    const histogram = this.#histogram
    histogram.add(value)
    const whole = histogram.whole()
    if (whole.count < 2 * MIN_PART) return null
    const worst = smallestChance(histogram, whole)
    let cut = worst
    while (cut.logChance < this.#logDelta || histogram.count > this.#window) {
      histogram.dropOldest()
      if (histogram.count < 2 * MIN_PART) break
      cut = smallestChance(histogram, histogram.whole())
    }
    return {
      score: scoreOfLogProbability(worst.logChance),
      expected: worst.before,
      lower: null,
      upper: null,
      direction: directionOf(worst.after - worst.before),
    }
  }

  snapshot(): HistogramState {
    return this.#histogram.snapshot()
  }
}

interface Cut {
  /** Natural logarithm of the chance; 0 when no cut stands out. */
  readonly logChance: number
  /** Means of both sides. */
  readonly before: number
  readonly after: number
}

function smallestChance(histogram: ExponentialHistogram, whole: Part): Cut {
  const { count, mean, squares, min, max } = whole
  const variance = squares / count
  const tests = Math.log(Math.max(Math.log(count), 1))
  let best: Cut = { logChance: 0, before: mean, after: mean }
  let older = 0
  let sum = 0
  histogram.eachFromOldest((part) => {
    older += part.count
    sum += part.count * (part.mean - mean)
    const newer = count - older
    if (older < MIN_PART || newer < MIN_PART) return
    const m = 1 / (1 / older + 1 / newer)
    // of the sum over all, the two sides have opposite signs
    const before = mean + sum / older
    const after = mean - sum / newer
    const logChance = Math.LN2 - exponent(Math.abs(before - after), m, variance, max - min) + tests
    if (logChance < best.logChance) best = { logChance, before, after }
  })
  return best
}

/** Solves `difference = sqrt(2·variance·L/m) + 2·range·L/(3·m)` for L, of which exp(−L) is the chance. */
function exponent(difference: number, m: number, variance: number, range: number): number {
  if (difference === 0 || range === 0) return 0
  const a = Math.sqrt((2 * variance) / m)
  const b = (2 * range) / (3 * m)
  const root = (2 * difference) / (a + Math.sqrt(a * a + 4 * b * difference))
  return root * root
}
