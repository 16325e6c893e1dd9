import type { StoredMessage } from '../broker/stored-message.js'
import { parseStoredSubject } from '../event/subject.js'
import { decodeHeaderValue, encodeHeaderValue } from '../event/header-value.js'
import type { HeaderReader } from '../event/wire.js'
import { originalHeaders, readOriginalHeaders } from './original-headers.js'

// The event of a dead letter that comes back: to one processor, in the stream that it reads, behind everything that is
// there by then. It is handled like any event that was stored at that place; so a replay meets it there too.

/** Names the letter that an event was, and how often it was redriven. It stays with the event when it fails again. */
export const LETTER_HEADER = 'Millrace-Redriven'
/** In its place: nothing comes back yet, but it will. */
export const LETTERS_OPEN = 'open'
const SUBJECT_HEADER = 'Millrace-Redriven-Subject'
const CARRIED_HEADER = 'Millrace-Redriven-Headers'
const OWN = new Set([LETTER_HEADER, SUBJECT_HEADER, CARRIED_HEADER].map((name) => name.toLowerCase()))

/** Where an event was before it came back. */
export interface Lineage {
  /** Number of the dead letter. */
  readonly letter: number
  /** How often it was redriven, this time included: from 1. */
  readonly generation: number
}

type Header = readonly [name: string, value: string]

export function writeLineage({ letter, generation }: Lineage): Header {
  return [LETTER_HEADER, `${letter} ${generation}`]
}

/** Undefined for what nobody of ours has written. */
export function readLineage(text: string | undefined): Lineage | undefined {
  const [, letter, generation] = /^(\d{1,16}) (\d{1,9})$/.exec(text ?? '') ?? []
  return letter === undefined ? undefined : { letter: Number(letter), generation: Number(generation) }
}

/** Headers of an event as another message carries them. @param subject the one that it was stored under */
export function lettersHeaders(headers: Iterable<Header>, subject: string, lineage: Lineage): Header[] {
  const { plain, carried } = originalHeaders([...headers].filter(([name]) => !OWN.has(name.toLowerCase())))
  return [
    ...plain,
    ...(carried === undefined ? [] : [[CARRIED_HEADER, carried] as const]),
    [SUBJECT_HEADER, encodeHeaderValue(subject)],
    writeLineage(lineage),
  ]
}

/** Headers without what a redrive has put there. */
export function withoutLineage(headers: Iterable<Header>): Header[] {
  return [...headers].filter(([name]) => !OWN.has(name.toLowerCase()))
}

/**
 * A message that comes back, as it was stored before, but at the place where it is now.
 * @param partition of the unit that reads it
 */
export function comingBack(root: string, partition: string, message: StoredMessage): StoredMessage {
  const { headers } = message
  const former = decodeHeaderValue(headers.get(SUBJECT_HEADER) ?? '') ?? ''
  const place = parseStoredSubject(root, former)
  const number = Number(partition)
  const subject = place === undefined || Number.isNaN(number) ? former : `${root}.${number}.${place.type}`
  return new Back(message, subject)
}

const NO_HEADERS: HeaderReader = { get: () => undefined, entries: () => [] }
const NO_DATA = new Uint8Array(0)

class Back implements StoredMessage {
  readonly subject: string
  readonly sequence: number
  readonly storedAt: number
  readonly delivery: number
  readonly pending: number
  readonly reply: string
  headers: HeaderReader
  data: Uint8Array
  readonly #message: StoredMessage

  constructor(message: StoredMessage, subject: string) {
    const { sequence, storedAt, delivery, pending, reply, headers, data } = message
    this.sequence = sequence
    this.storedAt = storedAt
    this.delivery = delivery
    this.pending = pending
    this.reply = reply
    this.subject = subject
    this.data = data
    this.#message = message
    const lineage = headers.get(LETTER_HEADER)
    const entries = [
      ...withoutLineage(readOriginalHeaders(headers.entries(), headers.get(CARRIED_HEADER))),
      ...(lineage === undefined ? [] : [[LETTER_HEADER, lineage] as const]),
    ]
    const get = (name: string): string | undefined =>
      entries.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]
    this.headers = { get, entries: () => entries }
  }

  forget(): void {
    this.#message.forget?.()
    this.headers = NO_HEADERS
    this.data = NO_DATA
  }
}
