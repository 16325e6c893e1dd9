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

/**
 * Makes a consumer that delivers from `start` on: a durable one is created or brought up to date and reset to the
 * position (a reset also forgets what was delivered to a former owner), another is created anew.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function positionConsumer(connection: Connection, options: PositionOptions): Promise<Position> {
  try {
    return options.durable === undefined
      ? await createPassing(connection, options)
      : await resetDurable(connection, options, options.durable)
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

async function resetDurable({ manager }: Connection, options: PositionOptions, durable: string): Promise<Position> {
  const { stream, filters, start } = options
  const ack_policy = options.acks === 'through' ? AckPolicy.All : AckPolicy.Explicit
  const settings = { ack_policy, ack_wait: ACK_WAIT, max_ack_pending: MAX_ACK_PENDING }
  let info = await find(manager, stream, durable)
  if (info !== undefined && (start.kind !== 'sequence' || info.config.ack_policy !== ack_policy)) {
    // a reset goes to a sequence only, and no update changes the ack policy: such a consumer is made anew
    await manager.consumers.delete(stream, durable)
    info = undefined
  }
  const created = { durable_name: durable, ...settings, ...filterConfig(filters) }
  if (info === undefined && start.kind !== 'sequence') {
    const { num_pending, delivered } = await manager.consumers.add(stream, { ...created, ...startConfig(start) })
    return { consumer: durable, pending: num_pending, floor: delivered.stream_seq }
  }
  // made to begin at the beginning whatever the start: a reset never goes below where a consumer was made to begin
  info ??= await manager.consumers.add(stream, { ...created, deliver_policy: DeliverPolicy.All })
  // an empty list takes the filters away; leaving it out would keep those that are there
  if (!sameFilters(info.config, filters))
    await manager.consumers.update(stream, durable, { ...settings, filter_subjects: [...filters] })
  const { sequence } = start as Extract<FeedStart, { kind: 'sequence' }>
  const reset = await manager.consumers.reset(stream, durable, sequence)
  return { consumer: durable, pending: reset.num_pending, floor: sequence - 1 }
}

/** @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker */
export async function consumerExists({ manager }: Connection, stream: string, name: string): Promise<boolean> {
  try {
    return (await find(manager, stream, name)) !== undefined
  } catch (error) {
    throw asFault(error, `reading consumer ${name}`)
  }
}

async function find(manager: JetStreamManager, stream: string, name: string): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, name)
  } catch (error) {
    if (isMissingConsumer(error)) return undefined
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

function sameFilters(config: ConsumerConfig, filters: readonly string[]): boolean {
  const deployed = config.filter_subjects ?? (config.filter_subject === undefined ? [] : [config.filter_subject])
  return deployed.length === filters.length && deployed.every((subject) => filters.includes(subject))
}

/** JetStream error 10014: consumer not found. */
function isMissingConsumer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 10014
}
