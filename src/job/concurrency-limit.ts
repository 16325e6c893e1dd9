/** How many calls there may be at a time, and how that changes. */
export interface ConcurrencyRules {
  readonly least: number
  readonly most: number
  /** What is left of the limit after a bad sign, from 0 to 1. */
  readonly cut: number
}

/** A value: changes make another. Times in ms, of one clock. */
export interface ConcurrencyLimit {
  /** Its whole part counts. */
  readonly limit: number
  /** Answers to calls that began before are no news any more. */
  readonly cutAt: number
  /** Within a minute it at most doubles: sharp ramps are answered with 429. */
  readonly ramp: { readonly from: number; readonly limit: number }
}

export const DEFAULT_CONCURRENCY: ConcurrencyRules = Object.freeze({ least: 1, most: 256, cut: 0.7 })

const MINUTE_MS = 60_000
/** Before anything is known of what a provider bears. */
export const MOST_AT_START = 8

/** @param outputTokens per minute @param maxTokens of a call */
export function startingLimit(outputTokens: number, maxTokens: number, now: number): ConcurrencyLimit {
  const limit = Math.max(1, Math.min(MOST_AT_START, Math.floor(outputTokens / (60 * maxTokens))))
  return { limit, cutAt: Number.NEGATIVE_INFINITY, ramp: { from: now, limit } }
}

/**
 * A call has ended well.
 * @param full whether as many were running as the limit allows when it began; else nothing was learnt, and the limit stays
 */
export function afterSuccess(
  state: ConcurrencyLimit,
  rules: ConcurrencyRules,
  { full, now }: { readonly full: boolean; readonly now: number },
): ConcurrencyLimit {
  if (!full) return state
  const ramp = now - state.ramp.from >= MINUTE_MS ? { from: now, limit: state.limit } : state.ramp
  const limit = Math.max(state.limit, Math.min(rules.most, 2 * ramp.limit, state.limit + 1 / state.limit))
  return { ...state, limit, ramp }
}

/**
 * A bad sign: too many requests, overloaded, a timeout. One of those that were on their way together cuts, the others say the same.
 * @param begunAt when the call began
 */
export function afterCongestion(
  state: ConcurrencyLimit,
  rules: ConcurrencyRules,
  { begunAt, now }: { readonly begunAt: number; readonly now: number },
): ConcurrencyLimit {
  if (begunAt < state.cutAt) return state
  const limit = Math.max(rules.least, state.limit * rules.cut)
  return { limit, cutAt: now, ramp: { from: now, limit } }
}

/** How many may run. */
export function placesOf({ limit }: ConcurrencyLimit): number {
  return Math.floor(limit)
}
