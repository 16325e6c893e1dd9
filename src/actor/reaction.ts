import { fault } from '../error/millrace-error.js'
import type { EventContract, EventOf } from '../event/contract.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { CommandDraft } from './define-command.js'

/** What a reaction makes of an event: a command of its actor, several, or none. */
export type Reacted<Draft extends EventDraft = CommandDraft> = Draft | readonly Draft[] | undefined

/** What an actor does at an event of another aggregate. */
export interface Reaction<Draft extends EventDraft = CommandDraft> {
  readonly contract: EventContract
  /** Name of the stream that the event is read from. */
  readonly stream: string
  readonly react: (event: StoredEvent) => Reacted<Draft>
}

/**
 * Takes an event of another aggregate and makes commands of the actor of it: a process manager or a saga is an actor with
 * reactions. The function is pure, as it may run again for the same event; the command that it makes has the same id
 * then and therefore one effect. What depends on state belongs into decide.
 *
 * @param contract of the event
 * @param from the stream that it is read from
 *
 * @example
 * reactions: [on(PaymentCaptured, { stream: 'PAYMENTS' }, ({ data }) => ConfirmOrder({ orderId: data.orderId }))]
 * @throws ACTOR_INVALID
 */
export function on<Contract extends EventContract, Draft extends CommandDraft>(
  contract: Contract,
  from: { readonly stream: string },
  react: (event: EventOf<Contract> & StoredEvent) => Draft | readonly Draft[] | undefined,
): Reaction<Draft> {
  if (typeof contract !== 'function' || typeof contract.type !== 'string')
    throw fault('ACTOR_INVALID', 'on: its first argument is no contract')
  if (typeof from?.stream !== 'string' || from.stream === '')
    throw fault('ACTOR_INVALID', `on(${contract.type}): name the stream that it is read from: { stream: 'PAYMENTS' }`)
  if (typeof react !== 'function') throw fault('ACTOR_INVALID', `on(${contract.type}): the function is missing`)
  return Object.freeze({ contract, stream: from.stream, react: react as unknown as Reaction<Draft>['react'] })
}
