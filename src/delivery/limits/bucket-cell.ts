import type { Connection } from '../../broker/connection.js'
import { writeBucket } from '../../broker/history-bucket.js'
import { readLast } from '../../broker/last-message.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { isFault } from '../../error/millrace-error.js'
import type { Cell } from './cell.js'

/** Tries before who lost them all lets others go first. */
const EAGER = 2

export interface BucketCellOptions {
  readonly connection: Connection
  readonly bucket: string
  readonly key: string
  /** After what time without a change the server forgets it, in s. Default: never. */
  readonly ttl?: number
  /** Before another try, from 0. */
  readonly wait: (attempt: number) => Promise<void>
  /** Makes the bucket that somebody has deleted. */
  readonly ensure: () => Promise<void>
  /** Is told of each change that could be stored, and of each that could not. */
  readonly onOutcome?: (error?: unknown) => void
}

/** A value of a key-value bucket that is changed by compare-and-set. */
export class BucketCell implements Cell {
  value: unknown
  readonly #options: BucketCellOptions
  readonly #listeners = new Set<() => void>()
  #revision = 0
  /** Whether what is known may be old: the outcome of a change is not known. */
  #doubtful = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: BucketCellOptions) {
    this.#options = options
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** One change of this process after the other: they would only be in each other's way. */
  update(decide: (value: unknown) => object | undefined): Promise<boolean> {
    const { onOutcome } = this.#options
    const own = this.#last.then(() => this.#update(decide))
    this.#last = own.then(
      () => onOutcome?.(),
      (error: unknown) => onOutcome?.(error),
    )
    return own
  }

  heard({ sequence, data, headers }: StoredMessage): void {
    if (sequence <= this.#revision) return
    this.#know(sequence, isGone((name) => headers.get(name)) ? undefined : parse(data))
  }

  /** @throws errors of the broker */
  async read(): Promise<void> {
    const { connection, bucket, key } = this.#options
    const before = this.#revision
    const last = await readLast(connection, `KV_${bucket}`, `$KV.${bucket}.${key}`)
    const gone = last === undefined || isGone(last.header)
    const sequence = last?.sequence ?? 0
    this.#doubtful = false
    // what was heard meanwhile is newer; else a smaller sequence is one of another bucket
    if (this.#revision !== before && sequence < this.#revision) return
    this.#know(sequence, gone ? undefined : parse(last.data))
  }

  async #update(decide: (value: unknown) => object | undefined): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      if (this.#doubtful) await this.read()
      const next = decide(this.value)
      if (next === undefined) return false
      const revision = await this.#write(next)
      if (revision !== undefined) {
        this.#doubtful = false
        if (revision > this.#revision) this.#know(revision, next)
        return true
      }
      if (attempt >= EAGER) await this.#options.wait(attempt)
    }
  }

  async #write(next: object): Promise<number | undefined> {
    this.#doubtful = true
    const { connection, bucket, key, ttl, ensure } = this.#options
    const data = Buffer.from(JSON.stringify(next))
    const headers = ttl === undefined ? [] : [['Nats-TTL', `${ttl}s`] as const]
    try {
      return await writeBucket(connection, bucket, { key, data, expected: this.#revision, headers })
    } catch (error) {
      if (!isFault(error, 'STREAM_NOT_FOUND')) throw error
      await ensure()
      return undefined
    }
  }

  #know(revision: number, value: unknown): void {
    if (revision === this.#revision && revision !== 0) return
    this.#revision = revision
    this.value = value
    for (const listener of this.#listeners) listener()
  }
}

/** Whether a message says that there is no value: somebody deleted it, or it has expired. */
function isGone(header: (name: string) => string | undefined): boolean {
  return header('KV-Operation') !== undefined || header('Nats-Marker-Reason') !== undefined
}

/** What is no JSON counts as nothing. */
function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString())
  } catch {
    return undefined
  }
}
