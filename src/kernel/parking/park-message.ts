import { createHash } from 'node:crypto'
import { NEVER_EXPIRES } from '../../broker/batch.js'
import { MOST_HEADER_BYTES } from '../../broker/event-message.js'
import { encodedSize, encodeHeaders } from '../../broker/headers.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { decodeHeaderValue, encodeHeaderValue } from '../../event/header-value.js'
import { membersOf, type ReadableMessage } from '../../event/packed.js'
import { encodeToken } from '../../event/subject.js'
import type { HeaderReader, WireMessage } from '../../event/wire.js'
import { originalHeaders, readOriginalHeaders } from '../original-headers.js'
import { parkingId, type ParkedKey } from './parked-key.js'

/** What is noted with an event in the park, and comes back with it. Keys and subjects are percent-encoded. */
export const PARK_HEADER = {
  /** Which parking of the key: see parkingId. */
  parking: 'Millrace-Park-Id',
  number: 'Millrace-Park-Number',
  key: 'Millrace-Park-Key',
  /** Where the event is in the stream that is read, and when it was stored there. */
  sequence: 'Millrace-Park-Sequence',
  subject: 'Millrace-Park-Subject',
  storedAt: 'Millrace-Park-Stored-At',
  /** Original headers that another message cannot have as they were; see readOriginalHeaders. */
  headers: 'Millrace-Park-Headers',
  /** There was no room for the event: it is a dead letter, and only its number is here. */
  leftOut: 'Millrace-Park-Left-Out',
  /** Nothing is to be handled under this number. */
  pass: 'Millrace-Park-Pass',
} as const

/** What a message of the park, or one that comes back from it, says beside its event. */
export interface ParkedEvent {
  readonly parking: string
  readonly number: number
  readonly key: string
  readonly sequence: number
  readonly subject: string
  readonly storedAt: number
  readonly leftOut: boolean
  readonly pass: boolean
}

/** An event that is to be kept: its message, or the part of a pack that it is. */
export interface KeptEvent {
  readonly message: Pick<StoredMessage, 'sequence' | 'subject' | 'storedAt'>
  readonly part: ReadableMessage
}

/** What a batch adds to a message, and another subject. */
const MARGIN = 1_024
const LONGEST_TOKEN = 200
const NO_DATA = new Uint8Array(0)

type Header = readonly [name: string, value: string]

/** The token of a key in a park’s subject: as readable as it can be, and different for each key. */
export function parkToken(key: string): string {
  try {
    const token = encodeToken(key)
    if (token.length <= LONGEST_TOKEN && !token.startsWith('~')) return token
  } catch {
    // an unpaired surrogate: it has no token, but JSON
  }
  return `~${createHash('sha256').update(JSON.stringify(key)).digest('hex')}`
}

/** The parts of a message by event: of a pack each for itself, else the message. */
export function partsOf(message: ReadableMessage): readonly ReadableMessage[] {
  const { headers, data } = message
  return membersOf({ headers, data }) ?? [{ headers, data }]
}

/**
 * An event as the park keeps it: payload and headers as they were, and what is noted beside them.
 * @param maxPayload largest message of the server in bytes
 * @returns the message, and whether there was room for the event in it
 */
export function parkMessage(
  subject: string,
  entry: ParkedKey,
  number: number,
  event: KeptEvent,
  maxPayload: number,
): { readonly message: WireMessage; readonly kept: boolean } {
  const { sequence, storedAt } = event.message
  const H = PARK_HEADER
  const notes: Header[] = [
    [H.parking, parkingId(entry)],
    [H.number, String(number)],
    [H.key, encodeHeaderValue(JSON.stringify(entry.key))],
    [H.sequence, String(sequence)],
    [H.subject, encodeHeaderValue(event.message.subject)],
    [H.storedAt, String(storedAt)],
    NEVER_EXPIRES,
  ]
  const { plain, carried } = originalHeaders(event.part.headers.entries())
  const headers = [...plain, ...(carried === undefined ? [] : [[H.headers, carried] as const]), ...notes]
  const { data } = event.part
  const size = encodedSize(encodeHeaders(headers)) + MARGIN
  if (size <= MOST_HEADER_BYTES && size + data.length <= maxPayload)
    return { message: { subject, headers, data }, kept: true }
  return { message: { subject, headers: [...notes, [H.leftOut, '1']], data: NO_DATA }, kept: false }
}

/** Reads what is noted with an event; undefined when it is no message of a park. */
export function readParked(headers: HeaderReader): ParkedEvent | undefined {
  const H = PARK_HEADER
  const parking = headers.get(H.parking)
  const number = wholeNumber(headers.get(H.number))
  const key = readKey(headers.get(H.key))
  if (parking === undefined || number === undefined || key === undefined) return undefined
  return {
    parking,
    number,
    key,
    sequence: wholeNumber(headers.get(H.sequence)) ?? 0,
    subject: decodeHeaderValue(headers.get(H.subject) ?? '') ?? '',
    storedAt: wholeNumber(headers.get(H.storedAt)) ?? 0,
    leftOut: headers.get(H.leftOut) !== undefined,
    pass: headers.get(H.pass) !== undefined,
  }
}

/** The event itself, as it was before it was parked. */
export function originalOf({ headers, data }: ReadableMessage): ReadableMessage {
  const entries = readOriginalHeaders(headers.entries(), headers.get(PARK_HEADER.headers))
  const get = (name: string): string | undefined =>
    entries.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]
  return { headers: { get, entries: () => entries }, data }
}

/** A message of the park as it goes back to its processor: all of it but what the server put there. */
export function redriven(subject: string, { headers, data }: Pick<StoredMessage, 'headers' | 'data'>): WireMessage {
  return { subject, headers: [...headers.entries()].filter(([name]) => !/^nats-/i.test(name)), data }
}

/** What goes back in the place of an event that is left out. */
export function passedOver(subject: string, parking: string, key: string, number: number): WireMessage {
  const H = PARK_HEADER
  const headers: Header[] = [
    [H.parking, parking],
    [H.number, String(number)],
    [H.key, encodeHeaderValue(JSON.stringify(key))],
    [H.pass, '1'],
  ]
  return { subject, headers, data: NO_DATA }
}

function wholeNumber(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function readKey(value: string | undefined): string | undefined {
  try {
    const key: unknown = JSON.parse(decodeHeaderValue(value ?? '') ?? '')
    return typeof key === 'string' ? key : undefined
  } catch {
    return undefined // not written by us
  }
}
