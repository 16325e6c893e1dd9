// LetterRecords
//
// What became of dead letters: a value for each of them in a bucket, beside the letters, which stay as they are.
//
// Invariants (tests cite them):
//   LT1  A change is made on what was read: of two who act on a letter at the same moment one acts.
//   LT2  Every edit of a letter is kept, and the letter itself.
import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { ensureBucket, readBucket, writeBucket } from '../../broker/history-bucket.js'
import { readLast } from '../../broker/last-message.js'
import { fault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'

export const LETTER_BUCKET = 'millrace_letters'

/**
 * - `open`: nothing was done about it, but it may have been edited.
 * - `redriving`: its event was sent back, or is about to be.
 * - `handled`: its event was handled.
 * - `again`: its event is another letter by now (`next`).
 * - `parked`: its event was sent back and waits in its order, since its key is parked.
 * - `dropped`: somebody gave it up.
 */
export type LetterState = 'open' | 'redriving' | 'handled' | 'again' | 'parked' | 'dropped'

export interface LetterRecord {
  readonly state: LetterState
  /** Since when, in ms. */
  readonly at: number
  /** How often it was edited. */
  readonly edits: number
  /** Of the stream that it was sent to, the sequence there; undefined: not sent yet. */
  readonly sent?: number
  /** Number of the letter that came of it. */
  readonly next?: number
  /** What the letter names as its processor; absent: it was written before that was kept. */
  readonly processor?: string
  /** Why it was dropped. */
  readonly reason?: string
  /** What was dropped: it may be gone. */
  readonly what?: string
}

/** A record and where it is in the order of all changes. */
export interface KnownRecord extends LetterRecord {
  readonly revision: number
}

const STREAM = `KV_${LETTER_BUCKET}`
/** That of a letter that nothing is known of. */
export const NEW_RECORD: KnownRecord = Object.freeze({ state: 'open', at: 0, edits: 0, revision: 0 })

export class LetterRecords {
  readonly #connection: Connection
  readonly #clock: Clock

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** Has a place for them made. @throws errors of the broker */
  async prepare(replicas: number): Promise<void> {
    const description = 'What became of dead letters'
    await ensureBucket(this.#connection, {
      bucket: LETTER_BUCKET,
      description,
      replicas,
      history: 1,
      erasable: true,
    })
  }

  /** All of them, by number of the letter. @throws errors of the broker */
  async all(): Promise<Map<number, KnownRecord>> {
    const { entries } = await readBucket(this.#connection, this.#clock, LETTER_BUCKET, '*')
    const found = new Map<number, KnownRecord>()
    for (const { key, data, sequence } of entries) {
      const record = data === undefined ? undefined : parse(data, sequence)
      if (record !== undefined) found.set(Number(key), record)
    }
    return found
  }

  /** That of one letter; one that nothing is known of is open. @throws errors of the broker */
  async read(number: number): Promise<KnownRecord> {
    const last = await this.#last(String(number))
    if (last === undefined) return NEW_RECORD
    return parse(last.data, last.sequence) ?? { ...NEW_RECORD, revision: last.sequence }
  }

  /**
   * Changes one on what was read.
   * @throws LETTER_BUSY somebody else has changed it meanwhile; errors of the broker
   */
  async write(number: number, from: KnownRecord, change: Partial<LetterRecord>): Promise<KnownRecord> {
    const { revision, ...former } = from
    const record: LetterRecord = { ...former, at: this.#clock.now(), ...change }
    const data = Buffer.from(JSON.stringify(record))
    const written = await writeBucket(this.#connection, LETTER_BUCKET, {
      key: String(number),
      data,
      expected: revision,
    })
    if (written === undefined) throw fault('LETTER_BUSY', `number ${number}`)
    return { ...record, revision: written }
  }

  /** Keeps an edited payload as the next one of a letter. @throws LETTER_BUSY, and errors of the broker */
  async edit(number: number, from: KnownRecord, payload: Uint8Array): Promise<KnownRecord> {
    const edits = from.edits + 1
    const key = `${number}.${edits}`
    // one that was left by who did not come to the end gives way
    const expected = (await this.#last(key))?.sequence ?? 0
    const written = await writeBucket(this.#connection, LETTER_BUCKET, { key, data: payload, expected })
    if (written === undefined) throw fault('LETTER_BUSY', `number ${number}`)
    return this.write(number, from, { edits })
  }

  /** The payload of an edit, from 1; undefined when there is none. @throws errors of the broker */
  async payload(number: number, edit: number): Promise<Uint8Array | undefined> {
    return edit === 0 ? undefined : (await this.#last(`${number}.${edit}`))?.data
  }

  /** Forgets what is known of a letter that is gone. @throws errors of the broker */
  async forget(number: number): Promise<void> {
    for (const filter of [`$KV.${LETTER_BUCKET}.${number}.>`, `$KV.${LETTER_BUCKET}.${number}`])
      try {
        await this.#connection.manager.streams.purge(STREAM, { filter })
      } catch (error) {
        throw asFault(error, `purging ${filter}`)
      }
  }

  async #last(key: string) {
    try {
      return await readLast(this.#connection, STREAM, `$KV.${LETTER_BUCKET}.${key}`)
    } catch (error) {
      const known = asFault(error, `reading ${key}`)
      if (known.code === 'STREAM_NOT_FOUND') return undefined
      throw known
    }
  }
}

/** Undefined for what nobody of ours has written. */
function parse(data: Uint8Array, revision: number): KnownRecord | undefined {
  try {
    const value = JSON.parse(Buffer.from(data).toString()) as LetterRecord
    return typeof value.state === 'string' ? { ...value, edits: value.edits ?? 0, revision } : undefined
  } catch {
    return undefined
  }
}
