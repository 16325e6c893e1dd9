import type { Executable } from '../engine/executor.js'
import type { Aggregate, BoundPolicies, Bounds, Pattern, Skip } from '../pattern/pattern.js'
import type { TypeBits } from '../pattern/type-bits.js'
import type { Condition, Graph, Step } from './graph.js'
import type { StateTable } from './state-table.js'

/** A pattern ready to run. May be shared by any number of engines. */
export interface CompiledPattern extends Executable {
  readonly pattern: Pattern
  /** Which conditions an event of a type could satisfy. */
  readonly types: TypeBits
  readonly graph: Graph
  readonly conditions: readonly Condition[]
  readonly steps: readonly Step[]
  readonly states: StateTable
  readonly within: number | null
  /** Every gap window, in ms. */
  readonly gaps: readonly number[]
  readonly skip: Skip
  readonly limits: Bounds
  readonly policies: Required<BoundPolicies>
  /** The pattern ends in a relaxed not: its match comes when a window closes. */
  readonly endsLater: boolean
  readonly aggregates: readonly Aggregate[]
  /** For each step, the aggregates that its events change. */
  readonly feeds: readonly (readonly number[])[]
}
