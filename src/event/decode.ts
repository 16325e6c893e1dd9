import { decodeHeaderValue } from './header-value.js'
import { putAttribute, rejectEnvelope, sealEnvelope, type Attributes, type DecodedMessage } from './envelope.js'
import { parseJson } from './json-payload.js'
import { readStructured } from './structured.js'
import type { HeaderReader } from './wire.js'

const STRUCTURED = 'application/cloudevents'

/**
 * Reads a message as a CloudEvent, in binary or structured mode of the NATS binding. Says everything that is wrong
 * with the envelope at once. Never throws, whatever the bytes.
 */
export function decodeMessage(headers: HeaderReader, data: Uint8Array): DecodedMessage {
  const attributes: Attributes = { values: new Map(), problems: [] }
  for (const [header, value] of headers.entries()) {
    // the first letter settles it for Nats-* headers, which need no lower-casing then
    if ((header.charCodeAt(0) | 0x20) !== 0x63) continue
    if (header.startsWith('ce-')) readHeader(attributes, header, value)
    else {
      const name = header.toLowerCase()
      if (name.startsWith('ce-')) readHeader(attributes, name, value)
      else if (name === 'content-type' && value.trimStart().toLowerCase().startsWith(STRUCTURED))
        return readStructured(value, data)
    }
  }
  const payload = parseJson(data)
  if (payload.ok) return sealEnvelope(attributes, payload.value)
  // the payload of a foreign content type is no JSON either: the type is what has to be said
  const sealed = sealEnvelope(attributes, undefined)
  if (sealed.kind === 'rejected') return sealed
  attributes.problems.push(payload.problem)
  return rejectEnvelope(attributes)
}

function readHeader(attributes: Attributes, header: string, value: string): void {
  const text = decodeHeaderValue(value)
  const name = header.slice(3)
  if (text === undefined) attributes.problems.push(`${header} is not percent-encoded UTF-8`)
  else putAttribute(attributes, isLower(name) ? name : name.toLowerCase(), text)
}

const UPPER = /[A-Z]/

function isLower(name: string): boolean {
  return !UPPER.test(name)
}
