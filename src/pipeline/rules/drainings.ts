import { RuleAtWork, type RuleState } from '../../cep/rule/rule-at-work.js'
import type { Advance } from '../../cep/engine/advance.js'
import type { Match } from '../../cep/engine/match.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Findings } from './findings.js'
import { readRule } from './read-rule.js'
import type { Draining, RuleEntry, RulesState } from './rule-entry.js'
import type { WorkingRulesOptions } from './working-rules.js'

/** Former revisions of one rule that may go on at once, for each costs as much as the rule. The oldest makes room. */
export const MOST_DRAINING = 4

interface Ending {
  readonly about: Draining
  readonly work: RuleAtWork
}

/**
 * Former revisions of rules, which go on with what they have begun. A match counts when an event of it came before the
 * change; one that has begun later is the new revision’s. It ends when its state depends on no event from before.
 */
export class Drainings {
  readonly #options: WorkingRulesOptions
  #endings: Ending[] = []

  constructor(options: WorkingRulesOptions, stored: RulesState['draining']) {
    this.#options = options
    for (const { state, ...about } of stored) {
      const ending = this.#restore(about, state)
      if (ending !== undefined) this.#endings.push(ending)
    }
  }

  get about(): readonly Draining[] {
    return this.#endings.map(({ about }) => about)
  }

  /** Types of events that they read. */
  get types(): readonly string[] {
    return this.#endings.flatMap(({ work }) => work.rule.eventTypes)
  }

  get due(): number {
    return this.#endings.reduce((due, { work }) => Math.min(due, work.due), Number.POSITIVE_INFINITY)
  }

  /** @param after the last event with which the rule could begin something */
  begin(entry: RuleEntry, state: RuleState, after: number): void {
    const { name, revision, text, version, rule } = entry
    if (rule === null || revision === null || text === null) return
    const work = new RuleAtWork(rule, state)
    // of events that wait for late ones the clock is behind: they, too, came before the change
    const reached = Math.max(work.stats().clock ?? 0, work.reached[0])
    if (isOver(work, reached)) return
    this.#endings.push({ about: { name, revision, text, version, since: after, reached }, work })
    const own = this.#endings.filter(({ about }) => about.name === name)
    const [oldest] = own
    if (own.length > MOST_DRAINING && oldest !== undefined) this.#cut(oldest)
  }

  /** Drops what is there of a rule. */
  end(name: string): void {
    for (const ending of this.#endings) if (ending.about.name === name) this.#cut(ending)
  }

  #cut(ending: Ending): void {
    const { partialMatches, waiting } = ending.work.stats()
    this.#options.remarks.drainCut(ending.about, partialMatches + waiting)
    this.#endings = this.#endings.filter((other) => other !== ending)
  }

  /** @returns whether one has failed, and is no more */
  take(event: StoredEvent, findings: Findings): boolean {
    const before = this.#endings.length
    if (before === 0) return false
    this.#endings = this.#endings.filter(
      (ending) =>
        !ending.work.rule.eventTypes.includes(event.type) ||
        this.#goesOn(ending, findings, () => ending.work.take(event)),
    )
    return this.#endings.length < before
  }

  /** @returns whether one has come to its end */
  passStored(storedAt: number, findings: Findings): boolean {
    const before = this.#endings.length
    if (before === 0) return false
    this.#endings = this.#endings.filter((ending) =>
      this.#goesOn(ending, findings, (ended) => ending.work.passStored(storedAt, ended)),
    )
    for (const { about, work } of this.#endings) if (isOver(work, about.reached)) this.#options.remarks.drained(about)
    this.#endings = this.#endings.filter(({ about, work }) => !isOver(work, about.reached))
    return this.#endings.length < before
  }

  state(): RulesState['draining'] {
    return this.#endings.map(({ about, work }) => ({ ...about, state: work.state() }))
  }

  /** @returns whether it has not failed */
  #goesOn({ about, work }: Ending, findings: Findings, run: (ended: Advance[]) => readonly Advance[]): boolean {
    const ended: Advance[] = []
    let failure: { readonly error: unknown } | undefined
    let advances: readonly Advance[] = ended
    try {
      advances = run(ended)
    } catch (error) {
      failure = { error }
    }
    tell(about, work, advances, findings)
    if (failure === undefined) return true
    findings.failed(about.name, failure.error)
    this.#options.remarks.drainFailed(about, messageOf(failure.error))
    return false
  }

  #restore(about: Draining, state: RuleState): Ending | undefined {
    const read = readRule(about.name, about.text, this.#options.registry)
    try {
      if (read.kind === 'rule' && read.version === about.version)
        return { about, work: new RuleAtWork(read.rule, state) }
    } catch (error) {
      if (!isFault(error, 'SNAPSHOT_MISMATCH')) throw error
    }
    this.#options.remarks.drainCut(about, undefined)
    return undefined
  }
}

/** With lateness, the first event by time need not be the first that came. */
function hasEventUpTo({ events, first }: Match, sequence: number): boolean {
  return first.sequence <= sequence || events.some((event) => event.sequence <= sequence)
}

function isOver(work: RuleAtWork, reached: number): boolean {
  // what a detector finds is of one event: from before the change, only a silence that it waits for can still be one
  if (work.rule.kind === 'detect' && work.engine.due === Number.POSITIVE_INFINITY) return true
  const { horizon } = work.stats()
  return horizon === undefined || horizon > reached
}

function tell(about: Draining, { rule }: RuleAtWork, advances: readonly Advance[], { match: onMatch }: Findings): void {
  for (const { matches } of advances)
    for (const match of matches) if (hasEventUpTo(match, about.since)) onMatch(rule, match, about.revision)
}
