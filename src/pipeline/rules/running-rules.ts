import type { EngineStats } from '../../cep/engine/advance.js'
import { RuleSet, type RuleFindings } from '../../cep/rule-set/rule-set.js'
import { RuleAtWork, type RuleState } from '../../cep/rule/rule-at-work.js'
import type { Rule } from '../../cep/rule/rule.js'
import { isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { RuleEntry } from './rule-entry.js'
import type { RuleRemarks } from './rule-remarks.js'

/**
 * The rules that are at work, with their states, and those that will be: what is another in this code than in the one
 * before it begins behind what that one has worked on.
 */
export class RunningRules {
  readonly #set = new RuleSet()
  readonly #remarks: RuleRemarks
  readonly #until: number
  #later: Rule[] = []

  /** @param until sequence up to which other code has worked */
  constructor(remarks: RuleRemarks, until: number) {
    this.#remarks = remarks
    this.#until = until
  }

  get set(): Pick<RuleSet, 'stats' | 'get'> {
    return this.#set
  }

  get due(): number {
    return this.#set.due
  }

  /** Adds a rule; with a state of another shape it starts empty, which is said. */
  begin(rule: Rule, state: RuleState | undefined): void {
    try {
      this.#set.add(rule, state)
    } catch (error) {
      if (!isFault(error, 'SNAPSHOT_MISMATCH')) throw error
      this.#remarks.startsEmpty(rule.name)
      this.#set.add(rule)
    }
  }

  /** Adds a rule, empty, when what other code has worked on is over. */
  beginLater(rule: Rule): void {
    this.#later.push(rule)
  }

  /** Takes a rule out of work. @returns its state; undefined when it has none */
  end(name: string): RuleState | undefined {
    this.#later = this.#later.filter((other) => other.name !== name)
    return this.#set.remove(name)
  }

  take(event: StoredEvent): readonly RuleFindings[] {
    if (this.#later.length > 0 && event.sequence > this.#until) {
      for (const rule of this.#later) this.#set.add(rule)
      this.#later = []
    }
    return this.#set.take(event)
  }

  passStored(storedAt: number): readonly RuleFindings[] {
    return this.#set.passStored(storedAt)
  }

  /** What is dropped when a rule begins empty: what it has, or had when it was paused, begun, and events not yet looked at. */
  begun({ name, rule, held }: Pick<RuleEntry, 'name' | 'rule' | 'held'>): number {
    const stats = this.#set.stats(name) ?? (rule === null || held === null ? undefined : statsOf(rule, held))
    return stats === undefined ? 0 : stats.partialMatches + stats.waiting
  }
}

function statsOf(rule: Rule, held: RuleState): EngineStats | undefined {
  try {
    return new RuleAtWork(rule, held).stats()
  } catch (error) {
    if (!isFault(error, 'SNAPSHOT_MISMATCH')) throw error
    return undefined // of a text of another shape
  }
}
