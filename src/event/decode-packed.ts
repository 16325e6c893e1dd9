import { AttributeReader } from './attribute-reader.js'
import { rejectEnvelope, type DecodedMessage, type Envelope } from './envelope.js'
import { parseJson, parseText } from './json-payload.js'
import { elementsOf } from './json-elements.js'
import { parseTime } from './rfc3339.js'
import { readStructured, readStructuredMember } from './structured.js'

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({})
const DIGITS = /^[1-9]\d{0,8}$/

/**
 * Reads the events of a pack, in their order, each as if it were alone in a message: what is wrong with one is no
 * matter of the others. A payload that is no array at all is one rejection; an empty array has no events.
 */
export function readPack(payload: Uint8Array): readonly DecodedMessage[] {
  const parsed = parseJson(payload)
  if (parsed.ok && Array.isArray(parsed.value)) return parsed.value.map(readMember)
  // something in it is not JSON, or not UTF-8: then each is read for itself
  const elements = parsed.ok ? undefined : elementsOf(payload)
  if (elements !== undefined) return elements.map((element) => readStructured('application/cloudevents+json', element))
  const read = new AttributeReader()
  read.problem(parsed.ok ? 'the payload is not a JSON array' : parsed.problem)
  return [rejectEnvelope(read)]
}

/** The same of text that is at hand; undefined when it is no JSON array: the bytes then say what it is. */
export function readPackText(text: string): readonly DecodedMessage[] | undefined {
  const parsed = parseText(text)
  return parsed.ok && Array.isArray(parsed.value) ? parsed.value.map(readMember) : undefined
}

function readMember(value: unknown): DecodedMessage {
  const envelope = readRegularMember(value)
  return envelope === undefined ? readStructuredMember(value) : { kind: 'envelope', envelope }
}

interface Members {
  readonly [name: string]: unknown
}

/**
 * Reads a member in the form in which nearly every one is: attributes that an event has fields for, as texts, and the
 * version of an aggregate. Undefined
 * for every other, right or wrong: it is then read thoroughly, so this never has to judge.
 */
function readRegularMember(value: unknown): Envelope | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const members = value as Members
  for (const name in members) if (!isField(name)) return undefined
  const { id, source, type, specversion, datacontenttype, dataversion, data } = members
  const { time, partitionkey, correlationid, causationid, aggregateversion } = members
  if (!isText(id) || !isText(source) || !isText(type) || specversion !== '1.0') return undefined
  if (datacontenttype !== undefined && datacontenttype !== 'application/json') return undefined
  if (!isOptional(partitionkey) || !isOptional(correlationid) || !isOptional(causationid)) return undefined
  if (dataversion !== undefined && !(isText(dataversion) && DIGITS.test(dataversion))) return undefined
  if (!isOptional(time) || !isOptional(aggregateversion)) return undefined
  const happened = time === undefined ? undefined : parseTime(time)
  if (time !== undefined && happened === undefined) return undefined
  return {
    id,
    source,
    type,
    version: dataversion === undefined ? 1 : Number(dataversion),
    time: happened,
    key: partitionkey,
    correlationId: correlationid,
    causationId: causationid,
    // every event of an aggregate has it
    attributes: aggregateversion === undefined ? NO_ATTRIBUTES : { aggregateversion },
    data,
  }
}

function isField(name: string): boolean {
  switch (name) {
    case 'specversion':
    case 'id':
    case 'source':
    case 'type':
    case 'time':
    case 'datacontenttype':
    case 'dataversion':
    case 'partitionkey':
    case 'correlationid':
    case 'causationid':
    case 'aggregateversion':
    case 'data':
      return true
    default:
      return false
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isOptional(value: unknown): value is string | undefined {
  return value === undefined || isText(value)
}
