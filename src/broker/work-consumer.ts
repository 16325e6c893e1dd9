import { AckPolicy, DeliverPolicy, type ConsumerConfig, type ConsumerInfo } from '@nats-io/jetstream'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/** A durable consumer that many processes pull from, each message acknowledged for itself. Times in ms. */
export interface WorkConsumer {
  readonly stream: string
  readonly name: string
  readonly description: string
  readonly filters: readonly string[]
  readonly ackWait: number
  readonly maxAckPending: number
  readonly maxDeliver: number
}

/** Where it begins when it is made. */
export type WorkStart = { readonly kind: 'sequence'; readonly sequence: number } | { readonly kind: 'new' }

/** How it is. */
export interface WorkConsumerState {
  /** Sequence up to which everything is acknowledged. */
  readonly floor: number
  /** Messages that were never delivered. */
  readonly pending: number
  /** Messages that were delivered and not acknowledged. */
  readonly unacknowledged: number
  /** Requests for messages that are open: somebody works on it. */
  readonly asked: number
  readonly paused: boolean
  /** What was changed just now, because it was not as declared. */
  readonly corrected: readonly string[]
}

/** JetStream’s error codes: it is not there; it is there with another configuration. */
const NOT_FOUND = 10_014
const EXISTS: readonly unknown[] = [10_148, 10_012, 10_013]

/**
 * Reads a consumer, and changes it to what is declared where somebody has changed it.
 * @param corrects false leaves it as it is
 * @returns undefined when there is none
 * @throws HANDLER_CONSUMER_CHANGED it cannot be changed in place; STREAM_NOT_FOUND and others of the broker
 */
export async function readWorkConsumer(
  { manager }: Connection,
  declared: WorkConsumer,
  corrects = true,
): Promise<WorkConsumerState | undefined> {
  try {
    const info = await manager.consumers.info(declared.stream, declared.name)
    const corrected = corrects ? differences(declared, info.config) : []
    if (corrected.length === 0) return stateOf(info, corrected)
    requireUsable(declared, info.config)
    return stateOf(await manager.consumers.update(declared.stream, declared.name, settingsOf(declared)), corrected)
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return undefined
    throw asFault(error, `reading consumer ${declared.name} of ${declared.stream}`)
  }
}

/**
 * Makes a consumer that is not there. Another process may do so at the same moment: then its own counts.
 * @throws STREAM_NOT_FOUND and others of the broker
 */
export async function makeWorkConsumer(
  { manager }: Connection,
  declared: WorkConsumer,
  start: WorkStart,
): Promise<void> {
  try {
    await manager.consumers.add(declared.stream, {
      durable_name: declared.name,
      ack_policy: AckPolicy.Explicit,
      ...settingsOf(declared),
      ...startOf(start),
    })
  } catch (error) {
    if (!EXISTS.includes(codeOf(error))) throw asFault(error, `making consumer ${declared.name} of ${declared.stream}`)
  }
}

/**
 * Stops deliveries to every process until `until` (ms since the epoch), or lets them go on with undefined.
 * @returns false: there is no such consumer
 */
export async function pauseConsumer(
  { manager }: Connection,
  stream: string,
  name: string,
  until: number | undefined,
): Promise<boolean> {
  try {
    if (until === undefined) await manager.consumers.resume(stream, name)
    else await manager.consumers.pause(stream, name, new Date(until))
    return true
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return false
    throw asFault(error, `pausing consumer ${name} of ${stream}`)
  }
}

function settingsOf({ description, filters, ackWait, maxAckPending, maxDeliver }: WorkConsumer) {
  return {
    description,
    filter_subjects: [...filters],
    ack_wait: ackWait * 1e6,
    max_ack_pending: maxAckPending,
    max_deliver: maxDeliver,
  } satisfies Partial<ConsumerConfig>
}

function startOf(start: WorkStart): Partial<ConsumerConfig> {
  if (start.kind === 'new') return { deliver_policy: DeliverPolicy.New }
  return start.sequence <= 1
    ? { deliver_policy: DeliverPolicy.All }
    : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start.sequence }
}

function differences(declared: WorkConsumer, config: ConsumerConfig): string[] {
  const deployed = config as unknown as Record<string, unknown>
  const filters = config.filter_subjects ?? (config.filter_subject === undefined ? [] : [config.filter_subject])
  const actual: Record<string, unknown> = { ...deployed, filter_subjects: filters.toSorted() }
  const wanted = {
    ...settingsOf(declared),
    filter_subjects: declared.filters.toSorted(),
    ack_policy: AckPolicy.Explicit,
  }
  return Object.entries(wanted)
    .filter(([name, value]) => JSON.stringify(actual[name]) !== JSON.stringify(value))
    .map(([name]) => name)
}

/** How a consumer is acknowledged, and whether it is pulled from, the server never changes. */
function requireUsable({ stream, name }: WorkConsumer, config: ConsumerConfig): void {
  if (config.ack_policy !== AckPolicy.Explicit)
    throw fault('HANDLER_CONSUMER_CHANGED', `${name} of ${stream} has ack policy ${config.ack_policy}`)
  if (config.deliver_subject !== undefined && config.deliver_subject !== '')
    throw fault('HANDLER_CONSUMER_CHANGED', `${name} of ${stream} pushes to ${config.deliver_subject}`)
}

function stateOf(info: ConsumerInfo, corrected: readonly string[]): WorkConsumerState {
  return {
    floor: info.ack_floor.stream_seq,
    pending: info.num_pending,
    unacknowledged: info.num_ack_pending,
    asked: info.num_waiting,
    paused: info.paused === true,
    corrected,
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
