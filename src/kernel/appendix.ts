import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { NEVER_EXPIRES } from '../broker/batch.js'
import { fault } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'

// Lists of JSON texts that grow with the commits, journal and state log, as messages.

/** Text in one message, in characters, before it is compressed. */
const CHUNK = 256 * 1024
/** Of an item that is larger, so much is in one message, in bytes: well below the smallest max_payload in use. */
const PIECE = 256 * 1024
/** Below this, compressing costs more than it saves. */
const WORTH_DEFLATING = 2_048
const DEFLATED = ['Millrace-Encoding', 'deflate'] as const
/** Which one of how many messages it is that hold a list together: `2/3`. */
const PIECE_HEADER = 'Millrace-Piece'

/** Whose items they are, when they count for nobody else: the version of the code. */
const VERSION_HEADER = 'Millrace-Version'

/**
 * Writes items, each JSON already, as few messages of one subject.
 * @param version of the code for which they count, when the record may yet be another's. Default: for everybody
 */
export function appendixMessages(subject: string, items: readonly string[], version?: string): WireMessage[] {
  const whose = version === undefined ? [] : [[VERSION_HEADER, version] as const]
  const messages: WireMessage[] = []
  let chunk: string[] = []
  let size = 0
  const flush = (): void => {
    messages.push(...inPieces(subject, Buffer.from(`[${chunk.join(',')}]`), whose))
    chunk = []
    size = 0
  }
  for (const item of items) {
    if (size > 0 && size + item.length > CHUNK) flush()
    chunk.push(item)
    size += item.length
  }
  if (chunk.length > 0) flush()
  return messages
}

function inPieces(subject: string, text: Buffer, whose: WireMessage['headers']): WireMessage[] {
  const deflate = text.length >= WORTH_DEFLATING
  const data = deflate ? deflateRawSync(text, { level: 1 }) : text
  const headers = [NEVER_EXPIRES, ...(deflate ? [DEFLATED] : []), ...whose]
  const count = Math.ceil(data.length / PIECE)
  if (count === 1) return [{ subject, headers, data }]
  return Array.from({ length: count }, (_, at) => ({
    subject,
    headers: [...headers, [PIECE_HEADER, `${at + 1}/${count}`] as const],
    data: data.subarray(at * PIECE, (at + 1) * PIECE),
  }))
}

/** A message of an appendix as it is stored. */
export interface AppendixMessage {
  readonly subject: string
  readonly sequence: number
  readonly header: (name: string) => string | undefined
  readonly data: Uint8Array
}

/** One stored list of an appendix. */
export interface AppendixPart {
  /** Of the output stream: where it begins. */
  readonly sequence: number
  readonly items: readonly unknown[]
}

/** Puts lists together that are read message by message, in order. */
export class AppendixParts {
  readonly #parts: AppendixPart[] = []
  /** Of a list that is not complete. */
  #pieces: Uint8Array[] = []
  #since = 0
  readonly #version: string | undefined

  /** @param version of the code that wrote what is read; what another one has written for itself is passed over */
  constructor(version?: string) {
    this.#version = version
  }

  /** @throws SNAPSHOT_INVALID */
  add({ subject, sequence, header, data }: AppendixMessage): void {
    if ((header(VERSION_HEADER) ?? this.#version) !== this.#version) return
    const [at = 1, count = 1] = (header(PIECE_HEADER) ?? '1/1').split('/').map(Number)
    if (at !== this.#pieces.length + 1)
      throw fault(
        'SNAPSHOT_INVALID',
        `${subject}: piece ${this.#pieces.length + 1} before sequence ${sequence} is missing`,
      )
    if (at === 1) this.#since = sequence
    this.#pieces.push(data)
    if (at < count) return
    const whole = count === 1 ? data : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#parts.push({ sequence: this.#since, items: readAppendix(subject, header(APPENDIX_ENCODING), whole) })
  }

  /** @throws SNAPSHOT_INVALID the last of them is not complete */
  all(): readonly AppendixPart[] {
    if (this.#pieces.length === 0) return this.#parts
    throw fault('SNAPSHOT_INVALID', `what begins at sequence ${this.#since} is not complete`)
  }
}

/**
 * Reads the items of one list back.
 * @throws SNAPSHOT_INVALID
 */
export function readAppendix(subject: string, encoding: string | undefined, data: Uint8Array): readonly unknown[] {
  try {
    const text = encoding === DEFLATED[1] ? inflateRawSync(data) : Buffer.from(data)
    const value: unknown = JSON.parse(text.toString('utf8'))
    if (Array.isArray(value)) return value as unknown[]
  } catch (cause) {
    throw fault('SNAPSHOT_INVALID', `${subject} cannot be read`, { cause })
  }
  throw fault('SNAPSHOT_INVALID', `${subject} holds no list`)
}

/** Header that says how the items are written. */
export const APPENDIX_ENCODING = DEFLATED[0]
