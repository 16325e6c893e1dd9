// EventPublisher
//
// Publishes events of code: one, or very many at once.
//
//   caller -> EventPublisher:   publish([event, event, …])
//   EventPublisher:             makes a message of each, then gives all of them to a Publisher, which has many on their way
//   EventPublisher -> caller:   where each is stored, and whether it was there before
//
// Invariants (tests cite them):
//   PB1  It resolves only when each event is stored, in the order given. Repeated under the same ids, after whatever
//        happened, each is stored once (within the stream’s duplicate window).
//   PB2  What cannot be a message of the stream is found before anything is published.
import type { EventContract } from '../event/contract.js'
import { completeDraft } from '../event/complete.js'
import type { EventDraft } from '../event/event.js'
import type { WireMessage } from '../event/wire.js'
import { fault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'
import type { StreamDeclaration } from './define-stream.js'
import { eventMessage, messageSize } from './event-message.js'
import { Publisher } from './publisher.js'

export interface EventPublisherOptions {
  readonly stream: StreamDeclaration
  /** Contracts of what may be published. */
  readonly events: readonly EventContract[]
  /** CloudEvents source of events that name none; with the id it tells one event from another. Default `/publisher`. */
  readonly source?: string
  /**
   * How long to go on trying while the server is away, in ms; below the stream’s duplicate window. Default 60,000.
   */
  readonly patience?: number
}

/** What became of one event. */
export interface PublishedEvent {
  readonly id: string
  /** Its sequence in the stream. */
  readonly sequence: number
  /** It was stored before, under this id. */
  readonly duplicate: boolean
}

export interface EventPublisherParts extends EventPublisherOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** For events without an id. */
  readonly newId: () => string
}

interface Outgoing {
  readonly id: string
  readonly message: WireMessage
}

export class EventPublisher {
  readonly #parts: EventPublisherParts
  readonly #publisher: Publisher
  readonly #types: ReadonlySet<string>

  constructor(parts: EventPublisherParts) {
    const { connection, clock, patience } = parts
    this.#parts = parts
    this.#types = new Set(parts.events.map(({ type }) => type))
    this.#publisher = new Publisher(connection, { clock, ...(patience === undefined ? {} : { patience }) })
  }

  /**
   * Publishes events, in their order. Many at once cost a fraction of as many calls. Name their ids where a program may
   * come to publish them again, after a crash or an error.
   * @returns of each where it is stored, in the order given
   * @throws EVENT_TYPE_UNKNOWN, EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID, SUBJECT_INVALID, MESSAGE_TOO_LARGE: nothing
   *   is published
   * @throws STREAM_FULL, NO_STREAM_FOR_SUBJECT, BROKER_PERMISSION_DENIED, BROKER_TIMEOUT, BROKER_UNREACHABLE: others may
   *   be stored, this one too where the outcome is not known. Publish all of them again, under the same ids
   */
  async publish(drafts: readonly EventDraft[]): Promise<readonly PublishedEvent[]> {
    const outgoing = drafts.map((draft) => this.#outgoing(draft))
    const published: PublishedEvent[] = []
    const failure: { error?: unknown } = {}
    const receipts: Promise<void>[] = []
    for (const [at, { id, message }] of outgoing.entries()) {
      if (this.#publisher.full) await this.#publisher.ready()
      if ('error' in failure) break // what is behind would wait out its own patience
      const receipt = this.#publisher.publish(message).then(
        ({ sequence, duplicate }) => void (published[at] = { id, sequence, duplicate }),
        (error: unknown) => void (failure.error ??= error),
      )
      receipts.push(receipt)
    }
    await Promise.all(receipts)
    if ('error' in failure) throw failure.error
    return published
  }

  /** Gives up what has no receipt yet: `publish` rejects. */
  close(): void {
    this.#publisher.close()
  }

  #outgoing(draft: EventDraft): Outgoing {
    const { stream, connection, clock, newId, source = '/publisher' } = this.#parts
    if (!this.#types.has(draft?.type)) throw fault('EVENT_TYPE_UNKNOWN', String(draft?.type))
    const id = draft.id ?? newId()
    const message = eventMessage(completeDraft(draft, { id, source, time: clock.now() }), stream.root)
    const size = messageSize(message)
    const { maxPayload } = connection.server
    if (size > maxPayload) throw fault('MESSAGE_TOO_LARGE', `${draft.type} ${id}: ${size} bytes, at most ${maxPayload}`)
    return { id, message }
  }
}
