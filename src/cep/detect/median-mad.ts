import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { medianDistance, medianOfSorted, SortedWindow } from './sorted-window.js'
import { scoreNormal } from './tail.js'

export interface MedianMadOptions {
  /** Values that are looked back at. Default 101. */
  readonly window?: number
  /** Values before scores are worth acting on. Default: a quarter of the window. */
  readonly warmUp?: number
}

/** Median distance from the median, times this, is the standard deviation of normal values. */
export const MAD_TO_SIGMA = 1.4826

/**
 * Robust z-score: distance from the median of the last values, in units of their median distance from it. Up to half of
 * the window may be outliers without moving the band. F. R. Hampel, “The influence curve and its role in robust estimation”,
 * JASA 69 (1974). Where more than half of the values are equal, their mean distance stands for the median one (B. Iglewicz
 * and D. Hoaglin, “How to detect and handle outliers”, 1993). State: the window.
 * @throws DETECTOR_INVALID
 */
export function medianMad(options: MedianMadOptions = {}): DetectorPlan {
  const name = 'median-mad'
  const window = checkNumber(name, 'window', options.window ?? 101, { min: 3, max: 10_000, whole: true })
  const warmUp = checkNumber(name, 'warmUp', options.warmUp ?? Math.ceil(window / 4), {
    min: 2,
    max: window,
    whole: true,
  })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp,
    scope: 'key',
    start: (state) => new MedianMad(new SortedWindow(window, state as number[] | undefined)),
  }
}

class MedianMad implements Detector {
  readonly #window: SortedWindow

  constructor(window: SortedWindow) {
    this.#window = window
  }

  observe(value: number): Score | null {
    const score = this.#window.size < 2 ? null : scoreRobust(value, this.#window.sorted)
    this.#window.add(value)
    return score
  }

  snapshot(): number[] {
    return this.#window.values()
  }
}

/** Score of a value against sorted others, by their median and its median distance. */
export function scoreRobust(value: number, sorted: readonly number[]): Score {
  const median = medianOfSorted(sorted)
  const mad = medianDistance(sorted, median)
  if (mad > 0) return scoreNormal(value, median, MAD_TO_SIGMA * mad)
  let sum = 0
  for (const other of sorted) sum += Math.abs(other - median)
  // mean distance of normal values: sigma times sqrt(2/pi)
  return scoreNormal(value, median, (sum / sorted.length) * Math.sqrt(Math.PI / 2))
}
