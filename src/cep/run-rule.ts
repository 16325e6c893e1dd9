import type { StoredEvent } from '../event/event.js'
import { createEngine } from './engine.js'
import type { EngineStats } from './advance.js'
import type { Match, Timeout } from './match.js'
import type { Rule } from './rule.js'

export interface RuleRun {
  readonly matches: readonly Match[]
  readonly timeouts: readonly Timeout[]
  readonly late: readonly StoredEvent[]
  /** Events that have no key for the rule. */
  readonly withoutKey: number
  readonly stats: EngineStats
}

/**
 * Runs a rule over events in memory, in the order in which they come. `until`: time passes to there after the last
 * event, in milliseconds since the epoch, so that windows close; by default it stops at the last event, except that
 * events which wait for late ones are let through.
 */
export function runRule(rule: Rule, events: Iterable<StoredEvent>, until?: number): RuleRun {
  const engine = createEngine(rule.pattern)
  const wanted = new Set(rule.eventTypes)
  const run = { matches: [] as Match[], timeouts: [] as Timeout[], late: [] as StoredEvent[], withoutKey: 0 }
  const note = ({ matches, timeouts, late }: ReturnType<typeof engine.advance>) => {
    run.matches.push(...matches)
    run.timeouts.push(...timeouts)
    run.late.push(...late)
  }
  let newest = -Infinity
  for (const event of events) {
    if (!wanted.has(event.type)) continue
    const key = rule.keyOf(event)
    if (key === undefined) run.withoutKey++
    else {
      newest = Math.max(newest, event.time)
      note(engine.advance({ kind: 'event', event, key }))
    }
  }
  const end = until ?? newest
  if (end > -Infinity) note(engine.advance({ kind: 'time', time: end }))
  return { ...run, stats: engine.stats() }
}
