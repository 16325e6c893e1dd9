import type { Connection } from '../broker/connection.js'
import { messagesFrom } from '../broker/messages-from.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import type { StoredMessage } from '../broker/stored-message.js'
import type { StoredEvent } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import type { Clock } from '../time/clock.js'
import { parseRecordSubject, recordFilter, recordSubjects, type RecordStream } from './aggregate-subject.js'
import { readRecord } from './read-record.js'
import { nameOf } from './read-records.js'
import { fromDelivered, type Decided } from './record.js'

/** Where a subscription begins: with the first record, with the next one, or after that of a position. */
export type SubscriptionStart = 'start' | 'now' | number

export interface SubscribeOptions {
  readonly from: SubscriptionStart
  /** Of one type of aggregates only, and of one of them only. */
  readonly type?: string | undefined
  readonly id?: string | undefined
  /** Whether it ends when nothing is waiting. Default false: it goes on with what is stored later. */
  readonly untilCaughtUp?: boolean
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined
}

/** What one decision or append has stored, or the part of it that is in one message. */
export interface SubscribedRecord {
  readonly type: string
  readonly id: string
  /** Version of the aggregate after it. */
  readonly version: number
  readonly events: readonly StoredEvent[]
  readonly decided: readonly Decided[]
  /** From here a subscription goes on after it. */
  readonly position: number
}

export interface SubscriptionPlace {
  readonly connection: Connection
  readonly clock: Clock
  readonly stream: RecordStream
  readonly registry: Registry
}

/**
 * Records in log order, as they come: none twice, none left out, whatever happens to the connection meanwhile. It ends
 * when its signal is aborted, or when who reads it stops.
 * @throws AGGREGATE_RECORD_INVALID · STREAM_NOT_FOUND, STREAM_REPLACED, BROKER_PERMISSION_DENIED: it cannot go on
 */
export async function* subscribeRecords(
  place: SubscriptionPlace,
  { from, type, id, untilCaughtUp = false, signal }: SubscribeOptions,
): AsyncGenerator<SubscribedRecord, void> {
  const { connection, clock, stream } = place
  const filter =
    type === undefined || id === undefined ? recordFilter(stream.root, type) : recordSubjects(stream, type, id)
  const first = await firstSequence(place, from)
  const part = { stream: stream.name, filter, from: first, untilCaughtUp }
  for await (const message of messagesFrom(connection, { ...part, clock, signal })) {
    const record = recordIn(place, message)
    if (record !== undefined) yield record
  }
}

async function firstSequence({ connection, stream }: SubscriptionPlace, from: SubscriptionStart): Promise<number> {
  if (from === 'start') return 1
  return (from === 'now' ? (await readStreamIdentity(connection, stream.name)).last : from) + 1
}

function recordIn({ stream, registry }: SubscriptionPlace, message: StoredMessage): SubscribedRecord | undefined {
  const aggregate = parseRecordSubject(stream.root, message.subject)
  if (aggregate === undefined) return undefined // its filter takes nothing else that Millrace writes
  const record = readRecord(registry, fromDelivered(message), stream.name, nameOf(aggregate))
  const { version, events, decided, sequence: position } = record
  return { type: aggregate.type, id: aggregate.id, version, events, decided, position }
}
