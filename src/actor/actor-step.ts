import type { CommandDraft } from './define-command.js'

/** What the work of a step is given beside its input. */
export interface ActorStepContext {
  /** The same in every attempt, also after a crash: pass it to what you call, so that it acts once. */
  readonly idempotencyKey: string
  /** Fires at the timeout, and when the process stops. */
  readonly signal: AbortSignal
}

/** How a step ended that did not succeed. */
export interface ActorStepFailure {
  readonly name: string
  readonly message: string
}

/** Asynchronous work of an actor: what it does, and which command its result becomes. */
export interface ActorStep<Input = unknown, Result = unknown> {
  /** Done at least once: it may have acted before a crash, so pass on the idempotency key. Its result is kept as JSON. */
  readonly run: (input: Input, context: ActorStepContext) => Promise<Result>
  /** The command, of the same aggregate, that the result becomes. Pure. */
  readonly done: (result: Result, input: Input, id: string) => CommandDraft
  /** The command that a failure of the last attempt becomes. Pure. */
  readonly failed: (error: ActorStepFailure, input: Input, id: string) => CommandDraft
  /** Of one attempt: `30s` or ms. Default 30 s. */
  readonly timeout?: string | number
  /** Default 5. */
  readonly attempts?: number
}

// oxlint-disable-next-line typescript/no-explicit-any -- steps of any inputs and results
export type ActorSteps = Readonly<Record<string, ActorStep<any, any>>>

/**
 * Declares a step, with the types of its input and result inferred from `run`.
 *
 * @example
 * steps: {
 *   charge: actorStep({
 *     run: async (input: { amount: number }, { idempotencyKey }) => charge(input.amount, idempotencyKey),
 *     done: (receipt, input, id) => ConfirmPayment({ orderId: id, receipt: receipt.id }),
 *     failed: (error, input, id) => CancelOrder({ orderId: id, reason: error.message }),
 *   }),
 * }
 */
export function actorStep<Input, Result>(step: ActorStep<Input, Result>): ActorStep<Input, Result> {
  return step
}
