import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { WireMessage } from '../event/wire.js'
import { fault } from '../error/millrace-error.js'
import { aggregateSnapshotSubject } from './aggregate-subject.js'
import { HEADER_ROOM } from './encode-record.js'
import { VERSION_HEADER, type RecordSource } from './record.js'
import { hasState, readFrame, writeFrame, type StateFrame } from './state-frame.js'

/** From this size on a snapshot is compressed, in bytes. */
const COMPRESS_FROM = 32 * 1024
const ENCODING = 'Millrace-Encoding'
const DEFLATE = 'deflate'

/**
 * Writes the state of an aggregate as a message that takes the place of the former snapshot. It belongs into the batch
 * of the record that led to it, after that record.
 * @throws AGGREGATE_STATE_INVALID, AGGREGATE_STATE_TOO_LARGE, AGGREGATE_ID_INVALID
 */
export function snapshotMessage(
  stream: string,
  type: string,
  id: string,
  frame: StateFrame,
  maxPayload: number,
): WireMessage {
  const text = Buffer.from(writeFrame(frame).text)
  const compressed = text.length >= COMPRESS_FROM
  const data = compressed ? deflateRawSync(text) : text
  if (data.length + HEADER_ROOM > maxPayload)
    throw fault('AGGREGATE_STATE_TOO_LARGE', `${type} ${JSON.stringify(id)}: ${data.length} bytes of ${maxPayload}`)
  const headers: (readonly [string, string])[] = [ROLLUP_SUBJECT, NEVER_EXPIRES, [VERSION_HEADER, String(frame.v)]]
  if (compressed) headers.push([ENCODING, DEFLATE])
  return { subject: aggregateSnapshotSubject(stream, type, id), headers, data }
}

/** @param where what it is, for the error @throws AGGREGATE_RECORD_INVALID */
export function readAggregateSnapshot(source: RecordSource, where: string): StateFrame {
  const place = `${where}, snapshot at sequence ${source.sequence}`
  const frame = readFrame(textOf(source, place), place)
  if (hasState(frame)) return frame
  throw fault('AGGREGATE_RECORD_INVALID', `${place}: it has no state`)
}

function textOf(source: RecordSource, place: string): string {
  const data = Buffer.from(source.data)
  if (source.header(ENCODING) !== DEFLATE) return data.toString()
  try {
    return inflateRawSync(data).toString()
  } catch (cause) {
    throw fault('AGGREGATE_RECORD_INVALID', `${place}: it cannot be decompressed`, { cause })
  }
}
