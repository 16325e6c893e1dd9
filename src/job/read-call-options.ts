import { fullJitter } from '../delivery/backoff.js'
import { isFault } from '../error/millrace-error.js'
import { parseDuration } from '../time/duration.js'
import type { WatchdogLimits } from './call-watchdog.js'
import type { CallRetry } from './decide-retry.js'
import type { JobCallOptions } from './job-options.js'

export interface CallSettings {
  readonly retry: CallRetry
  readonly limits: WatchdogLimits
  /** How long an answer may be taken for another job that asks the same, in ms; undefined: each asks for itself. */
  readonly cacheTtl: number | undefined
}

const ATTEMPTS = 5
const BACKOFF = fullJitter('1s', '60s')
/** Of a wait of which the provider does not say how long, in ms. */
const WAIT_MS = 15_000
const IDLE = '60s'
const TIMEOUT = '10m'
const KINDS: readonly unknown[] = ['full-jitter', 'exponential', 'fixed', 'steps']

type Invalid = (field: string, detail: string) => never

/** How a job’s calls are repeated, watched and kept. @param invalid throws JOB_INVALID */
export function readCallOptions({ retry = {}, cache, idle, timeout }: JobCallOptions, invalid: Invalid): CallSettings {
  if (typeof retry !== 'object' || retry === null) invalid('retry', 'is no object')
  const { attempts = ATTEMPTS, backoff = BACKOFF } = retry
  if (!Number.isSafeInteger(attempts) || attempts < 1 || attempts > 100)
    invalid('retry.attempts', `${attempts} must be a whole number from 1 to 100`)
  if (!KINDS.includes(backoff?.kind)) invalid('retry.backoff', 'is none: fullJitter(), exponential(), fixed(), steps()')
  const limits = {
    idle: duration('idle', idle ?? IDLE, invalid),
    most: duration('timeout', timeout ?? TIMEOUT, invalid),
  }
  if (cache !== undefined && (typeof cache !== 'object' || cache === null)) invalid('cache', 'is no object')
  const cacheTtl = cache === undefined ? undefined : duration('cache.ttl', cache.ttl, invalid)
  return { retry: { attempts, backoff, wait: WAIT_MS }, limits, cacheTtl }
}

/** In ms, above 0. */
export function duration(field: string, given: string | number, invalid: Invalid): number {
  let ms: number
  try {
    ms = parseDuration(given)
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
    return invalid(field, `${JSON.stringify(given)} is no duration: write it like 10m`)
  }
  return ms > 0 ? ms : invalid(field, 'must be above 0')
}
