import { asFault, outcomeUnknown } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { readBucket } from '../broker/history-bucket.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { parseDuration } from '../time/duration.js'
import { decodeRow, readRow } from './bucket-row.js'
import { rowKey } from './row-store.js'
import { readPointer, type FoundPointer } from './view-pointer.js'
import { hasReached } from './view-progress.js'

/** One row of a view. */
export interface ViewRow<Row> {
  readonly key: string
  readonly row: Row
}

/** A sequence of the view’s stream, as an outcome has it; or the same with the stream’s name, which is checked then. */
export type ViewPosition = number | { readonly stream: string; readonly sequence: number }

export interface CaughtUpOptions {
  /** How long to wait: ms, or like `5s`. Default 10 s. */
  readonly timeout?: string | number
  readonly signal?: AbortSignal
}

const TIMEOUT = '10s'
const FIRST_LOOK_MS = 5
const LAST_LOOK_MS = 200

/**
 * Reads a view by its name, whichever version is live. What it reads is what the bucket’s leader has: a reader that
 * does not wait may read a version that is behind, for a moment also behind what it read before the swap.
 */
export class ViewReader<Row = unknown> {
  readonly name: string
  readonly #connection: Connection
  readonly #clock: Clock

  constructor(connection: Connection, clock: Clock, name: string) {
    this.name = name
    this.#connection = connection
    this.#clock = clock
  }

  /** The row of a key; undefined when there is none. @throws VIEW_NOT_FOUND, VIEW_ROW_INVALID, errors of the broker */
  async get(key: string): Promise<Row | undefined> {
    return (await this.#read((bucket) => readRow(this.#connection, bucket, key))).row as Row | undefined
  }

  /**
   * Every row, in the order in which they were changed last. All are read into memory.
   * @throws VIEW_NOT_FOUND, VIEW_ROW_INVALID, errors of the broker
   */
  list(): Promise<readonly ViewRow<Row>[]> {
    return this.#read(async (bucket) => {
      const { created, entries } = await readBucket(this.#connection, this.#clock, bucket)
      if (created === '') throw fault('STREAM_NOT_FOUND', bucket)
      const rows = new Map<string, Row>()
      for (const { key: token, data } of entries) {
        const key = rowKey(token)
        if (key === undefined) throw fault('VIEW_ROW_INVALID', `${bucket}: ${token} is no key of a row`)
        rows.delete(key)
        if (data !== undefined) rows.set(key, decodeRow(data, `${bucket}, key ${token}`) as Row)
      }
      return [...rows].map(([key, row]) => ({ key, row }))
    })
  }

  /**
   * Resolves when the rows hold every event up to a position, so that who reads then finds what he has caused. It holds
   * for every later reading, also when another version of the view takes over.
   * @param position of an outcome or an event; default: the end of the stream now
   * @throws VIEW_NOT_CAUGHT_UP after the time-out, VIEW_NOT_FOUND, VIEW_OTHER_STREAM, errors of the broker; the reason
   *   of the signal
   */
  async whenCaughtUp(position?: ViewPosition, { timeout = TIMEOUT, signal }: CaughtUpOptions = {}): Promise<void> {
    const limit = parseDuration(timeout)
    const end = this.#clock.monotonic() + limit
    let target = typeof position === 'object' ? position.sequence : position
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(LAST_LOOK_MS, 2 * wait)) {
      signal?.throwIfAborted()
      let problem: MillraceError | undefined
      try {
        const found = await this.#pointer()
        const { name } = found.pointer.stream
        if (typeof position === 'object' && position.stream !== name)
          throw fault('VIEW_OTHER_STREAM', `${this.name} reads ${name}, not ${position.stream}`)
        target ??= (await readStreamIdentity(this.#connection, name)).last
        if (await this.#isThere(found, target)) return
      } catch (error) {
        // a view whose processor begins just now has no pointer yet
        problem = asFault(error, `waiting for view ${this.name}`)
        if (!outcomeUnknown(problem) && problem.code !== 'VIEW_NOT_FOUND') throw problem
      }
      if (this.#clock.monotonic() >= end)
        throw problem ?? fault('VIEW_NOT_CAUGHT_UP', `${this.name} is not at ${target ?? 'the end'} after ${limit} ms`)
      await this.#clock.sleep(wait, signal)
    }
  }

  /** VW5 */
  async #isThere({ pointer, revision }: FoundPointer, target: number): Promise<boolean> {
    const { current, next } = pointer
    if ((await readStreamIdentity(this.#connection, pointer.stream.name)).last < target) return false
    if (!(await hasReached(this.#connection, pointer, current, target))) return false
    // it may be the live one in a moment
    if (next?.swapping === true && !(await hasReached(this.#connection, pointer, next, target))) return false
    const again = await this.#pointer()
    return again.revision === revision || sameSwap(again.pointer, pointer)
  }

  async #pointer(): Promise<FoundPointer> {
    const found = await readPointer(this.#connection, this.name)
    if (found === undefined) throw fault('VIEW_NOT_FOUND', this.name)
    return found
  }

  /** Reads from the live bucket; from the one that has replaced it when it was removed meanwhile. */
  async #read<T>(read: (bucket: string) => Promise<T>): Promise<T> {
    for (let known = ''; ;) {
      const { bucket, table } = (await this.#pointer()).pointer.current
      if (table !== undefined) throw fault('VIEW_IN_TABLE', `${this.name}: ${table}`)
      try {
        return await read(bucket)
      } catch (error) {
        if (!isFault(error, 'STREAM_NOT_FOUND') || bucket === known) throw error
        known = bucket
      }
    }
  }
}

/** Whether what changed between two looks is only how far the next version has come. */
function sameSwap(one: FoundPointer['pointer'], other: FoundPointer['pointer']): boolean {
  return (
    one.current.version === other.current.version &&
    one.next?.version === other.next?.version &&
    one.next?.swapping === other.next?.swapping
  )
}
