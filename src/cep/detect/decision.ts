import { checkNumber, checkThat } from './check-options.js'
import type { Direction, Score } from './detector.js'
import { BAND_SCORE } from './tail.js'

/** When a score is an alarm. */
export interface DecisionOptions {
  /** Score, 0 to 1, from which a value is out of line. Default 0.4, one in ten thousand. */
  readonly threshold?: number
  /** Score under which it is back in line; until then the same finding goes on, without another alarm. Default: half of `threshold`. */
  readonly clear?: number
  /** Values out of line one after another that it takes for an alarm. Default 1. */
  readonly persist?: number
  /** Values of a key before the first alarm. Default: what the detector asks for. */
  readonly warmUp?: number
  /** Milliseconds of event time after an alarm without another. Default 0. */
  readonly coolDown?: number
  /** Side that counts. Default `both`. */
  readonly side?: 'both' | 'above' | 'below'
}

export type Decision = Required<DecisionOptions>

/**
 * Fills in what was left open.
 * @param warmUp values that the detector asks for
 * @throws DETECTOR_INVALID
 */
export function decisionOf(options: DecisionOptions, warmUp: number): Decision {
  const name = 'decision'
  const threshold = checkNumber(name, 'threshold', options.threshold ?? BAND_SCORE, { min: Number.MIN_VALUE, max: 1 })
  const side = options.side ?? 'both'
  checkThat(['both', 'above', 'below'].includes(side), name, 'side must be both, above or below')
  return {
    threshold,
    clear: checkNumber(name, 'clear', options.clear ?? threshold / 2, { min: 0, max: threshold }),
    persist: checkNumber(name, 'persist', options.persist ?? 1, { min: 1, whole: true }),
    warmUp: checkNumber(name, 'warmUp', options.warmUp ?? warmUp, { min: 0, whole: true }),
    coolDown: checkNumber(name, 'coolDown', options.coolDown ?? 0, { min: 0 }),
    side,
  }
}

/** Where one key stands: values seen, how many in a row are out of line, whether that was told, when. */
export type Standing = [seen: number, row: number, told: 0 | 1, toldAt: number | null]

export function newStanding(): Standing {
  return [0, 0, 0, null]
}

/** Counts a value and its score. @returns whether it is an alarm */
export function decide(decision: Decision, standing: Standing, score: Score | null, time: number): boolean {
  standing[0]++
  const rated = score !== null && counts(decision, score.direction) ? score.score : 0
  if (rated >= decision.threshold) standing[1]++
  else {
    standing[1] = 0
    if (rated < decision.clear || rated === 0) standing[2] = 0
  }
  if (standing[1] < decision.persist || standing[2] === 1 || standing[0] <= decision.warmUp) return false
  if (standing[3] !== null && time - standing[3] < decision.coolDown) return false
  standing[2] = 1
  standing[3] = time
  return true
}

/** Whether a side is one that counts. */
export function counts(decision: Decision, direction: Direction): boolean {
  return decision.side === 'both' || direction === 'none' || direction === decision.side
}
