import {
  AckPolicy,
  DeliverPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  type JetStreamManager,
} from '@nats-io/jetstream'
import { nuid } from '@nats-io/transport-node'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/** Where a feed begins. */
export type FeedStart =
  | { readonly kind: 'sequence'; readonly sequence: number }
  /** The first message that was stored at or after `time` (ms since the epoch). */
  | { readonly kind: 'time'; readonly time: number }
  /** Only messages stored from now on. */
  | { readonly kind: 'new' }

export interface PositionOptions {
  readonly stream: string
  readonly filters: readonly string[]
  readonly start: FeedStart
  readonly durable: string | undefined
  /** How a durable consumer is acknowledged; see FeedOptions. */
  readonly acks?: 'each' | 'through'
}

/** A consumer that is about to deliver what comes after `floor`. */
export interface Position {
  readonly consumer: string
  /** Messages waiting for this consumer. */
  readonly pending: number
  /** Sequence after which it delivers. */
  readonly floor: number
}

/** Most messages of a durable feed that may wait for their ack; above what a feed hands over and commits at once. */
const MAX_ACK_PENDING = 65_536
/** The server redelivers after this long, in ns; the feed drops what it has had already. */
const ACK_WAIT = 120_000_000_000
const INACTIVE = 30_000_000_000
/** JetStream’s error codes. */
const CONSUMER_NOT_FOUND = 10_014
/** It exists with another configuration; and, where the server takes a creation for an update, that it cannot be one. */
const CONSUMER_EXISTS: readonly unknown[] = [10_148, 10_012]
const ATTEMPTS = 5

/**
 * Makes a consumer that delivers from `start` on, durable or one that goes away with its reader.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function positionConsumer(connection: Connection, options: PositionOptions): Promise<Position> {
  try {
    return options.durable === undefined
      ? await createPassing(connection, options)
      : await placeDurable(connection, options, options.durable)
  } catch (error) {
    throw asFault(error, `positioning a consumer of ${options.stream}`)
  }
}

/** How many messages a consumer has still to deliver; undefined when the server does not say. */
export async function pendingOf({ manager }: Connection, stream: string, name: string): Promise<number | undefined> {
  try {
    return (await manager.consumers.info(stream, name)).num_pending
  } catch {
    // whoever pulls from it meets the same trouble, and knows what to do about it
    return undefined
  }
}

async function createPassing({ manager }: Connection, { stream, filters, start }: PositionOptions): Promise<Position> {
  const info = await manager.consumers.add(stream, {
    name: `millrace-${nuid.next()}`,
    ack_policy: AckPolicy.None,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: INACTIVE,
    ...filterConfig(filters),
    ...startConfig(start),
  })
  return { consumer: info.name, pending: info.num_pending, floor: info.delivered.stream_seq }
}

/**
 * Makes a durable consumer anew, even when it is there: pulls of a former owner, which may be frozen and not know that
 * it is one, stay open through a reset and would take what comes next. With the consumer they end.
 */
async function placeDurable({ manager }: Connection, options: PositionOptions, durable: string): Promise<Position> {
  const { stream, filters, start } = options
  const ack_policy = options.acks === 'through' ? AckPolicy.All : AckPolicy.Explicit
  const settings = { ack_policy, ack_wait: ACK_WAIT, max_ack_pending: MAX_ACK_PENDING }
  for (let attempt = 1; ; attempt++) {
    await remove(manager, stream, durable)
    try {
      const { num_pending, delivered } = await manager.consumers.add(stream, {
        durable_name: durable,
        ...settings,
        ...filterConfig(filters),
        ...startConfig(start),
      })
      const floor = start.kind === 'sequence' ? start.sequence - 1 : delivered.stream_seq
      return { consumer: durable, pending: num_pending, floor }
    } catch (error) {
      // somebody else has made it meanwhile, for another position; who of both may go on, the fence decides
      if (!CONSUMER_EXISTS.includes(codeOf(error)) || attempt >= ATTEMPTS) throw error
    }
  }
}

async function remove(manager: JetStreamManager, stream: string, name: string): Promise<void> {
  try {
    await manager.consumers.delete(stream, name)
  } catch (error) {
    if (codeOf(error) !== CONSUMER_NOT_FOUND) throw error
  }
}

/** How many messages of a stream are behind a sequence. @throws errors of the broker */
export async function messagesBehind(
  connection: Connection,
  { stream, filters, after }: { readonly stream: string; readonly filters: readonly string[]; readonly after: number },
): Promise<number> {
  const start = { kind: 'sequence', sequence: after + 1 } as const
  const { consumer, pending } = await positionConsumer(connection, { stream, filters, start, durable: undefined })
  await deleteConsumer(connection, stream, consumer)
  return pending
}

/** Deletes a consumer that nobody needs any more, if it is there. @throws errors of the broker */
export async function deleteConsumer({ manager }: Connection, stream: string, name: string): Promise<void> {
  try {
    await remove(manager, stream, name)
  } catch (error) {
    throw asFault(error, `deleting consumer ${name}`)
  }
}

/** @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker */
export async function consumerExists({ manager }: Connection, stream: string, name: string): Promise<boolean> {
  try {
    return (await find(manager, stream, name)) !== undefined
  } catch (error) {
    throw asFault(error, `reading consumer ${name}`)
  }
}

/** Sequence up to which a consumer has nothing left to be done; 0 when there is no such consumer. */
export async function consumerFloor({ manager }: Connection, stream: string, name: string): Promise<number> {
  try {
    return (await find(manager, stream, name))?.ack_floor.stream_seq ?? 0
  } catch (error) {
    throw asFault(error, `reading consumer ${name}`)
  }
}

async function find(manager: JetStreamManager, stream: string, name: string): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, name)
  } catch (error) {
    if (codeOf(error) === CONSUMER_NOT_FOUND) return undefined
    throw error
  }
}

function filterConfig(filters: readonly string[]): Partial<ConsumerConfig> {
  return filters.length === 0 ? {} : { filter_subjects: [...filters] }
}

function startConfig(start: FeedStart): Partial<ConsumerConfig> {
  switch (start.kind) {
    case 'sequence':
      return start.sequence <= 1
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start.sequence }
    case 'time':
      return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(start.time).toISOString() }
    case 'new':
      return { deliver_policy: DeliverPolicy.New }
  }
}

/** The code of an error that JetStream gave. */
function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
