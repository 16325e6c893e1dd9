import { decodeEvents, type DecodedEvent } from '../event/decode-event.js'
import type { StoredEvent } from '../event/event.js'
import { isPack } from '../event/packed.js'
import type { Registry } from '../event/registry.js'
import { fault, isFault } from '../error/millrace-error.js'
import { FIRST_ATTEMPT, readAttempt } from './attempt-headers.js'
import { freezeData } from './freeze.js'
import type { HandlerDeclaration } from './handler-options.js'
import type { Held } from './held.js'
import { ORIGIN_HEADER, readOrigin, type Origin } from './origin.js'
import type { WorkItem } from './work-item.js'

export interface OpenedMessage {
  /** What is to be handled. */
  readonly items: readonly WorkItem[]
  /** What the handler cannot even be asked about. */
  readonly broken: readonly { readonly item: WorkItem; readonly error: unknown }[]
  /** Events that are none of the handler’s. */
  readonly ignored: number
}

export interface OpenOptions {
  readonly declaration: HandlerDeclaration
  readonly registry: Registry
  /** Stream of the message. */
  readonly stream: string
  readonly now: number
}

/**
 * Takes a message of a stream apart: the events of it that are for the handler. What breaks its contract is none of them:
 * whoever minds the contracts of the stream has made a dead letter of it.
 */
export function openPublished({ declaration, registry, stream, now }: OpenOptions, held: Held): OpenedMessage {
  const { message } = held
  const { sequence, storedAt, subject } = message
  const decoded = decodeEvents(registry, message, { stream, sequence, storedAt })
  const packed = decoded.length !== 1 || isPack(message)
  const opened = new Opening(declaration)
  for (const [place, one] of decoded.entries()) {
    const member = packed ? place : undefined
    const origin = { stream, sequence, member, subject, storedAt }
    opened.add(one, (event) => ({ held, event, origin, due: false, member, record: FIRST_ATTEMPT, since: now }))
  }
  return opened
}

/**
 * The same for a message of the work stream, which has one event: one that was put off, with where it came from, or one
 * that somebody put there. What cannot be read any more has had its place in a stream, so that it is not passed over.
 */
export function openDue({ declaration, registry, stream, now }: OpenOptions, held: Held): OpenedMessage {
  const { message } = held
  const { sequence, storedAt, subject } = message
  const origin: Origin = readOrigin(message.headers.get(ORIGIN_HEADER)) ?? {
    stream,
    sequence,
    member: undefined,
    subject,
    storedAt,
  }
  const at = { stream: origin.stream, sequence: origin.sequence, storedAt: origin.storedAt }
  const [decoded] = decodeEvents(registry, message, at)
  const record = readAttempt(message.headers)
  const itemOf = (event: StoredEvent): WorkItem => ({
    held,
    event,
    origin,
    due: true,
    member: undefined,
    record,
    since: now,
  })
  const opened = new Opening(declaration)
  if (decoded?.kind === 'event') opened.add(decoded, itemOf)
  else opened.reject(itemOf(unreadable(at)), decoded)
  return opened
}

/** Stands for an event of which no more is known than where it was. */
function unreadable(at: Pick<StoredEvent, 'stream' | 'sequence' | 'storedAt'>): StoredEvent {
  const nothing = { key: undefined, data: undefined, correlationId: undefined, causationId: undefined, attributes: {} }
  return { ...at, ...nothing, id: '?', source: '?', type: '?', version: 1, time: at.storedAt }
}

class Opening implements OpenedMessage {
  readonly items: WorkItem[] = []
  readonly broken: { item: WorkItem; error: unknown }[] = []
  ignored = 0
  readonly #declaration: HandlerDeclaration

  constructor(declaration: HandlerDeclaration) {
    this.#declaration = declaration
  }

  reject(item: WorkItem, decoded: DecodedEvent | undefined): void {
    const error =
      decoded?.kind === 'rejected'
        ? fault(decoded.code, decoded.detail, { issues: decoded.issues })
        : fault('EVENT_ENVELOPE_INVALID', 'an empty pack')
    this.broken.push({ item, error })
  }

  add(decoded: DecodedEvent, itemOf: (event: StoredEvent) => WorkItem): void {
    if (decoded.kind === 'rejected') {
      this.ignored += 1
      return
    }
    const { event } = decoded
    try {
      if (!this.#declaration.wants(event)) this.ignored += 1
      else {
        freezeEvent(event)
        this.items.push(itemOf(event))
      }
    } catch (error) {
      if (!isFault(error, 'EXPRESSION_FAILED')) throw error
      this.broken.push({ item: itemOf(event), error })
    }
  }
}

/** Other attempts, and other handlers of this process, get the event as it was. */
function freezeEvent(event: StoredEvent): void {
  freezeData(event.data)
  Object.freeze(event.attributes)
  Object.freeze(event)
}
