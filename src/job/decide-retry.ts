import { delayOf, type Backoff } from '../delivery/backoff.js'
import type { FailureClass } from './classify-failure.js'

/** How often and how late a call is repeated. Times in ms. */
export interface CallRetry {
  /** All attempts that count, the first among them. */
  readonly attempts: number
  readonly backoff: Backoff
  /** How long a `wait` lasts of which the provider does not say how long. */
  readonly wait: number
}

export interface FailedCall {
  readonly failure: FailureClass
  /** Attempts that counted, this one among them. */
  readonly attempts: number
  /** How often the provider has told this one to wait before. Default 0. */
  readonly waits?: number
  /** How long the provider asks to wait, in ms. */
  readonly retryAfter: number | undefined
  /** In ms since the Unix epoch; undefined: none. */
  readonly deadline: number | undefined
  readonly now: number
  /** From 0 to below 1. */
  readonly chance: () => number
}

/** What becomes of a job after a call that failed. `at`: in ms since the Unix epoch. */
export type RetryDecision =
  | { readonly kind: 'again'; readonly at: number; readonly counts: boolean }
  | { readonly kind: 'dead-letter'; readonly reason: 'never' | 'exhausted' | 'deadline' }
  /** It waits for a human. */
  | { readonly kind: 'park'; readonly what: 'credential' | 'lane' }

/**
 * Decides, from its arguments alone. What the provider asks for is the floor of any wait; jitter comes on top of it where all were
 * told the same, so that they do not come back in the same moment.
 */
export function decideRetry(policy: CallRetry, failed: FailedCall): RetryDecision {
  const { failure, attempts, waits = 0, retryAfter = 0, deadline, now, chance } = failed
  switch (failure.kind) {
    case 'never':
      return { kind: 'dead-letter', reason: 'never' }
    case 'credential':
      return { kind: 'park', what: 'credential' }
    case 'spend':
      return { kind: 'park', what: 'lane' }
    case 'wait':
    case 'retry': {
      const counts = failure.kind === 'retry'
      if (counts && attempts >= policy.attempts) return { kind: 'dead-letter', reason: 'exhausted' }
      const jitter = delayOf(policy.backoff, Math.max(1, counts ? attempts : attempts + waits), chance)
      const floor = retryAfter > 0 ? retryAfter : policy.wait
      const wait = counts ? Math.max(retryAfter, jitter) : floor + jitter
      const at = Math.ceil(now + wait)
      if (deadline !== undefined && at > deadline) return { kind: 'dead-letter', reason: 'deadline' }
      return { kind: 'again', at, counts }
    }
  }
}
