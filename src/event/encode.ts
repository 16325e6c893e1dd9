import { fault } from '../error/millrace-error.js'
import { isAttributeName, isFieldAttribute } from './attribute-name.js'
import type { Event } from './event.js'
import { encodeHeaderValue } from './header-value.js'
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

/**
 * Writes an event in binary mode of the CloudEvents NATS binding: attributes as `ce-*` headers, data as JSON.
 * Data that is undefined becomes an empty payload. The header array is the caller’s to extend.
 *
 * @throws EVENT_ENVELOPE_INVALID when an attribute cannot be written · EVENT_DATA_INVALID when data is not JSON
 */
export function encodeEvent(event: Event): EncodedEvent {
  if (event.id === '') throw fault('EVENT_ENVELOPE_INVALID', `${event.type}: id is empty`)
  if (!isWritableTime(event.time)) throw fault('EVENT_ENVELOPE_INVALID', `${event.type}: time ${event.time}`)
  const headers: Header[] = [
    SPEC_VERSION,
    ['ce-id', encodeHeaderValue(event.id)],
    repeated(sources, 'ce-source', event.source),
    repeated(types, 'ce-type', event.type),
    ['ce-time', formatTime(event.time)],
    CONTENT_TYPE,
  ]
  if (event.version !== 1) headers.push(['ce-dataversion', String(event.version)])
  if (event.key !== undefined) headers.push(['ce-partitionkey', encodeHeaderValue(event.key)])
  if (event.correlationId !== undefined) headers.push(['ce-correlationid', encodeHeaderValue(event.correlationId)])
  if (event.causationId !== undefined) headers.push(['ce-causationid', encodeHeaderValue(event.causationId)])
  for (const name in event.attributes) {
    if (!isAttributeName(name) || isFieldAttribute(name))
      throw fault('EVENT_ENVELOPE_INVALID', `${event.type}: attribute ${JSON.stringify(name)} has no name of its own`)
    headers.push([`ce-${name}`, encodeHeaderValue(event.attributes[name] ?? '')])
  }
  return { headers, data: encodeData(event) }
}

function repeated(cache: Map<string, Header>, name: string, text: string): Header {
  const known = cache.get(text)
  if (known !== undefined) return known
  if (text === '') throw fault('EVENT_ENVELOPE_INVALID', `${name} is empty`)
  if (cache.size >= CACHE_LIMIT) cache.clear()
  const header: Header = [name, encodeHeaderValue(text)]
  cache.set(text, header)
  return header
}

function encodeData(event: Event): Uint8Array {
  let json: string | undefined
  try {
    json = JSON.stringify(event.data)
  } catch (cause) {
    throw fault('EVENT_DATA_INVALID', `${event.type}: its data is not JSON`, { cause })
  }
  return json === undefined ? NO_DATA : Buffer.from(json)
}
