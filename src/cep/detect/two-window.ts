import { checkNumber, checkThat } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { medianOfSorted, SortedWindow } from './sorted-window.js'
import { directionOf, scoreOfLogProbability, scoreOfSigmas } from './tail.js'

export interface TwoWindowOptions {
  /** Newest values, which are tested. Default 30. */
  readonly recent?: number
  /** Values before those, which they are compared with. Default 120. */
  readonly reference?: number
  /** `level`: are they larger or smaller (Mann–Whitney). `shape`: are they distributed otherwise in any way (Kolmogorov–Smirnov). Default `level`. */
  readonly test?: 'level' | 'shape'
}

/**
 * Compares the newest values with those before them by ranks, so that neither outliers nor the shape of the distribution matter.
 * H. Mann and D. Whitney, Ann. Math. Stat. 18 (1947), with the correction for ties; N. Smirnov, Ann. Math. Stat. 19 (1948), on streams
 * as KSWIN (C. Raab, M. Heusinger, F.-M. Schleif, Neurocomputing 416, 2020). `level` finds shifts, `shape` also changes of the spread.
 * Any growing function of the values gives the same scores. State: both windows. Cost: a walk through both per value.
 * @throws DETECTOR_INVALID
 */
export function twoWindow(options: TwoWindowOptions = {}): DetectorPlan {
  const name = 'two-window'
  const recent = checkNumber(name, 'recent', options.recent ?? 30, { min: 5, max: 5000, whole: true })
  const reference = checkNumber(name, 'reference', options.reference ?? 120, { min: 5, max: 5000, whole: true })
  const { test = 'level' } = options
  checkThat(test === 'level' || test === 'shape', name, 'test must be level or shape')
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: recent + reference,
    scope: 'key',
    start: (state) => new TwoWindow(recent, reference, test, state as TwoWindowState | undefined),
  }
}

type TwoWindowState = readonly [recent: number[], reference: number[]]

class TwoWindow implements Detector {
  readonly #recent: SortedWindow
  readonly #reference: SortedWindow
  readonly #test: 'level' | 'shape'

  constructor(recent: number, reference: number, test: 'level' | 'shape', state?: TwoWindowState) {
    this.#recent = new SortedWindow(recent, state?.[0])
    this.#reference = new SortedWindow(reference, state?.[1])
    this.#test = test
  }

  observe(value: number): Score | null {
    const left = this.#recent.add(value)
    if (left !== undefined) this.#reference.add(left)
    if (!this.#reference.full) return null
    const walk = compare(this.#recent.sorted, this.#reference.sorted)
    return {
      score: this.#test === 'level' ? scoreOfSigmas(walk.sigmas) : scoreOfGap(walk),
      expected: medianOfSorted(this.#reference.sorted),
      lower: null,
      upper: null,
      direction: directionOf(walk.sigmas),
    }
  }

  snapshot(): TwoWindowState {
    return [this.#recent.values(), this.#reference.values()]
  }
}

interface Comparison {
  /** Mann–Whitney: by how many standard deviations the ranks of the first are too high. */
  readonly sigmas: number
  /** Kolmogorov–Smirnov: largest distance between both distribution functions. */
  readonly gap: number
  /** Size that one sample would need for the same precision. */
  readonly size: number
}

/** Walks through two sorted lists together, one step for each distinct value. */
export function compare(a: readonly number[], b: readonly number[]): Comparison {
  const [m, n] = [a.length, b.length]
  let [i, j, wins, ties, gap] = [0, 0, 0, 0, 0]
  while (i < m || j < n) {
    const value = Math.min(a[i] ?? Infinity, b[j] ?? Infinity)
    const [fromA, fromB] = [i, j]
    while (a[i] === value) i++
    while (b[j] === value) j++
    const [equalA, equalB] = [i - fromA, j - fromB]
    wins += equalA * (fromB + equalB / 2)
    const tied = equalA + equalB
    ties += tied * tied * tied - tied
    gap = Math.max(gap, Math.abs(i / m - j / n))
  }
  const all = m + n
  const variance = ((m * n) / 12) * (all + 1 - ties / (all * (all - 1)))
  const off = wins - (m * n) / 2
  return { sigmas: variance <= 0 ? 0 : off / Math.sqrt(variance), gap, size: (m * n) / all }
}

/** First term of Kolmogorov’s series, with M. Stephens’ correction for small samples (J. R. Stat. Soc. B 32, 1970). */
function scoreOfGap({ gap, size }: Comparison): number {
  const root = Math.sqrt(size)
  const distance = (root + 0.12 + 0.11 / root) * gap
  return scoreOfLogProbability(Math.LN2 - 2 * distance * distance)
}
