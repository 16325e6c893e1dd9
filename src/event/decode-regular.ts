import { FIELD_ATTRIBUTES, type FieldAttribute } from './attribute-name.js'
import type { Envelope } from './envelope.js'
import { learnLayout, readKnownLayout, type HeaderUse } from './header-layout.js'
import { readJson } from './json-layout.js'
import type { JsonPayload } from './json-payload.js'
import { parseTime } from './rfc3339.js'
import type { AsciiMessage } from './wire.js'

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({})
const [CR, SPACE, LETTER_C, LETTER_E, DASH, LETTER_N] = [0x0d, 0x20, 0x63, 0x65, 0x2d, 0x4e]
const DIGITS = /^[1-9]\d{0,8}$/
const slot = (name: FieldAttribute): number => FIELD_ATTRIBUTES.indexOf(name)
const [ID, SOURCE, TYPE, SPECVERSION] = [slot('id'), slot('source'), slot('type'), slot('specversion')]
const [TIME, KEY, VERSION, CONTENT] = [slot('time'), slot('partitionkey'), slot('dataversion'), slot('datacontenttype')]
const [CORRELATION, CAUSATION] = [slot('correlationid'), slot('causationid')]
// by length of the name and its second letter, which tells the names of one length apart
const BY_SHAPE = new Int8Array(16 * 256).fill(-1)
for (const [at, name] of FIELD_ATTRIBUTES.entries()) BY_SHAPE[name.length * 256 + name.charCodeAt(1)] = at
// the decoder is not re-entered while it reads one message
const fields: (string | undefined)[] = FIELD_ATTRIBUTES.map(() => undefined)
const REPEATED = FIELD_ATTRIBUTES.map((name) => ['specversion', 'source', 'type', 'datacontenttype'].includes(name))
const lastValues: string[] = FIELD_ATTRIBUTES.map(() => '')

/**
 * Reads the attributes of a message in the form in which nearly every message is: binary mode, lower-case names,
 * nothing escaped, nothing twice, only attributes that an event has fields for. Undefined for every other message,
 * right or wrong: `decodeMessage` then reads it thoroughly, so this never has to judge.
 * @param block the header block as it came, from `NATS/1.0` on
 * @param payload the data, read only when the attributes are regular; undefined when it cannot be read
 */
export function readRegular(block: string, payload: (type: string) => JsonPayload): Envelope | undefined {
  if (block.includes('%') || block.includes('"')) return undefined
  fields.fill(undefined)
  return readFields(block) ? seal(payload) : undefined
}

/** The same, for a message that has ASCII characters alone. */
export function readRegularAscii(message: AsciiMessage): Envelope | undefined {
  const { text, headers } = message
  const payload = (type: string): JsonPayload => readJson(message, type)
  if (readKnownLayout(message, fields)) return seal(payload)
  const block = text.slice(0, headers)
  const envelope = readRegular(block, payload)
  if (envelope !== undefined) learnLayout(block, useOf)
  return envelope
}

const useOf = (name: string, value: string): HeaderUse => {
  if (!name.startsWith('ce-')) return { kind: 'skip' }
  const field = slot(name.slice(3) as FieldAttribute)
  if (field === SPECVERSION || (field === CONTENT && value === 'application/json')) return { kind: 'constant', field }
  return { kind: 'value', field, repeated: REPEATED[field] === true }
}

function readFields(block: string): boolean {
  let at = block.indexOf('\n') + 1
  if (at === 0) return false
  while (at < block.length && block.charCodeAt(at) !== CR) {
    const end = block.indexOf('\r', at)
    if (end < 0) return false
    const first = block.charCodeAt(at)
    if (first === LETTER_C) {
      if (!readField(block, at, end)) return false
    } else if (first !== LETTER_N) return false // N: the server’s own, Nats-Msg-Id and the like
    at = end + 2
  }
  return true
}

/** One line `ce-name: value`. */
function readField(block: string, at: number, end: number): boolean {
  if (block.charCodeAt(at + 1) !== LETTER_E || block.charCodeAt(at + 2) !== DASH) return false
  const value = block.indexOf(': ', at) + 2
  if (value < at + 5 || value >= end) return false
  if (block.charCodeAt(value) <= SPACE || block.charCodeAt(end - 1) <= SPACE) return false
  const length = value - at - 5
  const field = BY_SHAPE[length * 256 + block.charCodeAt(at + 4)]
  if (field === undefined || field < 0 || fields[field] !== undefined) return false
  if (!block.startsWith(FIELD_ATTRIBUTES[field] ?? ' ', at + 3)) return false
  // a stream has few types and sources: the same text again is the same string, whose hash is known
  const known = REPEATED[field] === true ? lastValues[field] : undefined
  if (known === undefined) fields[field] = block.slice(value, end)
  else if (known.length === end - value && block.startsWith(known, value)) fields[field] = known
  else fields[field] = lastValues[field] = block.slice(value, end)
  return true
}

function seal(payload: (type: string) => JsonPayload): Envelope | undefined {
  const id = fields[ID]
  const source = fields[SOURCE]
  const type = fields[TYPE]
  const version = fields[VERSION]
  const time = fields[TIME]
  const contentType = fields[CONTENT]
  if (id === undefined || source === undefined || type === undefined || fields[SPECVERSION] !== '1.0') return undefined
  if (contentType !== undefined && contentType !== 'application/json') return undefined
  if (version !== undefined && !DIGITS.test(version)) return undefined
  const happened = time === undefined ? undefined : parseTime(time)
  if (time !== undefined && happened === undefined) return undefined
  const correlationId = fields[CORRELATION]
  const causationId = fields[CAUSATION]
  const key = fields[KEY]
  const read = payload(type)
  if (!read.ok) return undefined
  return {
    id,
    source,
    type,
    version: version === undefined ? 1 : Number(version),
    time: happened,
    key,
    correlationId,
    causationId,
    attributes: NO_ATTRIBUTES,
    data: read.value,
  }
}
