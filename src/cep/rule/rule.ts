import type { DataKind } from '../../event/contract-kinds.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { Executable } from '../engine/executor.js'
import type { Match } from '../engine/match.js'
import type { RuleTest } from './rule-test.js'

/** What a rule looks for. */
export type RuleKind = 'sequence' | 'pattern' | 'correlate' | 'aggregate' | 'detect'

/**
 * What becomes of what a rule has begun when it is changed while it works. A closed set.
 *
 * - `cut`: the new revision starts empty.
 * - `keep`: the new revision goes on with it. Both have to be of the same shape.
 * - `drain`: the old revision goes on with what it has begun, and begins nothing new; the new one starts empty beside it.
 */
export type OnChange = 'cut' | 'keep' | 'drain'

export const ON_CHANGE: readonly OnChange[] = ['cut', 'keep', 'drain']

/** Where the parts of a rule stand in its file, by the names of their fields. */
export interface RulePlaces {
  readonly file: string
  readonly fields: Readonly<Record<string, { readonly line: number; readonly column: number }>>
}

/** Makes the key of an event. */
export interface KeyOf {
  (event: StoredEvent): string | undefined
  /** What the key is made of, in a canonical form: those of one text make the same key of every event. */
  readonly text?: string
}

/** What to look for in one stream, with what it emits; read from a file by `parseRule`, or made by `defineRule`. */
export interface Rule {
  readonly name: string
  readonly description: string | undefined
  readonly kind: RuleKind
  /** False: it is checked and can be tested and run over recordings, but does not run on its stream. */
  readonly enabled: boolean
  /** What becomes of what the revision before it has begun. Default `cut`. */
  readonly onChange?: OnChange
  /** Name of the stream that it reads. */
  readonly on: string
  /** Name of the stream that its events go to. */
  readonly to: string
  /** Every event type that it reads; strict contiguity is among these. */
  readonly eventTypes: readonly string[]
  /** What runs it. */
  readonly executable: Executable
  /** How far events may be out of order, in milliseconds. */
  readonly lateness: number
  /** How long after an end in the stream's own time it is taken to have come although no event says so, in ms. */
  readonly idle: number
  /** Identifies the text: the same file has the same hash, whoever reads it. */
  readonly hash: string
  /** Type of the event that it emits. */
  readonly emits: string
  /** Every type that it emits: that, and the one of partial matches whose window closed. */
  readonly outputTypes: readonly string[]
  readonly severity: string | undefined
  readonly tests: readonly RuleTest[]
  readonly places: RulePlaces
  /** The event's key for this rule; undefined when it has none, so that the rule passes it over. */
  readonly keyOf: KeyOf
  /**
   * The event that a match becomes: its data from the rule's expressions, its time the match's, caused by the match's
   * last event. `key` is undefined unless the rule names one: the contract of the event decides.
   * @throws RULE_EMIT_FAILED naming the field whose expression has no value for this match
   */
  emit(match: Match): EventDraft
}

/** What is known of one event type. */
export interface KnownContract {
  /** Dotted paths of the data, `data.amount` for instance. */
  readonly fields: readonly string[]
  /** What can be at such a path; undefined: anything. */
  readonly kindsAt?: (path: string) => ReadonlySet<DataKind> | undefined
  /** Paths that must be there. */
  readonly required?: readonly string[]
  /** The data as a reader would have it, or what is wrong with it. */
  readonly check?: (data: unknown) => { readonly data: unknown } | { readonly problem: string }
}

/** What the contracts know about event types. */
export interface ContractLookup {
  /** Every known type, for suggestions. */
  readonly types?: Iterable<string>
  /** undefined for an unknown type. */
  get(type: string): KnownContract | undefined
}
