import { parseDuration } from '../time/duration.js'
import { fault } from '../error/millrace-error.js'

/** How long to wait before another attempt, as a value. Times in milliseconds. */
export type Backoff =
  /** Anything between nothing and a limit that doubles: those who failed together do not come back together. */
  | { readonly kind: 'full-jitter'; readonly base: number; readonly cap: number }
  /** A limit that doubles, without chance. */
  | { readonly kind: 'exponential'; readonly base: number; readonly cap: number }
  | { readonly kind: 'fixed'; readonly delay: number }
  /** One after the other, the last one again and again; each up to `jitter` of itself longer. */
  | { readonly kind: 'steps'; readonly delays: readonly number[]; readonly jitter: number }

/**
 * A random delay from 0 up to `base * 2^(n-1)`, at most `cap`.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: the least work for the least delay.
 * @throws DURATION_INVALID, HANDLER_INVALID
 */
export function fullJitter(base: string | number, cap: string | number): Backoff {
  return Object.freeze({ kind: 'full-jitter', ...limits(base, cap) })
}

/** `base * 2^(n-1)`, at most `cap`. @throws DURATION_INVALID, HANDLER_INVALID */
export function exponential(base: string | number, cap: string | number): Backoff {
  return Object.freeze({ kind: 'exponential', ...limits(base, cap) })
}

/** Always the same. @throws DURATION_INVALID */
export function fixed(delay: string | number): Backoff {
  return Object.freeze({ kind: 'fixed', delay: parseDuration(delay) })
}

/**
 * Delays as they are listed, the last one again and again.
 * @param jitter how much longer each may be, as a part of itself: from 0 to 1
 * @throws DURATION_INVALID, HANDLER_INVALID
 */
export function steps(delays: readonly (string | number)[], jitter = 0.1): Backoff {
  if (delays.length === 0) throw fault('HANDLER_INVALID', 'backoff: no delays')
  if (!(jitter >= 0 && jitter <= 1)) throw fault('HANDLER_INVALID', `backoff: jitter ${jitter} must be from 0 to 1`)
  return Object.freeze({ kind: 'steps', delays: Object.freeze(delays.map((one) => parseDuration(one))), jitter })
}

/**
 * The delay before the nth delayed attempt, in ms.
 * @param nth from 1
 * @param chance from 0 to below 1
 */
export function delayOf(backoff: Backoff, nth: number, chance: () => number): number {
  if (backoff.kind === 'fixed') return backoff.delay
  if (backoff.kind === 'steps') {
    const delay = backoff.delays[Math.min(nth, backoff.delays.length) - 1] ?? 0
    return Math.floor(delay * (1 + chance() * backoff.jitter))
  }
  const limit = Math.min(backoff.cap, backoff.base * 2 ** Math.min(1_000, nth - 1))
  return backoff.kind === 'exponential' ? limit : Math.floor(chance() * limit)
}

function limits(base: string | number, cap: string | number): { readonly base: number; readonly cap: number } {
  const [least, most] = [parseDuration(base), parseDuration(cap)]
  if (least <= 0 || most < least)
    throw fault('HANDLER_INVALID', `backoff from ${base} to ${cap}: the first must be above 0, the second not below it`)
  return { base: least, cap: most }
}
