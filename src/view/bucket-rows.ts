import { asFault, outcomeUnknown } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { fault, isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { readRow, writeRow } from './bucket-row.js'
import type { RowChange, RowStore, StoredRow, WrittenRow } from './row-store.js'

export interface BucketRowsOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly bucket: string
  /** Makes the bucket, or finds that it may not be written to any more. */
  readonly prepare: () => Promise<void>
  /** Ends what was prepared. */
  readonly end: () => void
}

/** Rows on their way to the server at a time. */
const MOST = 256
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000

/**
 * Rows in a key-value bucket. Each write is on condition that the row is the one that is known; when it is not, or the
 * outcome is unknown, what is stored is read, and the write is done if the row there is further (VW3).
 */
export class BucketRows implements RowStore {
  readonly #options: BucketRowsOptions
  readonly #end = new AbortController()
  #pausing: Promise<void> | undefined

  constructor(options: BucketRowsOptions) {
    this.#options = options
  }

  async begin(): Promise<{ readonly empty: boolean }> {
    const { connection, bucket, prepare } = this.#options
    await this.#patiently(prepare)
    const { last } = await this.#patiently(() => readStreamIdentity(connection, `KV_${bucket}`))
    return { empty: last === 0 }
  }

  load(key: string): Promise<StoredRow> {
    const { connection, bucket } = this.#options
    return this.#patiently(() => readRow(connection, bucket, key))
  }

  async write(changes: readonly RowChange[]): Promise<readonly WrittenRow[]> {
    const written: WrittenRow[] = []
    let next = 0
    const writer = async (): Promise<void> => {
      for (let at = next++; at < changes.length; at = next++) {
        const change = changes[at]
        if (change !== undefined) written[at] = await this.#patiently(() => this.#write(change))
      }
    }
    await Promise.all(Array.from({ length: Math.min(MOST, changes.length) }, writer))
    return written
  }

  stop(): void {
    this.#end.abort()
    this.#options.end()
  }

  async #write(change: RowChange): Promise<WrittenRow> {
    const { connection, bucket } = this.#options
    for (let expected = change.revision; ;) {
      const revision = await writeRow(connection, bucket, { ...change, revision: expected })
      if (revision !== undefined) return { sequence: change.sequence, revision }
      const stored = await readRow(connection, bucket, change.key)
      if (stored.sequence >= change.sequence) return stored
      if (stored.revision === expected) throw fault('BROKER_NOT_READY', `${bucket} refuses what it says it has`)
      expected = stored.revision
    }
  }

  /** All that wait at a time wait for one. */
  async #pause(ms: number): Promise<void> {
    this.#pausing ??= this.#options.clock.sleep(ms, this.#end.signal).finally(() => (this.#pausing = undefined))
    await this.#pausing
  }

  /** Repeats what the server does not answer. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { connection, bucket } = this.#options
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, 2 * wait))
      try {
        return await work()
      } catch (error) {
        if (isFault(error, 'STREAM_NOT_FOUND'))
          throw fault('VIEW_RETIRED', `bucket ${bucket} is gone`, { cause: error })
        const known = asFault(error, `rows of ${bucket}`)
        const over = this.#end.signal.aborted || connection.state.kind === 'closed'
        if (over || (!outcomeUnknown(known) && known.code !== 'STREAM_FULL')) throw known
        await this.#pause(wait)
      }
  }
}
