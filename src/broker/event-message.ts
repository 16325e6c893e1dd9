import { encodeEvent } from '../event/encode.js'
import type { Event } from '../event/event.js'
import { messageId } from '../event/identity.js'
import { publishSubject } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'
import { PRELUDE } from './headers.js'

/**
 * An event as a message for a stream, with its message id: published twice within the stream’s duplicate window, it is
 * stored once.
 * @param root of the stream
 * @throws EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID, SUBJECT_INVALID
 */
export function eventMessage(event: Event, root: string): WireMessage {
  const { headers, data } = encodeEvent(event)
  headers.push(['Nats-Msg-Id', messageId(event.source, event.id)])
  return { subject: publishSubject(root, event.key, event.type), headers, data }
}

/** What a message with headers of ASCII takes of the server’s limit, in bytes. */
export function messageSize({ headers, data }: WireMessage): number {
  // a name, a colon and a space, a value, a line end
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, PRELUDE.length + 2) + data.length
}
