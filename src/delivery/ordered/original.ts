import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { readMessage } from '../../broker/read-message.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { redriveSubjects } from '../../broker/system-subject.js'
import { decodeEvents } from '../../event/decode-event.js'
import { encodeEvent } from '../../event/encode.js'
import type { StoredEvent } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { publishSubject } from '../../event/subject.js'
import { asStored } from '../../kernel/as-stored.js'
import { blamed, type DeadMessage } from '../../kernel/dead-message.js'
import { originalOf, readParked } from '../../kernel/parking/park-message.js'
import type { Processor } from '../../kernel/processor.js'
import type { Origin } from '../origin.js'

/** An event as it was published, and where it is for good. */
export interface Original {
  readonly origin: Origin
  /** Of a pack the event alone. */
  readonly message: DeadMessage
}

type Reader = Pick<Processor, 'from' | 'kind' | 'name'>

/**
 * Reads the message that an event came in. One that the stream has no more is written anew from the event.
 * @throws errors of the broker
 */
export async function readOriginal(
  connection: Connection,
  registry: Registry,
  reader: Reader,
  event: StoredEvent,
): Promise<Original> {
  const { stream } = reader.from
  const { sequence } = event
  const found = await readMessage(connection, stream.name, sequence)
  const message =
    found === undefined
      ? undefined
      : asPublished(reader, { ...found, delivery: 0, pending: 0, reply: '' } satisfies StoredMessage)
  if (message === undefined) return writtenAnew(stream, event)
  const { subject, storedAt } = message
  const events = decodeEvents(registry, message, { stream: stream.name, sequence, storedAt })
  const place = events.findIndex(
    (one) => one.kind === 'event' && one.event.id === event.id && one.event.source === event.source,
  )
  if (place < 0) return writtenAnew(stream, event)
  const member = events.length > 1 ? place : undefined
  const origin = { stream: stream.name, sequence, member, subject, storedAt }
  return { origin, message: member === undefined ? message : blamed(stream.name, message, member).message }
}

function asPublished(reader: Reader, message: StoredMessage): StoredMessage {
  const { subject } = message
  if (!subject.startsWith(redriveSubjects(reader.from.stream.name).slice(0, -1))) return message
  const parked = readParked(message.headers)
  if (parked === undefined) return asStored(reader, message)
  const { headers, data } = originalOf(message)
  return { ...message, subject: parked.subject, storedAt: parked.storedAt, headers, data }
}

function writtenAnew({ name, root }: StreamDeclaration, event: StoredEvent): Original {
  const { sequence, storedAt, key, type } = event
  const subject = publishSubject(root, key, type)
  const { headers: entries, data } = encodeEvent(event)
  const get = (header: string): string | undefined =>
    entries.find(([other]) => other.toLowerCase() === header.toLowerCase())?.[1]
  const origin = { stream: name, sequence, member: undefined, subject, storedAt }
  return { origin, message: { subject, sequence, storedAt, data, headers: { get, entries: () => entries } } }
}
