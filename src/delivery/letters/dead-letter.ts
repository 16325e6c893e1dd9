import type { StoredMessage } from '../../broker/stored-message.js'
import type { Issue } from '../../error/millrace-error.js'
import { decodeMessages } from '../../event/decode.js'
import { decodeHeaderValue } from '../../event/header-value.js'
import { DEAD_LETTER_HEADER } from '../../kernel/dead-letter.js'
import { readOriginalHeaders } from '../../kernel/original-headers.js'
import { readAttempts } from '../attempt-headers.js'
import { fingerprint } from '../fingerprint.js'
import type { FormerAttempt } from '../handler-context.js'
import { LETTER_HEADER, readLineage, type Lineage } from '../../kernel/letter-message.js'

/** A dead letter as it was kept: the reason, and the message that it is about. */
export interface DeadLetter {
  /** Its sequence in the stream of dead letters; what `show` takes. */
  readonly number: number
  /** When it became one, in ms since the Unix epoch. */
  readonly at: number
  readonly processor: string
  readonly code: string
  readonly detail: string
  readonly issues: readonly Issue[]
  readonly stack: string | undefined
  /** The key that is parked because of it. */
  readonly parkedKey: string | undefined
  /** Attempts of a handler, oldest first; of a processor none are told. */
  readonly attempts: readonly FormerAttempt[]
  /** How often the event was redriven before. */
  readonly generation: number
  /** The letter that it was before, where that is known. */
  readonly former: Lineage | undefined
  /** The same for failures of one kind. */
  readonly fingerprint: string
  /** Where the message is, or was. */
  readonly stream: string
  readonly sequence: number
  readonly subject: string
  /** Which event of that message it is, from 0; undefined: the message is about nothing else. */
  readonly member: number | undefined
  readonly storedAt: string
  /** How many events it has: one, unless it is a pack that could not be taken apart. */
  readonly events: number
  /** CloudEvents attributes that could be read; of many events only what they share. */
  readonly type: string | undefined
  readonly key: string | undefined
  readonly id: string | undefined
  /** The message’s own headers, as they were. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly data: Uint8Array
  /** What the message has and its dead letter had no room for: headers by number, the payload by size in bytes. */
  readonly leftOut: { readonly headers?: number; readonly payload?: number }
}

/** Reads a message of the stream of dead letters. What is missing is left empty: what is there must be shown. */
export function readDeadLetter(message: Pick<StoredMessage, 'sequence' | 'storedAt' | 'headers' | 'data'>): DeadLetter {
  const { headers } = message
  const text = (name: string): string | undefined => {
    const value = headers.get(name)
    return value === undefined ? undefined : (decodeHeaderValue(value) ?? value)
  }
  const H = DEAD_LETTER_HEADER
  const original = readOriginalHeaders(headers.entries(), headers.get(H.headers))
  const former = readLineage(original.find(([name]) => name.toLowerCase() === LETTER_HEADER.toLowerCase())?.[1])
  const named = (name: string): string | undefined => {
    const value = original.find(([other]) => other.toLowerCase() === name)?.[1]
    return value === undefined ? undefined : (decodeHeaderValue(value) ?? value)
  }
  const inside = /^\s*application\/cloudevents/i.test(named('content-type') ?? '')
    ? attributesInside(original, message.data)
    : []
  const attribute = (name: keyof Attributes): string | undefined => named(`ce-${HEADER[name]}`) ?? shared(inside, name)
  const [headersOut, payloadOut] = [headers.get(H.headersLeftOut), headers.get(H.payloadLeftOut)]
  return {
    number: message.sequence,
    at: message.storedAt,
    processor: text(H.processor) ?? '',
    code: text(H.code) ?? '',
    detail: text(H.detail) ?? '',
    issues: issuesOf(text(H.issues)),
    stack: text(H.stack),
    parkedKey: text(H.parkedKey),
    attempts: readAttempts(headers.get(H.attempts) ?? ''),
    generation: former?.generation ?? (Number(headers.get(H.generation)) || 0),
    former,
    fingerprint: headers.get(H.fingerprint) ?? fingerprint(text(H.code) ?? '', text(H.detail) ?? '', text(H.stack)),
    stream: text(H.stream) ?? '',
    sequence: Number(text(H.sequence) ?? 0),
    subject: text(H.subject) ?? '',
    member: headers.get(H.member) === undefined ? undefined : Number(headers.get(H.member)),
    storedAt: text(H.storedAt) ?? '',
    events: Math.max(1, inside.length),
    type: attribute('type'),
    key: attribute('key'),
    id: attribute('id'),
    headers: original,
    data: message.data,
    leftOut: {
      ...(headersOut === undefined ? {} : { headers: Number(headersOut) }),
      ...(payloadOut === undefined ? {} : { payload: Number(payloadOut) }),
    },
  }
}

interface Attributes {
  readonly type: string | undefined
  readonly key: string | undefined
  readonly id: string | undefined
}

const HEADER = { type: 'type', key: 'partitionkey', id: 'id' } as const

/** What the payload says of its events, where the headers leave it to the payload. */
function attributesInside(headers: DeadLetter['headers'], data: Uint8Array): readonly Attributes[] {
  const get = (name: string): string | undefined => headers.find(([other]) => other.toLowerCase() === name)?.[1]
  return decodeMessages({ get, entries: () => headers }, data).map((message) =>
    message.kind === 'envelope' ? message.envelope : { type: message.type, key: undefined, id: message.id },
  )
}

function shared(inside: readonly Attributes[], name: keyof Attributes): string | undefined {
  const value = inside[0]?.[name]
  return inside.every((one) => one[name] === value) ? value : undefined
}

/** The payload for a person or as JSON: a value when it is JSON, else text, else base64. */
export function payloadOf(data: Uint8Array): { json: unknown } | { text: string } | { base64: string } {
  const buffer = Buffer.from(data)
  const text = buffer.toString('utf8')
  if (!Buffer.from(text, 'utf8').equals(buffer)) return { base64: buffer.toString('base64') }
  try {
    return { json: JSON.parse(text) as unknown }
  } catch {
    return { text } // not JSON, which may be why it is here
  }
}

function issuesOf(text: string | undefined): readonly Issue[] {
  if (text === undefined || text === '') return []
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? (value as Issue[]) : []
  } catch {
    return [{ detail: text }] // not written by us
  }
}
