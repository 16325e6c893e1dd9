import { encodedSize, encodeHeaders } from '../broker/headers.js'
import { outboxRoot } from '../broker/system-subject.js'
import { fault } from '../error/millrace-error.js'
import { OutgoingEvent } from '../event/outgoing-event.js'
import { partitionOf } from '../event/partition.js'
import type { WireMessage } from '../event/wire.js'
import { idToken } from './aggregate-subject.js'
import type { ActorDeclaration } from './actor-options.js'
import type { ActorPlace } from './actor-place.js'
import { commandStreamName } from './command-stream.js'
import type { CommandDraft } from './define-command.js'

/** The decision has filled in everything. */
const COMPLETE = { id: '', source: '', time: 0 }
/** What a batch and a schedule add to a message, in bytes. */
const MARGIN = 1_024

/**
 * A command as it waits in the outbox of an actor’s stream, until it is carried over to the stream that takes it.
 * @throws COMMAND_UNKNOWN no actor takes it · SEND_UNDECLARED · EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID, AGGREGATE_ID_INVALID,
 *   MESSAGE_TOO_LARGE it cannot be written
 */
export function commandMessage(place: ActorPlace, draft: CommandDraft): WireMessage {
  const { stream, homeOf, maxPayload, actor } = place
  const home = homeOf(draft.type)
  if (home === undefined) throw fault('COMMAND_UNKNOWN', `${actor.name} sends ${draft.type}, which no actor takes`)
  // without an outbox it would wait for ever
  if (home.name !== place.commands.name && !actor.sends.some((name) => commandStreamName(name) === home.name))
    throw fault('SEND_UNDECLARED', `${actor.name} sends ${draft.type} to ${home.name}; it declares ${sendsOf(actor)}`)
  const partition = partitionOf(idToken(draft.key), home.partitions)
  const event = new OutgoingEvent(draft, COMPLETE, outboxRoot(stream.name, home.name), String(partition))
  const { subject, headers, data } = event
  const size = data.length + encodedSize(encodeHeaders(headers)) + MARGIN
  if (size > maxPayload) throw fault('MESSAGE_TOO_LARGE', `${draft.type}: ${size} bytes, at most ${maxPayload}`)
  return { subject, headers, data }
}

function sendsOf({ sends }: ActorDeclaration): string {
  return sends.length === 0 ? 'no `sends`' : `sends: ${sends.join(', ')}`
}
