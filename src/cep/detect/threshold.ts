import { checkThat } from './check-options.js'
import { signatureOf, usable, type Detector, type DetectorPlan, type Score } from './detector.js'

/** All in the value’s unit; at least one of `above` and `below`. */
export interface ThresholdOptions {
  /** A value over this is out of bounds, */
  readonly above?: number
  /** until one is at most this. Default: `above`. */
  readonly clearAbove?: number
  /** A value under this is out of bounds, */
  readonly below?: number
  /** until one is at least this. Default: `below`. */
  readonly clearBelow?: number
}

/**
 * Fixed bounds with hysteresis, as in a Schmitt trigger (O. H. Schmitt, “A thermionic trigger”, J. Sci. Instrum. 15, 1938):
 * what went out of bounds is back only beyond the second bound, so that a value that trembles at the edge is one finding.
 * Scores 1 while out of bounds, else 0. State: one word.
 * @throws DETECTOR_INVALID
 */
export function threshold(options: ThresholdOptions): DetectorPlan {
  const { above = Infinity, below = -Infinity, clearAbove = above, clearBelow = below } = options
  const name = 'threshold'
  checkThat(usable(above) || usable(below), name, 'give above, below or both')
  checkThat(clearAbove <= above, name, 'clearAbove must be at most above')
  checkThat(clearBelow >= below, name, 'clearBelow must be at least below')
  checkThat(below < above && clearBelow < above && clearAbove > below, name, 'the bounds for above and below overlap')
  const bounds = { above, below, clearAbove, clearBelow }
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: 0,
    scope: 'key',
    start: (state) => new Threshold(bounds, (state as Side | undefined) ?? 'none'),
  }
}

type Side = 'above' | 'below' | 'none'

class Threshold implements Detector {
  readonly #bounds: Required<ThresholdOptions>
  #side: Side

  constructor(bounds: Required<ThresholdOptions>, side: Side) {
    this.#bounds = bounds
    this.#side = side
  }

  observe(value: number): Score {
    const { above, below, clearAbove, clearBelow } = this.#bounds
    if (this.#side === 'above' && value <= clearAbove) this.#side = 'none'
    else if (this.#side === 'below' && value >= clearBelow) this.#side = 'none'
    if (value > above) this.#side = 'above'
    else if (value < below) this.#side = 'below'
    return {
      score: this.#side === 'none' ? 0 : 1,
      expected: null,
      lower: below === -Infinity ? null : below,
      upper: above === Infinity ? null : above,
      direction: this.#side,
    }
  }

  snapshot(): Side {
    return this.#side
  }
}
