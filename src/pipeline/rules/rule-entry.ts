import type { Rule } from '../../cep/rule/rule.js'
import type { RuleState } from '../../cep/rule/rule-at-work.js'

/** A rule of a processor, as it is at one place of the log. */
export interface RuleEntry {
  readonly name: string
  /** Of the bucket; null for a rule that is a part of the code. */
  readonly revision: number | null
  /** Null for a rule that is a part of the code. */
  readonly text: string | null
  /** See ruleVersion; null when it cannot be read here. */
  readonly version: string | null
  /** Null when it cannot be read here. */
  readonly rule: Rule | null
  readonly status: 'at-work' | 'paused' | 'broken'
  /** Sequence of the last event that came before it was so: it sees those after it, or none of them. */
  readonly since: number
  /** A paused rule’s state, as it was then. */
  readonly held: RuleState | null
  /** Why it cannot be read, or why a later revision was not taken. */
  readonly problem: string | null
}

/** The former revision of a rule, which goes on with what it has begun. */
export interface Draining {
  readonly name: string
  readonly revision: number
  readonly text: string
  readonly version: string | null
  /** The last event with which it could begin something. */
  readonly since: number
  /** Event time that was reached by then, in ms. */
  readonly reached: number
}

/** State of all rules of a processor as plain data. */
export interface RulesState {
  readonly format: 1
  /** The last event’s. */
  readonly sequence: number
  /** When the stream’s own time is looked at next, in ms; null: at the next event. */
  readonly nextLook: number | null
  /** What was read of the bucket. */
  readonly bucket: { readonly created: string; readonly upTo: number; readonly behind: boolean } | null
  readonly rules: readonly (Omit<RuleEntry, 'rule'> & {
    readonly counts: RuleCounts
    readonly state: RuleState | null
  })[]
  readonly draining: readonly (Draining & { readonly state: RuleState })[]
}

/** What a rule has put out under one revision. */
export interface RuleCounts {
  readonly emitted: number
  /** Matches that could not be emitted. */
  readonly failed: number
}
