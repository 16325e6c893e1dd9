import { fault } from '../error/millrace-error.js'
import { isAttributeName, isFieldAttribute } from './attribute-name.js'
import type { Event } from './event.js'
import { encodeHeaderValue } from './header-value.js'
import { plainJson } from './plain-json.js'
import { formatTime, isWritableTime } from './rfc3339.js'

type Header = readonly [name: string, value: string]

/** An event as headers and payload: what a message is without its subject. */
export interface EncodedEvent {
  readonly headers: Header[]
  readonly data: Uint8Array
}

const SPEC_VERSION: Header = ['ce-specversion', '1.0']
const CONTENT_TYPE: Header = ['ce-datacontenttype', 'application/json']
const NO_DATA = new Uint8Array(0)

// Types and sources repeat, so their headers are made once. Foreign sources could be many: a full cache starts over.
const CACHE_LIMIT = 1_024
const types = new Map<string, Header>()
const sources = new Map<string, Header>()

/** What an event says of itself. */
export type EventAttributes = Omit<Event, 'data'>

/**
 * Writes an event in binary mode of the CloudEvents NATS binding: attributes as `ce-*` headers, data as JSON.
 * Data that is undefined becomes an empty payload. The header array is the caller’s to extend.
 *
 * @throws EVENT_ENVELOPE_INVALID when an attribute cannot be written · EVENT_DATA_INVALID when data is not JSON
 */
export function encodeEvent(event: Event): EncodedEvent {
  return { headers: headersOf(event), data: bytesOf(jsonOf(event.type, event.data)) }
}

/** @throws EVENT_ENVELOPE_INVALID when an attribute cannot be written */
export function headersOf(event: EventAttributes): Header[] {
  const headers: Header[] = [
    SPEC_VERSION,
    ['ce-id', encodeText('id', event.id)],
    repeated(sources, 'source', event.source),
    repeated(types, 'type', event.type),
    ['ce-time', encodeTime(event.time)],
    CONTENT_TYPE,
  ]
  if (event.version !== 1) headers.push(['ce-dataversion', encodeVersion(event.version)])
  if (event.key !== undefined) headers.push(['ce-partitionkey', encodeText('key', event.key)])
  if (event.correlationId !== undefined)
    headers.push(['ce-correlationid', encodeText('correlationId', event.correlationId)])
  if (event.causationId !== undefined) headers.push(['ce-causationid', encodeText('causationId', event.causationId)])
  for (const name in event.attributes) {
    if (!isAttributeName(name) || isFieldAttribute(name))
      throw fault('EVENT_ENVELOPE_INVALID', `${event.type}: attribute ${JSON.stringify(name)} has no name of its own`)
    headers.push([`ce-${name}`, encodeHeaderValue(event.attributes[name] ?? '')])
  }
  return headers
}

/** The text of data; undefined when there is none. @throws EVENT_DATA_INVALID when it is not JSON */
export function jsonOf(type: string, data: unknown): string | undefined {
  try {
    return plainJson(data) ?? JSON.stringify(data)
  } catch (cause) {
    throw fault('EVENT_DATA_INVALID', `${type}: its data is not JSON`, { cause })
  }
}

export function bytesOf(json: string | undefined): Uint8Array {
  return json === undefined ? NO_DATA : Buffer.from(json)
}

function encodeText(what: string, text: string): string {
  if (text === '') throw fault('EVENT_ENVELOPE_INVALID', `${what} is empty`)
  return encodeHeaderValue(text)
}

function encodeTime(time: number): string {
  if (!isWritableTime(time)) throw fault('EVENT_ENVELOPE_INVALID', `time ${time} cannot be written`)
  return formatTime(time)
}

function encodeVersion(version: number): string {
  if (!Number.isSafeInteger(version) || version < 1)
    throw fault('EVENT_ENVELOPE_INVALID', `version ${version} is not a whole number from 1`)
  return String(version)
}

function repeated(cache: Map<string, Header>, what: string, text: string): Header {
  const known = cache.get(text)
  if (known !== undefined) return known
  const header: Header = [`ce-${what}`, encodeText(what, text)]
  if (cache.size >= CACHE_LIMIT) cache.clear()
  cache.set(text, header)
  return header
}
