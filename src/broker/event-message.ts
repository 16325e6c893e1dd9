import { fault } from '../error/millrace-error.js'
import { encodeEvent } from '../event/encode.js'
import type { Event } from '../event/event.js'
import { messageId } from '../event/identity.js'
import { MOST_SUBJECT_BYTES, publishSubject } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'
import { PRELUDE } from './headers.js'

/**
 * An event as a message for a stream, with its message id: published twice within the stream’s duplicate window, it is
 * stored once.
 * @param root of the stream
 * @throws EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID, SUBJECT_INVALID, MESSAGE_TOO_LARGE it has more headers than are stored
 */
export function eventMessage(event: Event, root: string): WireMessage {
  const { headers, data } = encodeEvent(event)
  headers.push(['Nats-Msg-Id', messageId(event.source, event.id)])
  const subject = publishSubject(root, event.key, event.type)
  if (subject.length > MOST_SUBJECT_BYTES)
    throw fault('SUBJECT_INVALID', `${event.type}: a key of ${event.key?.length} characters is too long for a subject`)
  const size = headerSize(headers)
  if (size > MOST_HEADER_BYTES)
    throw fault('MESSAGE_TOO_LARGE', `${event.type}: ${size} bytes of headers, at most ${MOST_HEADER_BYTES}`)
  return { subject, headers, data }
}

/** Most bytes of headers that JetStream stores with a message; the server says “64k” and means what 16 bits can count. */
export const MOST_HEADER_BYTES = 65_535

/** What a message with headers of ASCII takes of the server’s limit, in bytes. */
export function messageSize({ headers, data }: WireMessage): number {
  return headerSize(headers) + data.length
}

function headerSize(headers: WireMessage['headers']): number {
  // a name, a colon and a space, a value, a line end
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, PRELUDE.length + 2)
}
