import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { StoredMessage } from '../../broker/stored-message.js'
import { formatTime } from '../../event/rfc3339.js'

// Audit export: NDJSON, each line a JSON object with the SHA-256 of the line before as `prev`, so that no line can be
// changed, added or taken out without every later one telling.
//
//   {"audit":1,"stream":…,"created":…,"subject":…,"first":…,"last":…,"exportedAt":…}
//   {"sequence":…,"storedAt":…,"subject":…,"headers":[[name,value],…],"text":…,"prev":…}    or "base64" for "text"
//   {"end":true,"messages":…,"prev":…}
//
// A hash is of the bytes of a line without its line break, in lower-case hexadecimal. Whoever keeps the hash of the last
// line elsewhere can tell also that a whole file was written anew.

/** What an export has: of which stream, and which part of it. */
export interface AuditHeader {
  readonly audit: 1
  readonly stream: string
  /** When the stream was made, which tells it from another one of the same name. */
  readonly created: string
  /** Stored subjects that were read. */
  readonly subject: string
  /** Sequences, both included. */
  readonly first: number
  readonly last: number
  readonly exportedAt: string
}

/** A message as it is stored. */
export interface AuditEntry {
  readonly sequence: number
  readonly storedAt: string
  readonly subject: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Payload: one of the two. */
  readonly text?: string
  readonly base64?: string
}

/** The last line. */
export interface AuditEnd {
  readonly end: true
  readonly messages: number
}

/** A message as its line has it. */
export function auditEntry({ sequence, storedAt, subject, headers, data }: StoredMessage): AuditEntry {
  const entry = { sequence, storedAt: formatTime(storedAt), subject, headers: [...headers.entries()] }
  const payload = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return isUtf8(payload)
    ? { ...entry, text: payload.toString('utf8') }
    : { ...entry, base64: payload.toString('base64') }
}

export function hashOfLine(line: string): string {
  return hash('sha256', line, 'hex')
}

/** Writes the lines of an export one after the other. */
export class AuditWriter {
  #hash: string | undefined
  #messages = 0

  /** Hash of the last line. */
  get hash(): string {
    return this.#hash ?? ''
  }

  get messages(): number {
    return this.#messages
  }

  header(header: AuditHeader): string {
    return this.#line(header)
  }

  entry(message: StoredMessage): string {
    this.#messages += 1
    return this.#line({ ...auditEntry(message), prev: this.hash })
  }

  end(): string {
    const end: AuditEnd = { end: true, messages: this.#messages }
    return this.#line({ ...end, prev: this.hash })
  }

  #line(value: object): string {
    const line = JSON.stringify(value)
    this.#hash = hashOfLine(line)
    return `${line}\n`
  }
}
