// BucketReader
//
// Reads the values of one key-value bucket: the last message of `$KV.<bucket>.<key>` in the stream `KV_<bucket>`, from
// its leader. What was read is kept for a while, for all who ask over the same connection.
// Source: NATS ADR-8, JetStream based key-value stores.
import { isFault, fault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'
import { readLast } from './last-message.js'

interface Kept {
  readonly at: number
  readonly value: Uint8Array | undefined
}

/** Values that are kept, and their bytes; the oldest give way. */
const MOST = 10_000
const MOST_BYTES = 32 * 1024 * 1024
/** What a key of a bucket may be. */
const KEY = /^[-/_=A-Za-z0-9]+(?:\.[-/_=A-Za-z0-9]+)*$/

export class BucketReader {
  readonly #connection: Connection
  readonly #bucket: string
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()
  readonly #reading = new Map<string, Promise<Uint8Array | undefined>>()
  #bytes = 0

  constructor(connection: Connection, bucket: string, clock: Clock) {
    this.#connection = connection
    this.#bucket = bucket
    this.#clock = clock
  }

  /**
   * The value of a key; undefined when there is none, or it was deleted, or a bucket cannot have such a key.
   * @param maxAge how long ago it may have been read, in ms; 0 reads it now
   * @throws BUCKET_NOT_FOUND, BROKER_TIMEOUT and others of the broker
   */
  async get(key: string, maxAge: number): Promise<Uint8Array | undefined> {
    if (!KEY.test(key)) return undefined
    const kept = this.#kept.get(key)
    if (kept !== undefined && this.#clock.monotonic() - kept.at < maxAge) return kept.value
    const reading = this.#reading.get(key)
    // one that began before may be older than what is asked for
    if (reading !== undefined && maxAge > 0) return reading
    const own = this.#read(key)
    this.#reading.set(key, own)
    try {
      return await own
    } finally {
      if (this.#reading.get(key) === own) this.#reading.delete(key)
    }
  }

  async #read(key: string): Promise<Uint8Array | undefined> {
    const at = this.#clock.monotonic()
    try {
      const last = await readLast(this.#connection, `KV_${this.#bucket}`, `$KV.${this.#bucket}.${key}`)
      const gone = last === undefined || last.header('KV-Operation') !== undefined || last.header(MARKER) !== undefined
      const value = gone ? undefined : last.data
      this.#keep(key, { at, value })
      return value
    } catch (error) {
      if (isFault(error, 'STREAM_NOT_FOUND')) throw fault('BUCKET_NOT_FOUND', this.#bucket, { cause: error })
      throw error
    }
  }

  #keep(key: string, kept: Kept): void {
    this.#forget(key)
    this.#kept.set(key, kept)
    this.#bytes += kept.value?.length ?? 0
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST && this.#bytes <= MOST_BYTES) break
      this.#forget(oldest)
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#kept.get(key)?.value?.length ?? 0
    this.#kept.delete(key)
  }
}

/** What the server writes when a value has expired. */
const MARKER = 'Nats-Marker-Reason'

const readers = new WeakMap<Connection, Map<string, BucketReader>>()

/** The reader of a bucket that everybody in this process shares over this connection. */
export function bucketReaderOf(connection: Connection, bucket: string, clock: Clock): BucketReader {
  let ofConnection = readers.get(connection)
  if (ofConnection === undefined) readers.set(connection, (ofConnection = new Map<string, BucketReader>()))
  let reader = ofConnection.get(bucket)
  if (reader === undefined) ofConnection.set(bucket, (reader = new BucketReader(connection, bucket, clock)))
  return reader
}
