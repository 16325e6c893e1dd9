import { AttributeReader, quoteShort } from './attribute-reader.js'
import { rejectEnvelope, sealEnvelope, type DecodedMessage } from './envelope.js'
import { parseJson } from './json-payload.js'

const JSON_FORMAT = /^\s*application\/cloudevents(?:\+json)?\s*(?:;|$)/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Reads a payload in the CloudEvents JSON format: attributes are members, null members are absent, data is the member
 * `data` or, as bytes, `data_base64`.
 * Source: CloudEvents JSON event format 1.0, sections 2 and 3.
 */
export function readStructured(contentType: string, payload: Uint8Array): DecodedMessage {
  const read = new AttributeReader()
  const parsed = parseJson(payload)
  if (!JSON_FORMAT.test(contentType)) read.problem(`${quoteShort(contentType.trim())}: only the JSON format is read`)
  else if (!parsed.ok) read.problem(parsed.problem)
  else return readStructuredMember(parsed.value, read)
  return rejectEnvelope(read)
}

/** The same for a value that was parsed already: one event of a batch, say. */
export function readStructuredMember(value: unknown, read = new AttributeReader()): DecodedMessage {
  if (isObject(value)) return readMembers(read, value)
  read.problem('the payload is not a JSON object')
  return rejectEnvelope(read)
}

/** The same for a JSON object that was parsed already: one line of a recording, say. */
export function readStructuredObject(members: Readonly<Record<string, unknown>>): DecodedMessage {
  return readMembers(new AttributeReader(), members)
}

function readMembers(read: AttributeReader, members: Readonly<Record<string, unknown>>): DecodedMessage {
  for (const [name, value] of Object.entries(members)) {
    if (name === 'data' || name === 'data_base64' || value === null) continue
    const text = canonical(value)
    if (text === undefined) read.problem(`${quoteShort(name)} is not a string, a boolean or an integer`)
    else read.put(name, text)
  }
  return sealEnvelope(read, readData(read, members))
}

function readData(read: AttributeReader, members: Readonly<Record<string, unknown>>): unknown {
  const encoded = members['data_base64'] ?? undefined
  if (encoded === undefined) return members['data']
  if ('data' in members) read.problem('data and data_base64 are both there')
  if (typeof encoded !== 'string' || !BASE64.test(encoded)) {
    read.problem('data_base64 is not base64')
    return undefined
  }
  const parsed = parseJson(Buffer.from(encoded, 'base64'))
  if (parsed.ok) return parsed.value
  read.problem(`data_base64: ${parsed.problem}`)
  return undefined
}

/** The text of an attribute value; JSON has no other types for them (section 2.2). */
function canonical(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
