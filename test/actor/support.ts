// What tests of aggregates share: contracts of events, and messages as sources of records.
import { z } from 'zod'
import { encodeRecord, type CommandEffect, type RecordToWrite } from '../../src/actor/encode-record.ts'
import type { RecordSource } from '../../src/actor/record.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import type { WireMessage } from '../../src/event/wire.ts'

export { freshStream, sharedConnection } from '../support/broker.ts'
export { readAll } from '../support/events.ts'

export const Deposited = defineEvent('account.deposited', {
  data: z.object({ amount: z.number() }),
  key: () => 'of the contract',
})
export const Noted = defineEvent('account.noted', {
  version: 2,
  upcasters: { 1: (text) => ({ text }) },
  data: z.object({ text: z.unknown() }),
})
export const registry = createRegistry([Deposited, Noted])

/** A wire message as it is found in the stream. */
export function sourceOf({ headers, data }: Pick<WireMessage, 'headers' | 'data'>, sequence = 9): RecordSource {
  const byName = new Map(headers)
  return { sequence, storedAt: 1_700_000_000_000, data, header: (name) => byName.get(name) }
}

export function effect(
  commandId: string,
  events: CommandEffect['events'],
  more: Partial<CommandEffect> = {},
): CommandEffect {
  return { commandId, sequence: 3, time: 1_700_000_000_123, events, ...more }
}

export function recordOf(more: Partial<RecordToWrite> = {}) {
  return encodeRecord({
    type: 'account',
    id: '42',
    before: 0,
    effects: [],
    root: 'accounts',
    maxPayload: 1_048_576,
    ...more,
  })
}
