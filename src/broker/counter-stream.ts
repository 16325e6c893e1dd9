// Counters that the server adds to: the last message of a subject has its sum, and what is added is told apart by an id
// (ADR-49). Sums are whole numbers of any size.
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import { fault, isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { apiFault, asFault } from './api-error.js'
import { applyStreams } from './apply-streams.js'
import type { Connection } from './connection.js'
import { encodeHeaders } from './headers.js'
import { readLast } from './last-message.js'
import { compare } from './plan-streams.js'
import { readEach } from './read-each.js'
import { request } from './request.js'
import type { ManagedConfig } from './stream-config.js'

export interface CounterStreamOptions {
  readonly stream: string
  readonly subjects: string
  readonly description: string
  readonly replicas: number
  /** After what time a sum to which nothing was added is forgotten, in ms. */
  readonly maxAge: number
  /** How long ids of what was added are known, in ms. */
  readonly window: number
}

/**
 * Makes a stream of counters, or leaves it as it is. Of several processes that ask for different numbers of replicas, the
 * largest counts.
 * @throws STREAM_CHANGE_REFUSED, STREAM_FLAGS_DROPPED and others of the broker
 */
export async function ensureCounters(connection: Connection, options: CounterStreamOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const deployed = await deployedConfig(connection, options.stream)
    const config = configOf({ ...options, replicas: Math.max(options.replicas, deployed?.num_replicas ?? 1) })
    try {
      const step =
        deployed === undefined ? { kind: 'create' as const, stream: config.name, config } : compare(config, deployed)
      return await applyStreams(connection, [step])
    } catch (error) {
      // another process was making it at the same moment
      if (deployed !== undefined || attempt > 1 || !isFault(error, 'STREAM_CHANGE_REFUSED')) throw error
    }
  }
}

/**
 * Adds to a counter, once for each id, in all subjects of the stream together, as long as the stream knows the id.
 * @returns the sum; undefined: it was added before
 * @throws BROKER_TIMEOUT and the like: it may have been added; to repeat it with the same id is safe
 */
export async function addToCounter(
  connection: Connection,
  { subject, by, id }: { readonly subject: string; readonly by: bigint; readonly id: string },
  timeoutMs = 5_000,
): Promise<bigint | undefined> {
  const headers = encodeHeaders([
    ['Nats-Incr', String(by)],
    ['Nats-Msg-Id', id],
  ])
  const answer = await request(connection, subject, new Uint8Array(0), { headers, timeout: timeoutMs })
  const reply = parse(answer.data) as {
    readonly val?: string
    readonly duplicate?: boolean
    readonly error?: { readonly err_code: number; readonly description: string }
  }
  if (reply.error !== undefined) throw apiFault(reply.error.err_code, reply.error.description, `adding to ${subject}`)
  if (reply.duplicate === true) return undefined
  return sumOf(reply, subject)
}

/** The sum of a counter; 0: nothing was added to it. @throws errors of the broker */
export async function readCounter(connection: Connection, stream: string, subject: string): Promise<bigint> {
  const last = await readLast(connection, stream, subject)
  return last === undefined ? 0n : sumOf(parse(last.data), subject)
}

/** The sums of all counters under a filter. No stream: none. @throws errors of the broker */
export async function readCounters(
  connection: Connection,
  clock: Clock,
  stream: string,
  filter: string,
): Promise<ReadonlyMap<string, bigint>> {
  const sums = new Map<string, bigint>()
  try {
    await readEach(connection, clock, stream, filter, ({ subject, data }) => {
      sums.set(subject, sumOf(parse(data), subject))
    })
  } catch (error) {
    if (!isFault(error, 'STREAM_NOT_FOUND')) throw error
  }
  return sums
}

function sumOf(found: unknown, subject: string): bigint {
  const { val } = found as { readonly val?: unknown }
  if (typeof val !== 'string' || !/^-?\d+$/.test(val)) throw fault('BROKER_REFUSED', `${subject} is no counter`)
  return BigInt(val)
}

function parse(data: Uint8Array): object {
  try {
    return (JSON.parse(Buffer.from(data).toString()) ?? {}) as object
  } catch {
    return {} // what is no JSON is no sum: who asked for one says so
  }
}

async function deployedConfig({ manager }: Connection, stream: string) {
  try {
    return (await manager.streams.info(stream)).config
  } catch (error) {
    const known = asFault(error, `reading stream ${stream}`)
    if (known.code === 'STREAM_NOT_FOUND') return undefined
    throw known
  }
}

const NS = 1_000_000

function configOf(options: CounterStreamOptions): ManagedConfig & { readonly max_msgs_per_subject: number } {
  return {
    name: options.stream,
    description: options.description,
    subjects: [options.subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: options.replicas,
    // the last message has the sum
    max_msgs_per_subject: 1,
    max_age: options.maxAge * NS,
    max_bytes: -1,
    discard: DiscardPolicy.Old,
    duplicate_window: options.window * NS,
    allow_direct: true,
    allow_rollup_hdrs: false,
    deny_delete: false,
    allow_msg_counter: true,
  }
}
