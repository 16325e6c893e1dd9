import { fault } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { messageId } from '../event/identity.js'
import { OutgoingEvent } from '../event/outgoing-event.js'
import { dueAt, laterOf } from '../event/when.js'
import type { WireMessage } from '../event/wire.js'
import { delayHeaders, delayedSubject } from '../broker/delayed-subject.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { FNV_OFFSET, fnv1a } from '../kernel/hash.js'
import type { HandlerDeclaration } from './handler-options.js'

export interface EmitOptions {
  readonly declaration: Pick<HandlerDeclaration, 'name' | 'emits'>
  /** Where they go; undefined: the handler emits nothing. */
  readonly to: StreamDeclaration | undefined
  /** When they happened, in ms since the Unix epoch. */
  readonly time: number
}

const NONE: readonly WireMessage[] = Object.freeze([])

/**
 * What a handler gave back, as messages. Their ids follow from the handler, the event and their place, so that an event
 * that is handled again emits the same ones, which the stream stores once within its duplicate window.
 * @throws HANDLER_EMITS_UNDECLARED, EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID
 */
export function emittedMessages(value: unknown, event: StoredEvent, options: EmitOptions): readonly WireMessage[] {
  if (value === undefined || value === null) return NONE
  const { declaration, to, time } = options
  const { name, emits } = declaration
  // what a handler without `emits` gives back is nobody's business
  if (emits === undefined || to === undefined) return NONE
  const drafts: readonly unknown[] = Array.isArray(value) ? value : [value]
  const source = `/handlers/${name}`
  const cause = fnv1a(FNV_OFFSET, Buffer.from(event.source)).toString(16).padStart(8, '0')
  return drafts.map((draft, ordinal) => {
    if (!isDraft(draft)) throw fault('HANDLER_EMITS_UNDECLARED', `${name}: what it gave back is no event`)
    if (!emits.events.some(({ type }) => type === draft.type))
      throw fault('HANDLER_EMITS_UNDECLARED', `${name}: ${draft.type}`)
    const id = `${name}-${cause}-${event.id}-${ordinal}`
    const completion = { id, source, time, correlationId: event.correlationId, causationId: event.id }
    const waits = laterOf(draft)
    const due = waits === undefined ? undefined : dueAt(waits, time)
    const out = new OutgoingEvent(draft, { ...completion, time: due ?? time }, to.root)
    const headers = [...out.headers, ['Nats-Msg-Id', messageId(out.source, out.id)] as const]
    if (due === undefined) return { subject: out.subject, headers, data: out.data }
    // an event that is handled again sets the same one again: in the window it is stored once, and then it takes its place
    const subject = delayedSubject(to.name, waits?.id ?? id)
    return { subject, headers: [...headers, ...delayHeaders(out.subject, due)], data: out.data }
  })
}

function isDraft(value: unknown): value is EventDraft {
  return typeof value === 'object' && value !== null && 'type' in value && 'data' in value && 'attributes' in value
}
