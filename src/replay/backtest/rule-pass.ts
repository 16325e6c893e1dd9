import type { Advance, EngineStats } from '../../cep/engine/advance.js'
import type { Match } from '../../cep/engine/match.js'
import type { Trace } from '../../cep/engine/partial.js'
import { RuleAtWork } from '../../cep/rule/rule-at-work.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { StoredEvent } from '../../event/event.js'

export interface PassCounters {
  /** Events that were dated too far after they were stored. */
  readonly ahead: number
  readonly withoutKey: number
  readonly evaluationErrors: number
  /** What bounds dropped, by name; empty when nothing was. */
  readonly dropped: Readonly<Record<string, number>>
}

/** One rule at work over history, as it is at work live. */
export class RulePass {
  readonly rule: Rule
  readonly #work: RuleAtWork
  readonly #types: ReadonlySet<string>
  readonly #onMatch: (match: Match) => void
  #isCounting = false
  #before: PassCounters = { ahead: 0, withoutKey: 0, evaluationErrors: 0, dropped: {} }
  /** Matches of what was read before the range. */
  before = 0
  readonly counts = { matches: 0, timeouts: 0, late: 0 }

  constructor(rule: Rule, onMatch: (match: Match) => void, trace?: Trace) {
    this.rule = rule
    this.#work = new RuleAtWork(rule, undefined, trace)
    this.#types = new Set(rule.eventTypes)
    this.#onMatch = onMatch
  }

  reads(type: string): boolean {
    return this.#types.has(type)
  }

  take(event: StoredEvent): void {
    if (!this.#types.has(event.type)) return
    for (const advance of this.#work.take(event)) this.#note(advance)
  }

  /** The stream's own time has come to this, in ms. */
  passStored(storedAt: number): void {
    for (const advance of this.#work.passStored(storedAt)) this.#note(advance)
  }

  /** From now on, what is found is counted. */
  count(): void {
    this.#isCounting = true
    this.#before = this.#counters()
  }

  /** What it counts, of the range alone. */
  get counters(): PassCounters {
    const now = this.#counters()
    const before = this.#before
    const dropped = Object.entries(now.dropped).map(
      ([name, times]) => [name, times - (before.dropped[name] ?? 0)] as const,
    )
    return {
      ahead: now.ahead - before.ahead,
      withoutKey: now.withoutKey - before.withoutKey,
      evaluationErrors: now.evaluationErrors - before.evaluationErrors,
      dropped: Object.fromEntries(dropped.filter(([, times]) => times > 0)),
    }
  }

  #counters(): PassCounters {
    const { ahead, withoutKey } = this.#work
    const { evaluationErrors, dropped, droppedMatches, releasedEarly } = this.#work.stats()
    return { ahead, withoutKey, evaluationErrors, dropped: { ...dropped, droppedMatches, releasedEarly } }
  }

  /** Event time, in ms, that is taken to have come when the stream's own is at `storedAt`. */
  timeAt(storedAt: number): number {
    const [time, since] = this.#work.state().reached ?? [Number.NEGATIVE_INFINITY, 0]
    return Math.max(this.#work.stats().clock ?? Number.NEGATIVE_INFINITY, time + (storedAt - since) - this.rule.idle)
  }

  get engine(): RuleAtWork['engine'] {
    return this.#work.engine
  }

  stats(): EngineStats {
    return this.#work.stats()
  }

  #note({ matches, timeouts, late }: Advance): void {
    if (!this.#isCounting) {
      this.before += matches.length
      return
    }
    this.counts.matches += matches.length
    this.counts.timeouts += timeouts.length
    this.counts.late += late.length
    for (const match of matches) this.#onMatch(match)
  }
}
