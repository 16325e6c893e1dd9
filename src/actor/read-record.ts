import { aggregateVersionOf } from './aggregate-event.js'
import { readPack } from '../event/decode-packed.js'
import { openEnvelope } from '../event/decode-event.js'
import type { StoredEvent } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import { fault } from '../error/millrace-error.js'
import {
  DECIDED_HEADER,
  STATE_HEADER,
  VERSION_HEADER,
  type AggregateRecord,
  type Decided,
  type RecordHead,
  type RecordSource,
} from './record.js'
import { readFrame } from './state-frame.js'

/**
 * Reads what the headers of a record say; its events are not looked at.
 * @param where what it is, for the error
 * @throws AGGREGATE_RECORD_INVALID
 */
export function readRecordHead(source: RecordSource, where: string): RecordHead {
  const { sequence, storedAt } = source
  const place = `${where}, sequence ${sequence}`
  const version = Number(source.header(VERSION_HEADER) ?? '')
  if (!(Number.isSafeInteger(version) && version >= 0) || source.header(VERSION_HEADER) === undefined)
    throw fault('AGGREGATE_RECORD_INVALID', `${place}: it has no version`)
  const decided = source.header(DECIDED_HEADER)
  const frame = source.header(STATE_HEADER)
  return {
    sequence,
    storedAt,
    version,
    decided: decided === undefined ? [] : readDecided(decided, place),
    goesOn: decided === undefined,
    frame: frame === undefined ? undefined : readFrame(frame, place),
  }
}

/**
 * Reads a record with its events, each brought to the version of its contract.
 * @throws AGGREGATE_RECORD_INVALID: it is none, or an event in it cannot be read
 */
export function readRecord(registry: Registry, source: RecordSource, stream: string, where: string): AggregateRecord {
  const head = readRecordHead(source, where)
  return { ...head, events: readRecordEvents(registry, source, stream, where, head.version) }
}

/** @param version of the aggregate after them @throws AGGREGATE_RECORD_INVALID */
export function readRecordEvents(
  registry: Registry,
  { sequence, storedAt, data }: RecordSource,
  stream: string,
  where: string,
  version: number,
): readonly StoredEvent[] {
  const at = { stream, sequence, storedAt }
  const read = readPack(data)
  const first = version - read.length + 1
  return read.map((member, index) => {
    const one = member.kind === 'rejected' ? member : openEnvelope(registry, member.envelope, at)
    const place = `${where}, sequence ${sequence}, version ${first + index}`
    if (one.kind === 'rejected')
      throw fault('AGGREGATE_RECORD_INVALID', `${place}: ${one.code}: ${one.detail}`, { issues: one.issues })
    if (aggregateVersionOf(one.event) !== first + index)
      throw fault('AGGREGATE_RECORD_INVALID', `${place}: its event says version ${aggregateVersionOf(one.event)}`)
    return one.event
  })
}

function readDecided(text: string, place: string): readonly Decided[] {
  let decided: unknown
  try {
    decided = JSON.parse(text)
  } catch (cause) {
    throw fault('AGGREGATE_RECORD_INVALID', `${place}: what was decided is not JSON`, { cause })
  }
  if (Array.isArray(decided) && decided.every(isDecided)) return decided
  throw fault('AGGREGATE_RECORD_INVALID', `${place}: what was decided is no list of commands`)
}

function isDecided(value: unknown): value is Decided {
  if (typeof value !== 'object' || value === null) return false
  const { c, q, n, r } = value as Partial<Decided>
  if (r !== undefined && typeof r !== 'string') return false
  return typeof c === 'string' && Number.isSafeInteger(q) && Number.isSafeInteger(n) && (n as number) >= 0
}
