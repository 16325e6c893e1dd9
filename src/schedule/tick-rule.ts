// When a schedule is due: nominal times, in ms since the Unix epoch. Pure.
//
// Invariants (tests cite them):
//   SC6  Times of day are due once a day, steps follow elapsed time, whatever the clocks of a zone do.
import { cronCalendar } from './cron.js'

export type TickRule =
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  /** At `anchor` and every `every` ms before and after it: a restart shifts nothing. */
  | { readonly kind: 'every'; readonly every: number; readonly anchor: number }
  | { readonly kind: 'at'; readonly at: number }

/** The first nominal time after `after`; undefined: there is none. */
export function nextTick(rule: TickRule, after: number): number | undefined {
  switch (rule.kind) {
    case 'cron':
      return cronCalendar(rule.cron, rule.timeZone).next(after)
    case 'every': {
      const { every, anchor } = rule
      return anchor + (Math.floor((after - anchor) / every) + 1) * every
    }
    case 'at':
      return rule.at > after ? rule.at : undefined
  }
}

/** Up to so many ticks that were passed over are counted one by one. */
export const MOST_COUNTED = 1_000

/** How many nominal times are after `after` and not after `until`; more than MOST_COUNTED may be told as that. */
export function countTicks(rule: TickRule, after: number, until: number): number {
  if (until <= after) return 0
  if (rule.kind === 'every') {
    const { every, anchor } = rule
    return Math.floor((until - anchor) / every) - Math.floor((after - anchor) / every)
  }
  return ticksIn(rule, after, until, MOST_COUNTED).length
}

/** The last of the nominal times after `after` and not after `until`, in order: `most` of them, or all. */
export function lastTicks(rule: TickRule, after: number, until: number, most: number): readonly number[] {
  if (until <= after || most <= 0) return []
  // a calendar is asked forward only, over more and more of the past: after a year of silence too it is asked a few times `most`
  for (let reach = FIRST_REACH_MS * most; ; reach *= 4) {
    const from = Math.max(after, until - reach)
    const found = ticksIn(rule, from, until, Number.POSITIVE_INFINITY)
    if (found.length >= most || from === after) return found.slice(-most)
  }
}

const FIRST_REACH_MS = 1_000

function ticksIn(rule: TickRule, after: number, until: number, most: number): number[] {
  const found: number[] = []
  for (let at = nextTick(rule, after); at !== undefined && at <= until; at = nextTick(rule, at)) {
    found.push(at)
    if (found.length >= most) break
  }
  return found
}

/** The rule as text, which is another one when the rule is. */
export function ruleText(rule: TickRule): string {
  switch (rule.kind) {
    case 'cron':
      return `cron ${rule.cron} ${rule.timeZone}`
    case 'every':
      return `every ${rule.every} ${rule.anchor}`
    case 'at':
      return `at ${rule.at}`
  }
}
