// A key-value bucket that keeps former values of its keys: the stream `KV_<bucket>`, in which a value of a key is a
// message on `$KV.<bucket>.<key>`. Its sequences are one order of all changes.
// Source: NATS ADR-8, JetStream based key-value stores.
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import { isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { applyStreams } from './apply-streams.js'
import { asFault } from './api-error.js'
import { expectLastSequence } from './batch.js'
import type { Connection } from './connection.js'
import { Feed } from './feed.js'
import { compare } from './plan-streams.js'
import { publishOnce } from './publish-once.js'
import type { StoredMessage } from './stored-message.js'
import type { ManagedConfig } from './stream-config.js'
import { readStreamIdentity } from './stream-identity.js'

/** One value that a key has or had. */
export interface BucketEntry {
  readonly key: string
  /** Place in the order of all changes. */
  readonly sequence: number
  /** In ms since the Unix epoch. */
  readonly storedAt: number
  /** Undefined: the key was deleted. */
  readonly data: Uint8Array | undefined
}

/** What a bucket has, as far as it was asked for. */
export interface BucketReading {
  /** When it was made: tells it from another one of the same name. Empty when there is none. */
  readonly created: string
  /** Every value that is kept, oldest first. */
  readonly entries: readonly BucketEntry[]
}

export interface BucketOptions {
  readonly bucket: string
  readonly description: string
  readonly replicas: number
  /** Whether single values can be taken out of it for good (eraseMessage). Default false. */
  readonly erasable?: boolean
  /** Whether values may have a time to live (Nats-TTL). Default false. */
  readonly expires?: boolean
  /** Values of a key that are kept. Default 64, the most that the specification allows. */
  readonly history?: number
}

/** A value for a key. */
export interface BucketWrite {
  readonly key: string
  /** Undefined deletes the key. */
  readonly data: Uint8Array | undefined
  /** Sequence of its last value. */
  readonly expected: number
  readonly headers?: readonly (readonly [string, string])[]
}

/** Most values of a key that a bucket keeps: the limit of the specification. */
const HISTORY = 64
const OPERATION = 'KV-Operation'
/** What the server writes when a value has expired or was removed. */
const MARKER = 'Nats-Marker-Reason'

/**
 * Makes a bucket, or leaves it as it is. Of several processes that ask for different numbers of replicas, the largest counts.
 * @throws STREAM_CHANGE_REFUSED, STREAM_FLAGS_DROPPED and others of the broker
 */
export async function ensureBucket(connection: Connection, options: BucketOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const deployed = await deployedConfig(connection, options.bucket)
    const config = bucketConfig({ ...options, replicas: Math.max(options.replicas, deployed?.num_replicas ?? 1) })
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
 * Writes a value, or deletes the key with undefined, on condition that its last value is the one of `expected`.
 * @param expected sequence; 0: the key has never had one that is kept
 * @returns the sequence; undefined when somebody else was first
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function writeBucket(
  connection: Connection,
  bucket: string,
  { key, data, expected, headers: more = [] }: BucketWrite,
): Promise<number | undefined> {
  const headers = [expectLastSequence(expected), ...more, ...(data === undefined ? [[OPERATION, 'DEL'] as const] : [])]
  try {
    const subject = `$KV.${bucket}.${key}`
    return (await publishOnce(connection, { subject, headers, data: data ?? new Uint8Array(0) })).sequence
  } catch (error) {
    if (isFault(error, 'SEQUENCE_CONFLICT')) return undefined
    throw error
  }
}

/**
 * Reads every value that is kept. No bucket: no values.
 * @param keys which, such as `PAYMENTS.>`
 * @throws errors of the broker
 */
export async function readBucket(
  connection: Connection,
  clock: Clock,
  bucket: string,
  keys = '>',
): Promise<BucketReading> {
  try {
    return await bucketNews(connection, clock, { bucket, keys, created: undefined, after: 0, waits: false })
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return { created: '', entries: [] }
    throw error
  }
}

export interface BucketPlace {
  readonly bucket: string
  readonly keys: string
  /** When the bucket was made in which `after` means something; in another one, everything is read. */
  readonly created: string | undefined
  readonly after: number
  /** Whether to wait until there is something. */
  readonly waits: boolean
}

/**
 * Reads what is behind a place in a bucket, all that there is by now.
 * @param signal ends the waiting
 * @throws STREAM_NOT_FOUND and others of the broker; `signal.reason`
 */
export async function bucketNews(
  connection: Connection,
  clock: Clock,
  { bucket, keys, created: known, after, waits }: BucketPlace,
  signal?: AbortSignal,
): Promise<BucketReading> {
  const stream = `KV_${bucket}`
  const { created } = await readStreamIdentity(connection, stream)
  signal?.throwIfAborted()
  const other = known !== undefined && known !== created
  const prefix = `$KV.${bucket}.`
  const entries: BucketEntry[] = []
  let feed: Feed | undefined
  let onAbort = (): void => undefined
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(signal?.reason as Error)
      signal?.addEventListener('abort', onAbort, { once: true })
      feed = new Feed(connection, {
        stream,
        filters: [`${prefix}${keys}`],
        start: { kind: 'sequence', sequence: (other ? 0 : after) + 1 },
        clock,
        onMessages: (messages) => {
          for (const message of messages) entries.push(entryOf(message, prefix))
          feed?.release(messages.length)
        },
        onCaughtUp: () => (entries.length > 0 || other || !waits ? resolve() : undefined),
        onFailure: reject,
      })
    })
  } finally {
    signal?.removeEventListener('abort', onAbort)
    feed?.stop()
  }
  return { created, entries }
}

function entryOf({ subject, sequence, storedAt, headers, data }: StoredMessage, prefix: string): BucketEntry {
  const gone = headers.get(OPERATION) !== undefined || headers.get(MARKER) !== undefined
  return { key: subject.slice(prefix.length), sequence, storedAt, data: gone ? undefined : data }
}

async function deployedConfig({ manager }: Connection, bucket: string) {
  try {
    return (await manager.streams.info(`KV_${bucket}`)).config
  } catch (error) {
    const known = asFault(error, `reading bucket ${bucket}`)
    if (known.code === 'STREAM_NOT_FOUND') return undefined
    throw known
  }
}

function bucketConfig({ bucket, description, replicas, history = HISTORY, erasable = false, expires }: BucketOptions) {
  const config: ManagedConfig & Record<string, unknown> = {
    name: `KV_${bucket}`,
    description,
    subjects: [`$KV.${bucket}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    max_msgs_per_subject: history,
    max_age: 0,
    max_bytes: -1,
    discard: DiscardPolicy.New,
    duplicate_window: 120_000_000_000,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: !erasable,
    ...(expires === true ? { allow_msg_ttl: true } : {}),
  }
  return config
}
