import type { z } from 'zod'
import { fault } from '../error/millrace-error.js'
import { draftOf, type DraftOptions } from './draft.js'
import { fieldsOf } from './contract-fields.js'
import { jsonSchemaOf, type JsonSchema } from './contract-schema.js'
import { checkData } from './check-data.js'
import type { DataCheck } from './data-issues.js'
import type { Event, EventDraft } from './event.js'
import { upcastChain, type Upcasters } from './upcast.js'

const TYPE = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/** How an event type is declared. */
export interface ContractOptions<Schema extends z.ZodType> {
  /** Version of the data’s shape, counted from 1. Default 1. */
  readonly version?: number
  /** What the data must be. Its output is what is stored, so it must be plain JSON. */
  readonly data: Schema
  /** The unit of order that an event belongs to. Without it the event has no key. */
  readonly key?: (data: z.output<Schema>) => string
  /** CloudEvents source of the events, where it is not the publisher’s own. */
  readonly source?: string
  /** By version: brings data of that version to the next one. */
  readonly upcasters?: Upcasters
  readonly description?: string
  /** What a change to it must keep working; checked by `millrace contracts check`. Default `backward`. */
  readonly compatibility?: Compatibility
}

/**
 * What a change to a contract must keep working: new code reading what is stored (`backward`), the code that runs now
 * reading what new code writes (`forward`), both (`full`), or nothing (`none`).
 */
export type Compatibility = 'backward' | 'forward' | 'full' | 'none'

/**
 * An event type: its name, the shape of its data, and how older data is read. Called with data it makes a draft.
 * A contract is stateless and may be shared.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- any contract is an EventContract, whatever it takes
export interface EventContract<Type extends string = string, Data = unknown, Input = any> {
  /**
   * Makes an event whose identity and causes the publisher or the kernel fills in.
   * @throws EVENT_DATA_INVALID with a pointer per issue · EVENT_ENVELOPE_INVALID when an option cannot be used
   */
  (data: Input, options?: DraftOptions): EventDraft<Type, Data>
  readonly type: Type
  readonly version: number
  /** The oldest version that can still be read. */
  readonly oldest: number
  readonly schema: z.ZodType<Data>
  readonly source: string | undefined
  readonly description: string | undefined
  /** undefined: the default, `backward`. */
  readonly compatibility?: Compatibility | undefined
  /** Whether its events have a key. */
  readonly keyed?: boolean
  /** The key of an event with this data; undefined when the contract declares none. */
  keyOf(data: Data): string | undefined
  /** Narrows an event or a draft to this type. */
  is<E extends { readonly type: string }>(event: E): event is E & { readonly type: Type; readonly data: Data }
  /** Brings data of any known version to the current one and checks it. Never throws. */
  check(data: unknown, version: number): DataCheck<Data>
  /** The dotted paths of the data, such as `data.amount`; see fieldsOf. */
  fields(): readonly string[]
  jsonSchema(): JsonSchema
}

/** The event that a contract describes. */
export type EventOf<Contract> = Contract extends EventContract<infer Type, infer Data> ? Event<Type, Data> : never

/** The draft that a contract makes. */
export type DraftOf<Contract> = Contract extends EventContract<infer Type, infer Data> ? EventDraft<Type, Data> : never

/**
 * Declares an event type.
 *
 * @param type lower-case tokens of letters, digits, `_` and `-` with dots between, in the past tense:
 * `payment.authorized`. It becomes the end of the subject.
 * @throws CONTRACT_INVALID when the type, the version, the upcasters or the schema cannot be used
 *
 * @example
 * const PaymentAuthorized = defineEvent('payment.authorized', {
 *   data: z.object({ cardId: z.string(), amount: z.number() }),
 *   key: (data) => data.cardId,
 * })
 */
export function defineEvent<const Type extends string, Schema extends z.ZodType>(
  type: Type,
  options: ContractOptions<Schema>,
): EventContract<Type, z.output<Schema>, z.input<Schema>> {
  type Data = z.output<Schema>
  if (!TYPE.test(type))
    throw fault('CONTRACT_INVALID', `type ${JSON.stringify(type)}: write it like payment.authorized`)
  if (options.source === '') throw fault('CONTRACT_INVALID', `${type}: source is empty`)
  const { version = 1, source, description, key, compatibility } = options
  const schema = options.data as unknown as z.ZodType<Data>
  const chain = upcastChain(type, version, options.upcasters)
  const document = jsonSchemaOf(type, schema)
  let fields: readonly string[] | undefined

  const rules = { type, version, source, schema, chain, keyOf: (data: Data) => key?.(data) }
  const make = (data: z.input<Schema>, draft?: DraftOptions): EventDraft<Type, Data> => draftOf(rules, data, draft)
  Object.defineProperty(make, 'name', { value: type })
  return Object.assign(make, {
    type,
    version,
    oldest: chain.oldest,
    schema,
    source,
    description,
    compatibility,
    keyed: key !== undefined,
    keyOf: rules.keyOf,
    is: <E extends { readonly type: string }>(event: E): event is E & { readonly type: Type; readonly data: Data } =>
      event.type === type,
    check: (data: unknown, from: number) => checkData(rules, data, from),
    fields: () => (fields ??= fieldsOf(document)),
    jsonSchema: () => document,
  })
}
