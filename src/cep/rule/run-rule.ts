import type { StoredEvent } from '../../event/event.js'
import { createEngine } from '../engine/engine.js'
import type { EngineStats } from '../engine/advance.js'
import type { Match, Timeout } from '../engine/match.js'
import { ruleInput } from './rule-input.js'
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
  const engine = createEngine(rule.executable)
  const wanted = new Set(rule.eventTypes)
  const lists = {
    matches: [] as Match[],
    timeouts: [] as Timeout[],
    late: [] as StoredEvent[],
    ahead: [] as StoredEvent[],
  }
  const note = ({ matches, timeouts, late }: ReturnType<typeof engine.advance>) => {
    lists.matches.push(...matches)
    lists.timeouts.push(...timeouts)
    lists.late.push(...late)
  }
  let newest = -Infinity
  let withoutKey = 0
  for (const event of events) {
    if (!wanted.has(event.type)) continue
    const read = ruleInput(rule, event)
    if (read.kind === 'ahead') lists.ahead.push(event)
    else {
      if (read.keyless) withoutKey++
      newest = Math.max(newest, event.time)
      note(engine.advance(read.input))
    }
  }
  const end = until ?? newest
  if (end > -Infinity) note(engine.advance({ kind: 'time', time: end }))
  return { ...lists, withoutKey, stats: engine.stats() }
}
