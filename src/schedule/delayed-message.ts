// Events that wait for their time: message schedules of the server (NATS ADR-51), one for each id.
//
//   millrace.<STREAM>.delayed.<id token>          the event, with the subject that it is published to when it is due
//   millrace.<STREAM>.delayed-mark.<nonce>        that a change was stored; it can be written once
//   millrace.<STREAM>.delayed-mark.<nonce>.<n>    cancels one, on condition that it is the one that was seen
import { expectLastSequence } from '../broker/batch.js'
import { delayHeaders } from '../broker/delayed-subject.js'
import { expectLastOf } from '../broker/expect-last-of.js'
import { encodedSize, encodeHeaders } from '../broker/headers.js'
import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { EventDraft } from '../event/event.js'
import { messageId } from '../event/identity.js'
import { OutgoingEvent } from '../event/outgoing-event.js'
import { decodeToken } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'

const NO_DATA = new Uint8Array(0)
/** What a batch adds to the headers of a message, with room to spare. */
const BATCH_HEADERS = 512
/** How long it is known that a change was stored: longer than anybody asks for it. */
const MARKED_FOR: readonly [string, string] = ['Nats-TTL', '120s']
const CANCELLED_FOR: readonly [string, string] = ['Nats-TTL', '1s']

/** All that wait in a stream. */
export function delayedFilter(stream: string): string {
  return `millrace.${stream}.delayed.*`
}

/** The id that a subject is of; undefined: it is no such subject. */
export function delayedId(subject: string): string | undefined {
  return decodeToken(subject.slice(subject.lastIndexOf('.') + 1))
}

export function markSubject(stream: string, nonce: string): string {
  return `millrace.${stream}.delayed-mark.${nonce}`
}

export interface EncodeOptions {
  readonly root: string
  readonly events: readonly EventContract[]
  readonly maxPayload: number
}

/** Of an event that is to be published: its message, and the id it has. */
export interface EncodedDraft {
  readonly message: WireMessage
  readonly eventId: string
}

/**
 * An event as it will be published.
 * @param id where the draft has none @param time likewise
 * @throws DELAYED_EVENT_INVALID, EVENT_DATA_INVALID and others of a contract, MESSAGE_TOO_LARGE
 */
export function encodeDraft(
  draft: EventDraft,
  { root, events, maxPayload }: EncodeOptions,
  id: string,
  time: number,
): EncodedDraft {
  const contract = events.find(({ type }) => type === draft?.type)
  if (contract === undefined) throw fault('DELAYED_EVENT_INVALID', `${String(draft?.type)} is not declared`)
  const checked = contract.check(draft.data, draft.version)
  if (!checked.ok) throw fault(checked.code, checked.detail, { issues: checked.issues })
  const out = new OutgoingEvent(draft, { id, source: '/delayed', time }, root)
  const size = encodedSize(encodeHeaders(out.headers)) + out.data.length + BATCH_HEADERS
  if (size > maxPayload) throw fault('MESSAGE_TOO_LARGE', `${draft.type}: ${size} bytes, at most ${maxPayload}`)
  return { message: { subject: out.subject, headers: out.headers, data: out.data }, eventId: out.id }
}

/** An event that is published at once. One with an id of its own is refused when the stream remembers it. */
export function eventMessage(draft: EventDraft, { message }: EncodedDraft, source: string): WireMessage {
  if (draft.id === undefined) return message
  const id = ['Nats-Msg-Id', messageId(draft.source ?? source, draft.id)] as const
  return { ...message, headers: [...message.headers, id] }
}

/** Sets an event to wait. @param seen sequence of the one that it replaces; 0: there is none */
export function setMessage(subject: string, due: number, { message }: EncodedDraft, seen: number): WireMessage {
  const headers = [...message.headers, ...delayHeaders(message.subject, due), expectLastSequence(seen)]
  return { subject, headers, data: message.data }
}

/** Cancels the one that was seen. */
export function cancelMessage(mark: string, at: number, subject: string, seen: number): WireMessage {
  const headers = [
    ['Nats-Scheduler', subject] as const,
    ['Nats-Schedule-Next', 'purge'] as const,
    ...expectLastOf(subject, seen),
    CANCELLED_FOR,
  ]
  return { subject: `${mark}.${at}`, headers, data: NO_DATA }
}

/** Says that the batch was stored. A batch of the same mark is refused. */
export function markMessage(mark: string): WireMessage {
  return { subject: mark, headers: [expectLastSequence(0), MARKED_FOR], data: NO_DATA }
}

/** When a waiting message is due, in ms since the Unix epoch; undefined: it is none. */
export function dueOf(header: (name: string) => string | undefined): number | undefined {
  const text = header('Nats-Schedule')
  if (text === undefined || !text.startsWith('@at ')) return undefined
  const ms = Date.parse(text.slice(4))
  return Number.isNaN(ms) ? undefined : ms
}
