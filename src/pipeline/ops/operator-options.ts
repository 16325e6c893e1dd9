import { fault } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'

/** Milliseconds, or a text such as `10s`. */
export type Duration = number | string

export interface BufferTimeOptions {
  /** A buffer begins each time this has passed, and they overlap or leave gaps. Default: when the one before ends. */
  readonly every?: Duration
  /** A buffer with so many values ends. Default: no limit. */
  readonly max?: number
  /**
   * The buffer begins with its first value and ends at a multiple of the span since 1970. Nothing is put out, and no
   * timer waits, while there is nothing: ten days without events cost one firing.
   */
  readonly align?: boolean
}

export interface RateLimitOptions {
  /** So many values… */
  readonly count: number
  /** …in this time. */
  readonly per: Duration
  /** Values that may pass at once after a pause. Default `count`. */
  readonly burst?: number
  /** What becomes of the others: they are dropped (default), or wait for their turn. */
  readonly over?: 'drop' | 'delay'
}

/** In ms. @throws DURATION_INVALID, PIPELINE_INVALID when it is 0 */
export function positive(what: string, duration: Duration): number {
  const ms = parseDuration(duration)
  if (ms > 0) return ms
  throw fault('PIPELINE_INVALID', `${what} ${JSON.stringify(duration)} must be above 0`)
}

/** @throws PIPELINE_INVALID */
export function whole(what: string, count: number): number {
  if (Number.isInteger(count) && count >= 1) return count
  throw fault('PIPELINE_INVALID', `${what}: ${count} must be a whole number from 1`)
}
