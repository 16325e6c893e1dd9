import type { EventContract } from '../event/contract.js'
import type { StoredEvent } from '../event/event.js'

/** What checks a state that was stored. */
export interface StateSchema {
  safeParse(
    data: unknown,
  ):
    | { readonly success: true; readonly data: unknown }
    | { readonly success: false; readonly error: { readonly issues: readonly StateIssue[] } }
}

export interface StateIssue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** The part of an actor's declaration that says what its events make of a state. */
export interface AggregateShape {
  readonly name: string
  /** Of the state's shape. */
  readonly version: number
  readonly schema?: StateSchema | undefined
  readonly events: readonly EventContract[]
  initial(id: string): unknown
  readonly migrate?: ((state: unknown, fromVersion: number) => unknown) | undefined
}

/**
 * The state after events.
 * @throws what evolve throws
 */
export type Fold = (
  aggregate: { readonly id: string; readonly version: number; readonly state: unknown },
  events: readonly StoredEvent[],
) => unknown
