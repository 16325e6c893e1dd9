import { isAttributeName } from './attribute-name.js'
import { encodeEvent, type EncodedEvent } from './encode.js'
import type { Event } from './event.js'
import { decodeHeaderValue } from './header-value.js'
import { beginsArray, elementsOf } from './json-elements.js'
import { beginMember, endMember, writeText, type WrittenMember } from './member-writer.js'
import type { AsciiMessage, HeaderReader } from './wire.js'

// A pack: many events in one message, in the CloudEvents JSON batch format, where a message costs more than an event.
// Source: CloudEvents JSON event format 1.0, sections 3 and 4.

const PACK_HEADER = ['content-type', 'application/cloudevents-batch+json'] as const
const MEMBER_HEADER = ['content-type', 'application/cloudevents+json'] as const
const PACK_TYPE = /^\s*application\/cloudevents-batch\+json\s*(?:;|$)/i

/** One event of a pack: a JSON object, which stands somewhere in a page among others. */
export type PackMember = WrittenMember

/** What a member takes in a pack, with the comma or bracket before it. */
export function sizeInPack({ from, to }: PackMember): number {
  return to - from + 1
}

/** Writes a JSON object where members wait for their packs: outside the heap, where waiting costs nothing. */
export function writeMember(text: string): PackMember {
  beginMember()
  writeText(text)
  return endMember()
}

/** What a message is without its subject, to be read. */
export interface ReadableMessage {
  readonly headers: HeaderReader
  readonly data: Uint8Array
  /** The payload as UTF-8 text, where that is at hand; what is not UTF-8 is U+FFFD in it. */
  readonly text?: string | undefined
  /** All of it, where that is at hand. */
  readonly ascii?: AsciiMessage | undefined
}

/** Whether a message holds a batch of events. The data is looked at first: that costs nothing for other messages. */
export function isPack({ headers, data }: ReadableMessage): boolean {
  return beginsArray(data) && PACK_TYPE.test(headers.get(PACK_HEADER[0]) ?? '')
}

/**
 * Writes events as one message. The header array is the caller’s to extend.
 * @throws EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID when one of them cannot be written
 */
export function packEvents(events: readonly Event[]): EncodedEvent {
  return writePack(events.map((event) => memberOf(encodeEvent(event)) as PackMember))
}

/**
 * An event in binary mode, as encodeEvent writes it, as a member of a pack; its data must be JSON or empty.
 * @returns undefined when it has a header that a member has no place for
 */
export function memberOf({ headers, data }: Pick<EncodedEvent, 'data'> & WrittenHeaders): PackMember | undefined {
  let head = ''
  for (const [name, value] of headers) {
    const label = labels.get(name) ?? labelOf(name)
    if (label === LEFT_OUT && value === 'application/json') continue // which is what JSON data is without it
    const text = NEEDS_WORK.test(value) ? jsonText(value) : `"${value}"`
    if (label === '' || text === undefined) return undefined
    head += (head === '' ? '{' : ',') + label + text
  }
  if (head === '') return undefined
  return writeMember(data.length === 0 ? `${head}}` : `${head},"data":${Buffer.from(data).toString()}}`)
}

type WrittenHeaders = { readonly headers: readonly (readonly [name: string, value: string])[] }

/** Puts members into one message, in their order. */
export function writePack(members: readonly PackMember[]): EncodedEvent {
  let size = members.length === 0 ? 2 : 1
  for (const member of members) size += sizeInPack(member)
  const pack = Buffer.allocUnsafeSlow(size)
  let at = 0
  for (const { page: source, from, to } of members) {
    pack[at] = at === 0 ? OPEN_ARRAY : COMMA
    at += 1 + source.copy(pack, at + 1, from, to)
  }
  pack.write(members.length === 0 ? '[]' : ']', at)
  return { headers: [PACK_HEADER], data: pack }
}

const [OPEN_ARRAY, COMMA] = [0x5b, 0x2c]

/**
 * The events of a pack, each as a message of its own in structured mode, byte for byte as it stands in the pack. Some
 * may be no events; they are as readable as they would be alone.
 * @returns undefined when the message is no pack, or one that cannot be taken apart
 */
export function membersOf(message: ReadableMessage): readonly ReadableMessage[] | undefined {
  if (!isPack(message)) return undefined
  return elementsOf(message.data)?.map((data) => ({ headers: MEMBER_HEADERS, data }))
}

const MEMBER_HEADERS: HeaderReader = {
  get: (name) => (name.toLowerCase() === MEMBER_HEADER[0] ? MEMBER_HEADER[1] : undefined),
  entries: () => [MEMBER_HEADER],
}

/** By header name: how the JSON member begins; empty for a header that cannot be one. A program writes few names. */
const labels = new Map<string, string>()
const LEFT_OUT = '"datacontenttype":'

function labelOf(header: string): string {
  const name = header.slice(3)
  const label = header.startsWith('ce-') && isAttributeName(name) ? `"${name}":` : ''
  if (labels.size < 1_000) labels.set(header, label)
  return label
}

// what a header value has as it is in JSON too: nearly every one
const NEEDS_WORK = /[^\x21\x23\x24\x26-\x5b\x5d-\x7e]/

function jsonText(value: string): string | undefined {
  const text = decodeHeaderValue(value)
  return text === undefined ? undefined : JSON.stringify(text)
}
