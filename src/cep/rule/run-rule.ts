import type { EngineStats } from '../engine/advance.js'
import type { Match, Timeout } from '../engine/match.js'
import type { StoredEvent } from '../../event/event.js'
import { RuleAtWork } from './rule-at-work.js'
import { isAhead } from './rule-input.js'
import type { Rule } from './rule.js'

export interface RuleRun {
  readonly matches: readonly Match[]
  readonly timeouts: readonly Timeout[]
  readonly late: readonly StoredEvent[]
  /** Events dated too far after they were stored: dead letters, if it ran on a stream. */
  readonly ahead: readonly StoredEvent[]
  /** Events that have no key for the rule. */
  readonly withoutKey: number
  readonly stats: EngineStats
}

/**
 * Runs a rule over events in memory, in the order in which they come, and finds what it would find on a stream that
 * stored them in that order at their `storedAt`; an event of unknown storage has its own time there. `until`: time
 * passes to there after the last event, in milliseconds since the epoch, so that windows close; by default it stops at
 * the newest event, except that events which wait for late ones are let through.
 */
export function runRule(rule: Rule, events: Iterable<StoredEvent>, until?: number): RuleRun {
  const work = new RuleAtWork(rule)
  const wanted = new Set(rule.eventTypes)
  const lists = {
    matches: [] as Match[],
    timeouts: [] as Timeout[],
    late: [] as StoredEvent[],
    ahead: [] as StoredEvent[],
  }
  const note = ({ matches, timeouts, late }: ReturnType<typeof work.passTime>) => {
    lists.matches.push(...matches)
    lists.timeouts.push(...timeouts)
    lists.late.push(...late)
  }
  let newest = -Infinity
  for (const event of events) {
    if (!wanted.has(event.type)) continue
    if (isAhead(event)) lists.ahead.push(event)
    else newest = Math.max(newest, event.time)
    for (const advance of work.take(event)) note(advance)
  }
  const end = until ?? newest
  if (end > -Infinity) note(work.passTime(end))
  return { ...lists, withoutKey: work.withoutKey, stats: work.stats() }
}
