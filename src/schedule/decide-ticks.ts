// What becomes of ticks that are due. Pure.
//
// Invariants (tests cite them):
//   SC3  Ticks that nobody ran in time are made up for as the schedule says, and never more of them than it says.
import { countTicks, lastTicks, type TickRule } from './tick-rule.js'

/**
 * Ticks that nobody ran in time: `skip` leaves them out, `once` has the latest of them, `all` has each, in order, of very
 * many the latest `most`.
 */
export type MissedPolicy = 'skip' | 'once' | { readonly all: { readonly most: number } }

/** A tick to run. */
export interface DueTick {
  /** When it was due, in ms since the Unix epoch. */
  readonly nominal: number
  /** How many before it are passed over with it. */
  readonly missed: number
}

export interface TickDecision {
  readonly run: readonly DueTick[]
  /** Where the schedule is when nothing is run: ticks up to there are passed over. Undefined: it stays where it is. */
  readonly passTo?: number
  /** How many are passed over without a tick that tells it. */
  readonly passed: number
}

/** A tick that comes this much too late is missed, unless the next one is due before; in ms. */
export const LATE_MS = 60_000

/**
 * @param after everything up to there is decided
 * @param now in ms since the Unix epoch
 */
export function decideTicks(rule: TickRule, policy: MissedPolicy, after: number, now: number): TickDecision {
  const most = typeof policy === 'object' ? policy.all.most : 1
  const ticks = lastTicks(rule, after, now, most)
  const [first, last] = [ticks[0], ticks.at(-1)]
  if (first === undefined || last === undefined) return { run: [], passed: 0 }
  // the latest is late, and not missed, as long as it is not overtaken and not a minute old: who takes over needs seconds
  if (policy === 'skip' && now - last > LATE_MS) return { run: [], passTo: last, passed: countTicks(rule, after, last) }
  const missed = countTicks(rule, after, first) - 1
  return { run: ticks.map((nominal, at) => ({ nominal, missed: at === 0 ? Math.max(0, missed) : 0 })), passed: 0 }
}
