import type { EngineStats } from '../../cep/engine/advance.js'
import type { Match } from '../../cep/engine/match.js'
import { RuleAtWork } from '../../cep/rule/rule-at-work.js'
import { isAhead } from '../../cep/rule/rule-input.js'
import type { Rule } from '../../cep/rule/rule.js'
import { messageOf, isFault } from '../../error/millrace-error.js'
import type { Event, EventDraft } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { parseTime } from '../../event/rfc3339.js'
import { POSITION_ATTRIBUTES } from '../../replay/event-line.js'
import { parseEventLine, type LineRejection } from '../input/event-line.js'
import type { InputLine } from '../input/lines.js'

/** A match, and the event that the rule makes of it, or why it cannot. */
export interface RuleMatch {
  readonly match: Match
  readonly emitted: { readonly event: EventDraft } | { readonly problem: string }
}

/** To where event time passes in the end, in ms: to a time, or so long after the last event. */
export type RunEnd = { readonly kind: 'time'; readonly time: number } | { readonly kind: 'after'; readonly ms: number }

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
  readonly #work: RuleAtWork
  readonly #types: ReadonlySet<string>
  #events = 0
  #ahead = 0
  #newest = -Infinity

  constructor(options: RuleLinesOptions) {
    this.#options = options
    this.#work = new RuleAtWork(options.rule)
    this.#types = new Set(options.rule.eventTypes)
  }

  /** Lines that are events, of whatever type. */
  get events(): number {
    return this.#events
  }

  get withoutKey(): number {
    return this.#work.withoutKey
  }

  /** Events dated too far after they were stored: dead letters, if it ran on a stream. */
  get ahead(): number {
    return this.#ahead
  }

  /** Whether time that passes after the last line would bring something. */
  get waits(): boolean {
    return this.#work.due < Infinity
  }

  get stats(): EngineStats {
    return this.#work.stats()
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
    const event = { ...current, stream: rule.on, sequence: line.number, storedAt: storedAt(current) }
    if (isAhead(event)) this.#ahead += 1
    else this.#newest = Math.max(this.#newest, current.time)
    for (const { matches } of this.#work.take(event)) this.#note(matches)
  }

  /** No more lines: events that wait for late ones are let through, and what ends until then, ends, each at its time. */
  end(until?: RunEnd): void {
    if (this.#newest === -Infinity) return
    this.#note(this.#work.passTime(this.#newest).matches)
    if (until === undefined) return
    const time = until.kind === 'time' ? until.time : this.#newest + until.ms
    const { engine } = this.#work
    while (engine.due <= time) this.#note(this.#work.passTime(engine.due).matches)
  }

  #note(matches: readonly Match[]): void {
    for (const match of matches) this.#options.onMatch({ match, emitted: this.#emit(match) })
  }

  #emit(match: Match): RuleMatch['emitted'] {
    const { rule, registry } = this.#options
    try {
      const draft = rule.emit(match)
      const contract = registry.get(draft.type)
      if (contract === undefined) return { problem: `${draft.type} has no contract` }
      const checked = contract.check(draft.data, contract.version)
      if (!checked.ok) return { problem: checked.detail }
      return { event: { ...draft, data: checked.data, key: draft.key ?? contract.keyOf(checked.data) } }
    } catch (error) {
      if (isFault(error)) return { problem: error.detail }
      return { problem: messageOf(error) }
    }
  }
}

/** When the event of a line was stored, for a line that a replay wrote; else its own time, so that it is never ahead. */
function storedAt({ attributes, time }: Event): number {
  return parseTime(attributes[POSITION_ATTRIBUTES.storedAt] ?? '') ?? time
}
