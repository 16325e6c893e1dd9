import type { StreamDeclaration } from '../../broker/define-stream.js'
import { fault } from '../../error/millrace-error.js'
import { encodeEvent } from '../../event/encode.js'
import type { Event } from '../../event/event.js'
import { messageId } from '../../event/identity.js'
import { publishSubject } from '../../event/subject.js'
import type { WireMessage } from '../../event/wire.js'
import { bytes } from '../table.js'

const PRELUDE = 'NATS/1.0\r\n\r\n'.length

/**
 * An event as a message for a stream, with its message id: published twice within the stream’s duplicate window, it is
 * stored once.
 * @param maxPayload what the server takes at most, headers included, in bytes
 * @throws MESSAGE_TOO_LARGE, EVENT_ENVELOPE_INVALID, SUBJECT_INVALID
 */
export function eventMessage(event: Event, stream: StreamDeclaration, maxPayload: number): WireMessage {
  const { headers, data } = encodeEvent(event)
  headers.push(['Nats-Msg-Id', messageId(event.source, event.id)])
  // a name, a colon and a space, a value, a line end
  const size = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, PRELUDE) + data.length
  if (size > maxPayload)
    throw fault('MESSAGE_TOO_LARGE', `it has ${bytes(size)}, the server takes ${bytes(maxPayload)}`)
  return { subject: publishSubject(stream.root, event.key, event.type), headers, data }
}
