import { putAttribute, rejectEnvelope, sealEnvelope, type Attributes, type DecodedMessage } from './envelope.js'
import { parseJson } from './json-payload.js'

const JSON_FORMAT = /^\s*application\/cloudevents(?:\+json)?\s*(?:;|$)/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Reads a payload in the CloudEvents JSON format: attributes are members, null members are absent, data is the member
 * `data` or, as bytes, `data_base64`.
 * Source: CloudEvents JSON event format 1.0, sections 2 and 3.
 */
export function readStructured(contentType: string, payload: Uint8Array): DecodedMessage {
  const attributes: Attributes = { values: new Map(), problems: [] }
  const parsed = parseJson(payload)
  if (!JSON_FORMAT.test(contentType)) attributes.problems.push(`${contentType.trim()}: only the JSON format is read`)
  else if (!parsed.ok) attributes.problems.push(parsed.problem)
  else if (!isObject(parsed.value)) attributes.problems.push('the payload is not a JSON object')
  else return readMembers(attributes, parsed.value)
  return rejectEnvelope(attributes)
}

function readMembers(attributes: Attributes, members: Record<string, unknown>): DecodedMessage {
  for (const [name, value] of Object.entries(members)) {
    if (name === 'data' || name === 'data_base64' || value === null) continue
    const text = canonical(value)
    if (text === undefined) attributes.problems.push(`${name} is not a string, a boolean or an integer`)
    else putAttribute(attributes, name, text)
  }
  return sealEnvelope(attributes, readData(attributes, members))
}

function readData({ problems }: Attributes, members: Record<string, unknown>): unknown {
  const encoded = members['data_base64'] ?? undefined
  if (encoded === undefined) return members['data']
  if ('data' in members) problems.push('data and data_base64 are both there')
  if (typeof encoded !== 'string' || !BASE64.test(encoded)) {
    problems.push('data_base64 is not base64')
    return undefined
  }
  const parsed = parseJson(Buffer.from(encoded, 'base64'))
  if (parsed.ok) return parsed.value
  problems.push(`data_base64: ${parsed.problem}`)
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
