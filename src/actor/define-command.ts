import type { z } from 'zod'
import { fault } from '../error/millrace-error.js'
import { defineEvent, type ContractOptions, type EventContract } from '../event/contract.js'
import type { DraftOptions } from '../event/draft.js'
import type { EventDraft } from '../event/event.js'

/** How a command is declared: as an event is, but its key, the id of the aggregate that it is for, has to be there. */
export interface CommandOptions<Schema extends z.ZodType> extends Omit<ContractOptions<Schema>, 'key'> {
  /** The id of the aggregate that the command is for. */
  readonly key: (data: z.output<Schema>) => string
}

/** What a command’s constructor makes: a request to one aggregate, whose id is its key. */
export interface CommandDraft<Type extends string = string, Data = unknown> extends EventDraft<Type, Data> {
  readonly key: string
}

/** A command type. Called with data it makes a draft for tell, request, send, setTimer and the test kit. */
// oxlint-disable-next-line typescript/no-explicit-any -- any command is a CommandContract, whatever it takes
export interface CommandContract<Type extends string = string, Data = unknown, Input = any> extends EventContract<
  Type,
  Data,
  Input
> {
  /**
   * Makes a command. Its id is what makes it have one effect: give one where the same request may be sent twice.
   * @throws EVENT_DATA_INVALID with a pointer per issue · EVENT_ENVELOPE_INVALID when an option cannot be used, or the
   *   key is empty
   */
  (data: Input, options?: DraftOptions): CommandDraft<Type, Data>
  readonly kind: 'command'
}

/**
 * Declares a command: a request to one aggregate, in the imperative. It is stored as an event is, so its data must be
 * plain JSON, and old versions of it are read by upcasters.
 *
 * @param type lower-case tokens with dots between: `order.place`
 * @throws CONTRACT_INVALID as defineEvent, and without a key
 *
 * @example
 * const PlaceOrder = defineCommand('order.place', {
 *   data: z.object({ orderId: z.string(), total: z.number().positive() }),
 *   key: (data) => data.orderId,
 * })
 */
export function defineCommand<const Type extends string, Schema extends z.ZodType>(
  type: Type,
  options: CommandOptions<Schema>,
): CommandContract<Type, z.output<Schema>, z.input<Schema>> {
  type Data = z.output<Schema>
  type Input = z.input<Schema>
  if (typeof options.key !== 'function')
    throw fault('CONTRACT_INVALID', `${type}: key is missing; it says which aggregate a command is for`)
  const contract = defineEvent(type, options)
  const make = (data: Input, draft?: DraftOptions): CommandDraft<Type, Data> => {
    const made = contract(data, draft)
    if (typeof made.key === 'string') return made as CommandDraft<Type, Data>
    throw fault(
      'EVENT_ENVELOPE_INVALID',
      `${type}: its key gives ${JSON.stringify(made.key)} in place of the id of an aggregate`,
    )
  }
  Object.defineProperty(make, 'name', { value: type })
  return Object.assign(make, { ...contract, kind: 'command' as const })
}

/** Whether a contract was made by defineCommand. */
export function isCommandContract(value: unknown): value is CommandContract {
  return typeof value === 'function' && (value as { readonly kind?: unknown }).kind === 'command'
}
