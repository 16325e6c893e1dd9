import { isFault, type MillraceError } from '../error/millrace-error.js'
import { delayOf } from './backoff.js'
import { delayAskedBy, type FinalPolicy, type RecoveryPolicy } from './recovery.js'

/** What becomes of an event after an attempt that failed. */
export type RecoveryDecision =
  | { readonly kind: 'now' }
  /** @property at in ms since the Unix epoch */
  | { readonly kind: 'later'; readonly at: number }
  | { readonly kind: 'dead-letter'; readonly reason: 'refused' | 'exhausted' | 'policy' }
  | { readonly kind: 'park' }
  | { readonly kind: 'crash' }

export interface FailedAttempt {
  /** Which one it was, from 1. */
  readonly attempt: number
  readonly error: unknown
  /** From 0 to below 1. */
  readonly chance: () => number
  /** In ms since the Unix epoch. */
  readonly now: number
}

/** A delay that is shorter is none: storing and fetching it takes as long. */
const SHORTEST_MS = 5
/** Nobody waits longer, whatever was asked for. */
const LONGEST_MS = 366 * 24 * 60 * 60 * 1_000

/**
 * Decides, from its arguments alone. An error that can never go away (the catalogue’s disposition, or `permanent`) is
 * not repeated, whatever the policy allows; one that the catalogue has stop the process ends the handler; any other,
 * known or not, is repeated as long as there are attempts.
 */
export function decideRecovery(policy: RecoveryPolicy, failed: FailedAttempt): RecoveryDecision {
  const { attempt, error, chance, now } = failed
  const last = policy.kind === 'retry' ? policy.last : policy
  const disposition = isFault(error) ? dispositionOf(error) : 'retry'
  if (disposition === 'crash') return { kind: 'crash' }
  if (policy.kind !== 'retry') return ending(last, 'policy')
  if (disposition === 'dead-letter') return ending(last, 'refused')
  if (attempt >= policy.attempts) return ending(last, 'exhausted')
  const asked = delayAskedBy(error) ?? policy.retryAfter?.(error)
  if (asked === undefined && attempt <= policy.immediate) return { kind: 'now' }
  const delay = Math.min(LONGEST_MS, asked ?? delayOf(policy.backoff, attempt - policy.immediate, chance))
  return delay < SHORTEST_MS ? { kind: 'now' } : { kind: 'later', at: now + Math.ceil(delay) }
}

/** A request that was refused changed nothing, and may be granted another time. */
function dispositionOf({ disposition }: MillraceError): 'retry' | 'dead-letter' | 'crash' {
  return disposition === 'reject' ? 'retry' : disposition
}

function ending(last: FinalPolicy, reason: 'refused' | 'exhausted' | 'policy'): RecoveryDecision {
  return last.kind === 'dead-letter' ? { kind: 'dead-letter', reason } : last
}
