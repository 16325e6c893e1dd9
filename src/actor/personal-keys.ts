// The keys of personal values: one for each subject, in the key-value bucket `millrace_personal_keys`.
//
// Invariants (tests cite them):
//   PE1  A personal value is stored sealed, with a key that was stored before; the same decision has the same bytes.
//   PE2  Once its key is erased a value is null for whoever reads it, and its bytes and those of its key are in no file of
//        the server, other than in copies that were made before.
//   PE3  After an erasure the subject has a new key, and what was sealed before stays erased.
//   PE4  An erasure that was killed is completed by doing it again.
//   PE5  A running actor forgets what it has in memory of a subject that is erased.
import type { Connection } from '../broker/connection.js'
import { eraseMessage } from '../broker/erase-message.js'
import { ensureBucket, writeBucket } from '../broker/history-bucket.js'
import { readLast } from '../broker/last-message.js'
import { nextMessage } from '../broker/next-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { isFault } from '../error/millrace-error.js'
import { newPersonalKey, readPersonalKey, type PersonalKey } from './personal-key.js'

export const PERSONAL_KEYS = 'millrace_personal_keys'
/** Header of a key that is gone. */
export const KEY_OPERATION = 'KV-Operation'
const STREAM = `KV_${PERSONAL_KEYS}`

/** What is known of the key of a subject. */
interface KeyState {
  readonly key: PersonalKey | undefined
  /** Revision of the last change: the key, or that it was erased. 0: it never had one. */
  readonly revision: number
}

const NONE: KeyState = { key: undefined, revision: 0 }

/** What an erasure has found. */
export interface ErasedKey {
  /** Ids of the keys that are no more, now or since an erasure before. */
  readonly keys: readonly string[]
  readonly revision: number
}

/** Makes the bucket unless it is there. @throws errors of the broker */
export function ensurePersonalKeys(connection: Connection, replicas: number): Promise<void> {
  return ensureBucket(connection, {
    bucket: PERSONAL_KEYS,
    description: 'Keys of personal values: who deletes one erases what was sealed with it',
    replicas,
    erasable: true,
  })
}

/** Keys as they are now; each is asked for once. For one load, or one reading. */
export class PersonalKeys {
  readonly #connection: Connection
  readonly #known = new Map<string, Promise<KeyState>>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The key of a subject; undefined: it has none, or no more. @throws PERSONAL_KEY_INVALID; errors of the broker */
  async get(subject: string): Promise<PersonalKey | undefined> {
    return (await this.#state(subject)).key
  }

  /** The same, and it is made unless there is one. @param replicas of a bucket that is made for it */
  async ensure(subject: string, replicas: number): Promise<PersonalKey> {
    for (let state = await this.#state(subject); ; state = await this.#again(subject)) {
      if (state.key !== undefined) return state.key
      const data = newPersonalKey(subject)
      const revision = await this.#write(subject, data, state.revision, replicas)
      if (revision === undefined) continue // somebody else has made one
      const key = readPersonalKey(subject, data, revision)
      this.#known.set(subject, Promise.resolve({ key, revision }))
      return key
    }
  }

  async #write(subject: string, data: Uint8Array, expected: number, replicas: number): Promise<number | undefined> {
    const value = { key: subject, data, expected }
    try {
      return await writeBucket(this.#connection, PERSONAL_KEYS, value)
    } catch (error) {
      if (!isFault(error, 'NO_STREAM_FOR_SUBJECT', 'STREAM_NOT_FOUND')) throw error
      await ensurePersonalKeys(this.#connection, replicas)
      return writeBucket(this.#connection, PERSONAL_KEYS, value)
    }
  }

  #again(subject: string): Promise<KeyState> {
    this.#known.delete(subject)
    return this.#state(subject)
  }

  #state(subject: string): Promise<KeyState> {
    const known = this.#known.get(subject)
    if (known !== undefined) return known
    const reading = readState(this.#connection, subject)
    this.#known.set(subject, reading)
    return reading
  }
}

async function readState(connection: Connection, subject: string): Promise<KeyState> {
  try {
    const last = await readLast(connection, STREAM, subjectOf(subject))
    if (last === undefined) return NONE
    const { sequence: revision, data } = last
    if (last.header(KEY_OPERATION) !== undefined) return { key: undefined, revision }
    return { key: readPersonalKey(subject, data, revision), revision }
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return NONE
    throw error
  }
}

/**
 * Erases the key of a subject: first it is marked as gone, which running actors hear of, then every value of it that is
 * stored is written over. Done again after it was killed, it goes on where it was (PE4).
 * @returns undefined: the subject never had a key
 * @throws errors of the broker
 */
export async function eraseKey(connection: Connection, subject: string): Promise<ErasedKey | undefined> {
  const { key, revision } = await readState(connection, subject)
  if (revision === 0) return undefined
  let marker = revision
  const keys: string[] = []
  if (key !== undefined) {
    keys.push(key.id)
    // it says which key is gone, for who has to do it again
    const data = Buffer.from(JSON.stringify({ erased: keys }))
    const message = { subject: subjectOf(subject), headers: [[KEY_OPERATION, 'PURGE'] as const], data }
    marker = (await publishOnce(connection, message)).sequence
  }
  for (let from = 1; from < marker;) {
    const found = await nextMessage(connection, STREAM, subjectOf(subject), from)
    if (found === undefined || found.sequence >= marker) break
    await eraseMessage(connection, STREAM, found.sequence)
    from = found.sequence + 1
  }
  if (key === undefined) keys.push(...erasedBefore(await readLast(connection, STREAM, subjectOf(subject))))
  return { keys, revision: marker }
}

function erasedBefore(marker: { readonly data: Uint8Array } | undefined): readonly string[] {
  if (marker === undefined || marker.data.length === 0) return [] // somebody has deleted it with another tool
  const { erased } = JSON.parse(Buffer.from(marker.data).toString()) as { erased?: readonly string[] }
  return erased ?? []
}

function subjectOf(subject: string): string {
  return `$KV.${PERSONAL_KEYS}.${subject}`
}
