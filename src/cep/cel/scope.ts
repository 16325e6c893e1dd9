import type { DataKind } from '../../event/contract-kinds.js'
import type { Slots } from './slots.js'

/** A stage as an expression sees it. */
export interface StageScope {
  /** It may hold several events, so that only aggregates over it have a meaning. */
  readonly many: boolean
  /** It is the stage whose condition this is: its aggregates are over what it has taken so far. */
  readonly own: boolean
}

/** What the names in an expression mean. */
export interface Scope {
  /** Variables: data, type, id, time, key, or some of them. */
  readonly variables: readonly string[]
  readonly stages: ReadonlyMap<string, StageScope>
  readonly slots: Slots
  /** Says what is wrong with a dotted path such as `data.amount` of the current event (null) or of a stage's events. */
  readonly fieldProblem: (stage: string | null, path: string) => string | undefined
  /** What can be at such a path, where the contracts tell. */
  readonly kindsOf?: (stage: string | null, path: string) => ReadonlySet<DataKind> | undefined
  /** Names of what was computed for a match, and what each can be; undefined: anything. */
  readonly valueKinds?: ReadonlyMap<string, ReadonlySet<DataKind> | undefined>
}

/** What an expression may ask of an event of a stage. */
export const EVENT_FIELDS: readonly string[] = ['data', 'type', 'id', 'time', 'source', 'version']
