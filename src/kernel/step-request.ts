import type { StepEnvironment } from './step-environment.js'

/** Work outside the log that a logic asked for: its result comes back by `settle`, and is recorded. */
export interface StepRequest {
  /** The same in every replay. */
  readonly id: string
  readonly name: string
  /** May run more than once; its result is used once. @param idempotencyKey the same in every attempt */
  readonly run: (idempotencyKey: string, signal: AbortSignal, environment?: StepEnvironment) => Promise<unknown>
  /** Longest time for one attempt, in ms. */
  readonly timeoutMs: number
  /** Attempts altogether, from 1. */
  readonly attempts: number
  /** Aborted when nobody waits for the result any more: it is not recorded then. */
  readonly signal?: AbortSignal
  /** It waits for something that may never happen: time passes meanwhile. Default false. */
  readonly lasting?: boolean
}
