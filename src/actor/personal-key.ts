// Personal values under a key of their subject: AES-256-GCM (NIST SP 800-38D). The iv follows from key, place and value
// by HMAC (RFC 2104), as in SIV modes (RFC 5297): a decision that is made again has the same bytes, and two values never
// share an iv, whatever else is the same. Who sees two equal envelopes learns that the same value is at the same place.
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import type { PersonalEnvelope } from '../event/envelope-in-data.js'
import { fault } from '../error/millrace-error.js'

const CIPHER = 'aes-256-gcm'
const IV = 12
const TAG = 16

/** What a subject is called where it is stored: 132 bits of SHA-256, so that its name is in no envelope. */
export function subjectToken(subject: string): string {
  return createHash('sha256').update(`millrace subject ${subject}`).digest('base64url').slice(0, 22)
}

/** The token of a subject in the id of a key. */
export function subjectOfKey(keyId: string): string {
  return keyId.slice(0, Math.max(0, keyId.indexOf('.')))
}

/** The key of one subject, from when it was made until it is erased. */
export class PersonalKey {
  readonly id: string
  readonly subject: string
  /** Where it is in the bucket: later than every erasure before it. */
  readonly revision: number
  readonly #cipher: Buffer
  readonly #iv: Buffer

  /** @param secret 32 bytes */
  constructor(subject: string, id: string, secret: Uint8Array, revision: number) {
    this.id = id
    this.subject = subject
    this.revision = revision
    this.#cipher = createHmac('sha256', secret).update('millrace personal cipher').digest()
    this.#iv = createHmac('sha256', secret).update('millrace personal iv').digest()
  }

  /** @param place what the value is of: the same for the same value of the same event */
  seal(value: unknown, place: string): PersonalEnvelope {
    const plain = Buffer.from(JSON.stringify(value))
    const iv = createHmac('sha256', this.#iv).update(`${place.length}:${place}`).update(plain).digest().subarray(0, IV)
    const cipher = createCipheriv(CIPHER, this.#cipher, iv, { authTagLength: TAG }).setAAD(Buffer.from(this.id))
    const text = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    return { $personal: text.toString('base64'), k: this.id }
  }

  /** @throws PERSONAL_VALUE_BROKEN it was not sealed with this key, or was changed since */
  open({ $personal, k }: PersonalEnvelope): unknown {
    const bytes = Buffer.from($personal, 'base64')
    try {
      const iv = bytes.subarray(0, IV)
      const decipher = createDecipheriv(CIPHER, this.#cipher, iv, { authTagLength: TAG }).setAAD(Buffer.from(k))
      decipher.setAuthTag(bytes.subarray(-TAG))
      const plain = Buffer.concat([decipher.update(bytes.subarray(IV, -TAG)), decipher.final()])
      return JSON.parse(plain.toString()) as unknown
    } catch (cause) {
      throw fault('PERSONAL_VALUE_BROKEN', `under key ${k}`, { cause })
    }
  }
}

interface StoredKey {
  readonly id: string
  readonly secret: string
}

/** A new key, as the bucket has it. */
export function newPersonalKey(subject: string, random: (size: number) => Uint8Array = randomBytes): Uint8Array {
  const stored: StoredKey = {
    id: `${subject}.${Buffer.from(random(6)).toString('base64url')}`,
    secret: Buffer.from(random(32)).toString('base64'),
  }
  return Buffer.from(JSON.stringify(stored))
}

/** @throws PERSONAL_KEY_INVALID */
export function readPersonalKey(subject: string, data: Uint8Array, revision: number): PersonalKey {
  try {
    const { id, secret } = JSON.parse(Buffer.from(data).toString()) as StoredKey
    const bytes = Buffer.from(secret, 'base64')
    if (bytes.length === 32 && subjectOfKey(id) === subject) return new PersonalKey(subject, id, bytes, revision)
  } catch (cause) {
    throw fault('PERSONAL_KEY_INVALID', `subject ${subject}, revision ${revision}`, { cause })
  }
  throw fault('PERSONAL_KEY_INVALID', `subject ${subject}, revision ${revision}`)
}
