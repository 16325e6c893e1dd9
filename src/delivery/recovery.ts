import { fault, MillraceError } from '../error/millrace-error.js'
import { parseDuration } from '../time/duration.js'
import { fullJitter, type Backoff } from './backoff.js'

// What becomes of an event whose handler has failed, as values: they can be compared, printed and tested without a server.

/** What there is when nothing more is tried. */
export type FinalPolicy =
  /** It is kept with its reason, and the next ones are handled. */
  | { readonly kind: 'dead-letter' }
  /** It is kept with its reason, and the later ones of its key wait for it. For handlers with `order: 'key'`. */
  | { readonly kind: 'park' }
  /** The handler stops before it, with an error. */
  | { readonly kind: 'crash' }

/** Other attempts, and what comes when all have failed. */
export interface RetryPolicy {
  readonly kind: 'retry'
  /** All of them, the first among them. */
  readonly attempts: number
  /** How many of the repeated ones follow at once. */
  readonly immediate: number
  readonly backoff: Backoff
  /** How long the one who refused asks to wait, in ms; undefined: it does not say, and the backoff counts. */
  readonly retryAfter: ((error: unknown) => number | undefined) | undefined
  readonly last: FinalPolicy
}

export type RecoveryPolicy = RetryPolicy | FinalPolicy

export interface RetryOptions {
  /** All attempts, the first among them. Default 8. */
  readonly attempts?: number
  /** How many of the repeated ones follow at once, without a delay. Default 1. */
  readonly immediate?: number
  /** Default fullJitter('200ms', '5m'). */
  readonly backoff?: Backoff
  /** How long the one who refused asks to wait, in ms or like `30s`; undefined: the backoff counts. */
  readonly retryAfter?: (error: unknown) => number | string | undefined
  /** What comes when all have failed. Default deadLetter(). */
  readonly last?: FinalPolicy
}

/** Tries again, at once and then later and later. @throws HANDLER_INVALID */
export function retry(options: RetryOptions = {}): RetryPolicy {
  const { attempts = 8, immediate = 1, backoff = fullJitter('200ms', '5m'), retryAfter, last = deadLetter() } = options
  if (!Number.isSafeInteger(attempts) || attempts < 1 || attempts > 1_000)
    throw fault('HANDLER_INVALID', `attempts ${attempts} must be a whole number from 1 to 1000`)
  if (!Number.isSafeInteger(immediate) || immediate < 0)
    throw fault('HANDLER_INVALID', `immediate ${immediate} must be a whole number from 0`)
  const after = retryAfter === undefined ? undefined : (error: unknown) => readAfter(retryAfter(error))
  return Object.freeze({ kind: 'retry', attempts, immediate, backoff, retryAfter: after, last })
}

/** Keeps it with its reason, and goes on. */
export function deadLetter(): FinalPolicy {
  return DEAD_LETTER
}

/** Keeps it with its reason, and has its key wait. */
export function park(): FinalPolicy {
  return PARK
}

/** Stops the handler before it. */
export function crash(): FinalPolicy {
  return CRASH
}

const DEAD_LETTER: FinalPolicy = Object.freeze({ kind: 'dead-letter' })
const PARK: FinalPolicy = Object.freeze({ kind: 'park' })
const CRASH: FinalPolicy = Object.freeze({ kind: 'crash' })

const asked = new WeakMap<MillraceError, number>()

/** The error of an event that can never be handled: `throw permanent('the account is closed')`. */
export function permanent(why: string, options: { readonly cause?: unknown } = {}): MillraceError {
  return fault('HANDLER_REFUSED', why, options)
}

/**
 * The error of who was told when to come back: `throw retryAfter('30s', 'rate limit')`. The attempt counts.
 * @param delay in ms, or like `30s`
 * @throws DURATION_INVALID
 */
export function retryAfter(
  delay: string | number,
  why: string,
  options: { readonly cause?: unknown } = {},
): MillraceError {
  const error = fault('HANDLER_RETRY_AFTER', why, options)
  asked.set(error, parseDuration(delay))
  return error
}

/** How long the error itself asks to wait, in ms; undefined for any other error. */
export function delayAskedBy(error: unknown): number | undefined {
  return error instanceof MillraceError ? asked.get(error) : undefined
}

const waiting = new WeakMap<MillraceError, number>()

/**
 * The error of a run that has begun nothing, because somebody else is at the same: it is no attempt, and says nothing about
 * what the handler depends on.
 * @param delay when it is worth trying again, in ms
 */
export function notBegun(error: MillraceError, delay: number): MillraceError {
  waiting.set(error, delay)
  return error
}

/** When a run that has begun nothing is worth trying again, in ms; undefined for any other error. */
export function delayOfNotBegun(error: unknown): number | undefined {
  return error instanceof MillraceError ? waiting.get(error) : undefined
}

function readAfter(delay: number | string | undefined): number | undefined {
  return delay === undefined ? undefined : parseDuration(delay)
}
