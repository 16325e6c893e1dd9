import { fault } from '../../error/millrace-error.js'

/** What a detector’s parameter must be. */
export interface Range {
  readonly min?: number
  readonly max?: number
  readonly whole?: boolean
}

/**
 * Checks one number among the parameters of a detector.
 * @throws DETECTOR_INVALID when it is outside of its range
 */
export function checkNumber(detector: string, name: string, value: number, range: Range): number {
  const { min = -Infinity, max = Infinity, whole = false } = range
  const wrong = typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value))
  if (!wrong) return value
  const kind = whole ? 'a whole number' : 'a number'
  throw fault('DETECTOR_INVALID', `${detector}: ${name} is ${String(value)}, must be ${kind} from ${min} to ${max}`)
}

/** @throws DETECTOR_INVALID */
export function checkThat(right: boolean, detector: string, what: string): void {
  if (!right) throw fault('DETECTOR_INVALID', `${detector}: ${what}`)
}
