import { decodeMessage } from '../event/decode.js'
import type { Envelope, Rejection } from '../event/envelope.js'
import { formatTime } from '../event/rfc3339.js'
import type { HeaderReader } from '../event/wire.js'

/** Where an event is stored. */
export interface Position {
  readonly stream: string
  readonly sequence: number
  /** In milliseconds since the Unix epoch. */
  readonly storedAt: number
}

/**
 * Extension attributes that say where a replayed event was stored. The sequence is text, since CloudEvents integers end
 * at 2,147,483,647. An event that has such attributes, from an earlier replay, gets them anew.
 */
export const POSITION_ATTRIBUTES = { stream: 'streamname', sequence: 'streamsequence', storedAt: 'storedtime' } as const

export type EventLine = { readonly kind: 'line'; readonly text: string } | Rejection<'EVENT_ENVELOPE_INVALID'>

const STRUCTURED = /^\s*application\/cloudevents/i
const POSITION_NAMES: ReadonlySet<string> = new Set(Object.values(POSITION_ATTRIBUTES))

/**
 * Writes a message as one line of the CloudEvents JSON format. The data of a binary message is written as it was
 * received, so that numbers keep their digits. An event without a time gets the one at which it was stored.
 * Source: CloudEvents JSON event format 1.0.
 */
export function eventLine(headers: HeaderReader, data: Uint8Array, at?: Position): EventLine {
  const decoded = decodeMessage(headers, data)
  if (decoded.kind === 'rejected') return decoded
  const { envelope } = decoded
  const text = `{"specversion":"1.0"${attributesOf(envelope, at)}`
  const json = dataText(headers, data, envelope)
  return { kind: 'line', text: json === undefined ? `${text}}\n` : `${text},"data":${json}}\n` }
}

function attributesOf(envelope: Envelope, at: Position | undefined): string {
  const { id, source, type, version, key, correlationId, causationId, attributes } = envelope
  const time = envelope.time ?? at?.storedAt
  let text = `,"id":${JSON.stringify(id)},"source":${JSON.stringify(source)},"type":${JSON.stringify(type)}`
  if (time !== undefined) text += `,"time":"${formatTime(time)}"`
  text += ',"datacontenttype":"application/json"'
  if (version !== 1) text += `,"dataversion":"${version}"`
  if (key !== undefined) text += `,"partitionkey":${JSON.stringify(key)}`
  if (correlationId !== undefined) text += `,"correlationid":${JSON.stringify(correlationId)}`
  if (causationId !== undefined) text += `,"causationid":${JSON.stringify(causationId)}`
  for (const name in attributes)
    if (at === undefined || !POSITION_NAMES.has(name)) text += `,"${name}":${JSON.stringify(attributes[name])}`
  if (at === undefined) return text
  const { stream, sequence, storedAt } = POSITION_ATTRIBUTES
  return `${text},"${stream}":"${at.stream}","${sequence}":"${at.sequence}","${storedAt}":"${formatTime(at.storedAt)}"`
}

function dataText(headers: HeaderReader, data: Uint8Array, envelope: Envelope): string | undefined {
  if (envelope.data === undefined) return undefined
  if (STRUCTURED.test(headers.get('content-type') ?? '')) return JSON.stringify(envelope.data)
  // decoding has checked that these bytes are UTF-8 and JSON
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
  return text.includes('\n') || text.includes('\r') ? JSON.stringify(envelope.data) : text
}
