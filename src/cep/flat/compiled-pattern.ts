import type { Executable } from '../engine/executor.js'
import type { Aggregate, Bounds, Pattern, Skip } from '../pattern/pattern.js'
import type { StateTable } from './state-table.js'
import type { Condition, State, Step } from './state.js'

/** A pattern ready to run. May be shared by any number of engines. */
export interface CompiledPattern extends Executable {
  readonly pattern: Pattern
  /** For each type that the rule sees, the conditions that such an event could satisfy, as bits. */
  readonly types: ReadonlyMap<string, number>
  /** The bits for a type that is not named: conditions that name no type. */
  readonly anyType: number
  readonly conditions: readonly Condition[]
  readonly steps: readonly Step[]
  readonly states: StateTable
  readonly begin: State
  readonly within: number | null
  readonly skip: Skip
  readonly limits: Bounds
  /** The pattern ends in a relaxed not: its match comes when the window closes. */
  readonly endsLater: boolean
  readonly aggregates: readonly Aggregate[]
  /** For each step, the aggregates that its events change. */
  readonly feeds: readonly (readonly number[])[]
}
