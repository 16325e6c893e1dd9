import type { StreamDeclaration } from '../../broker/define-stream.js'
import { eventMessage as messageOf, messageSize } from '../../broker/event-message.js'
import { fault } from '../../error/millrace-error.js'
import type { Event } from '../../event/event.js'
import type { WireMessage } from '../../event/wire.js'
import { bytes } from '../table.js'

/**
 * An event as a message for a stream, with its message id: published twice within the stream’s duplicate window, it is
 * stored once.
 * @param maxPayload what the server takes at most, headers included, in bytes
 * @throws MESSAGE_TOO_LARGE, EVENT_ENVELOPE_INVALID, SUBJECT_INVALID
 */
export function eventMessage(event: Event, stream: StreamDeclaration, maxPayload: number): WireMessage {
  const message = messageOf(event, stream.root)
  const size = messageSize(message)
  if (size > maxPayload)
    throw fault('MESSAGE_TOO_LARGE', `it has ${bytes(size)}, the server takes ${bytes(maxPayload)}`)
  return message
}
