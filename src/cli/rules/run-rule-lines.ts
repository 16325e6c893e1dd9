import { createEngine } from '../../cep/engine/engine.js'
import type { EngineStats } from '../../cep/engine/advance.js'
import type { Match } from '../../cep/engine/match.js'
import { ruleInput } from '../../cep/rule/rule-input.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { Event } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { parseTime } from '../../event/rfc3339.js'
import { emitted, type Emitted } from '../../replay/backtest/emitted.js'
import { POSITION_ATTRIBUTES } from '../../replay/event-line.js'
import { parseEventLine, type LineRejection } from '../input/event-line.js'
import type { InputLine } from '../input/lines.js'

/** A match, and the event that the rule makes of it, or why it cannot. */
export interface RuleMatch {
  readonly match: Match
  readonly emitted: Emitted
}

export interface RuleLinesOptions {
  readonly rule: Rule
  readonly registry: Registry
  /** In ms since the Unix epoch: the time of events that have none. */
  readonly now: number
  readonly onMatch: (match: RuleMatch) => void
  readonly onRejected: (line: number, why: Omit<LineRejection, 'kind'>) => void
}

/** A rule at work over lines, in their order, without a server. The sequence of an event is the number of its line. */
export class RuleOverLines {
  readonly #options: RuleLinesOptions
  readonly #engine
  readonly #types: ReadonlySet<string>
  #events = 0
  #withoutKey = 0
  #ahead = 0
  #newest = -Infinity

  constructor(options: RuleLinesOptions) {
    this.#options = options
    this.#engine = createEngine(options.rule.executable)
    this.#types = new Set(options.rule.eventTypes)
  }

  /** Lines that are events, of whatever type. */
  get events(): number {
    return this.#events
  }

  get withoutKey(): number {
    return this.#withoutKey
  }

  /** Events dated too far after they were stored: dead letters, if it ran on a stream. */
  get ahead(): number {
    return this.#ahead
  }

  get stats(): EngineStats {
    return this.#engine.stats()
  }

  take(line: InputLine): void {
    const { rule, registry, now, onRejected } = this.#options
    if (line.kind === 'broken')
      return onRejected(line.number, { code: 'INPUT_LINE_INVALID', detail: line.problem, issues: [] })
    const parsed = parseEventLine(line.text, registry, {
      id: () => String(line.number),
      source: '/millrace/rules',
      time: now,
    })
    if (parsed.kind === 'rejected') return onRejected(line.number, parsed)
    this.#events += 1
    const { current } = parsed
    if (!this.#types.has(current.type)) return
    const read = ruleInput(rule, { ...current, stream: rule.on, sequence: line.number, storedAt: storedAt(current) })
    if (read.kind === 'ahead') {
      this.#ahead += 1
      return
    }
    if (read.keyless) this.#withoutKey += 1
    this.#newest = Math.max(this.#newest, current.time)
    this.#note(this.#engine.advance(read.input).matches)
  }

  /** No more lines: events that wait for late ones are let through. */
  end(): void {
    if (this.#newest > -Infinity) this.#note(this.#engine.advance({ kind: 'time', time: this.#newest }).matches)
  }

  #note(matches: readonly Match[]): void {
    const { rule, registry } = this.#options
    for (const match of matches) this.#options.onMatch({ match, emitted: emitted(rule, registry, match) })
  }
}

/** When the event of a line was stored, for a line that a replay wrote; else its own time, so that it is never ahead. */
function storedAt({ attributes, time }: Event): number {
  return parseTime(attributes[POSITION_ATTRIBUTES.storedAt] ?? '') ?? time
}
