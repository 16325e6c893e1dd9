import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { Executable } from '../engine/executor.js'
import type { Match } from '../engine/match.js'

/** What to look for in one stream, with what it emits; read from a file by `parseRule`. */
export interface Rule {
  readonly name: string
  readonly description: string | undefined
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
  readonly severity: string | undefined
  /** The event's key for this rule; undefined when it has none, so that the rule passes it over. */
  keyOf(event: StoredEvent): string | undefined
  /**
   * The event that a match becomes: its data from the rule's expressions, its time the match's, caused by the match's
   * last event. `key` is undefined unless the rule names one: the contract of the event decides.
   * @throws RULE_EMIT_FAILED naming the field whose expression has no value for this match
   */
  emit(match: Match): EventDraft
}

/** What the contracts know about event types. */
export interface ContractLookup {
  /** Every known type, for suggestions. */
  readonly types?: Iterable<string>
  /** Dotted paths of an event's data, `data.amount` for instance; undefined for an unknown type. */
  get(type: string): { readonly fields: readonly string[] } | undefined
}
