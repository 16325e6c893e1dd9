import type { Kinds } from '../cel/check-kinds.js'
import type { StageScope } from '../cel/scope.js'
import type { Executable } from '../engine/executor.js'
import type { Match } from '../engine/match.js'
import type { Entry, RuleFile } from './rule-file.js'
import type { RuleScope } from './rule-scope.js'
import type { Rule, RuleKind } from './rule.js'

/** What every kind is given. */
export interface KindContext {
  readonly file: RuleFile
  readonly scope: RuleScope
  /** All fields of the rule. */
  readonly fields: ReadonlyMap<string, Entry>
  /** Durations in ms. */
  readonly within: number | undefined
  readonly lateness: number
  readonly grace: number
}

/** What a kind makes of its part of a rule. */
export interface RuleBody {
  readonly executable: Executable
  readonly eventTypes: readonly string[]
  /** Names whose events a match has, for expressions about a match. */
  readonly stages: ReadonlyMap<string, StageScope>
  /** Names of what is computed for a match, and what each can be. */
  readonly values: ReadonlyMap<string, Kinds>
  /** What expressions about a match know of what was computed; default: the values of the match. */
  readonly valuesOf?: (match: Match) => Readonly<Record<string, unknown>>
  /** When each event type has a key of its own; default: the rule's `key`. */
  readonly keyOf?: Rule['keyOf']
}

/** How one kind of rule is read. */
export interface KindReader {
  readonly kind: RuleKind
  /** Fields of the rule that mean something to this kind, beside those that every rule has. */
  readonly fields: readonly string[]
  /** Names of bounds. */
  readonly bounds: readonly string[]
  /** Undefined when what is wrong was noted. */
  readonly read: (entry: Entry, context: KindContext) => RuleBody | undefined
}
