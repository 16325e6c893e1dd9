// DelayedEvents
//
// Sets events to wait for their time, replaces and cancels them, also together with events that are published at once.
//
//   caller -> DelayedEvents:   a change: events, ids to set, ids to cancel
//   DelayedEvents -> stream:   one atomic batch, on condition that what waits under each id is what was seen
//   stream:                    waits, and publishes each event when it is due
//
// Invariants (tests cite them):
//   DE1  An event that waits is in the stream once after its time, whatever is restarted; before it, never.
//   DE2  A change is stored as a whole or not at all, and once, however often its receipt is lost.
//   DE3  `cancelled` and `replaced` are told only of an event that never comes; else it is told that nothing waited.
import { asFault, outcomeUnknown } from '../broker/api-error.js'
import { publishBatch } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { delayedSubject } from '../broker/delayed-subject.js'
import { readLast } from '../broker/last-message.js'
import { streamTimeOf } from '../broker/stream-time.js'
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { EventDraft } from '../event/event.js'
import { dueAt } from '../event/when.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import {
  readChange,
  type Cancelled,
  type CancelOptions,
  type Change,
  type Changed,
  type Scheduled,
  type SetOptions,
} from './delayed-change.js'
import {
  cancelMessage,
  encodeDraft,
  eventMessage,
  markMessage,
  markSubject,
  setMessage,
  type EncodedDraft,
} from './delayed-message.js'

export interface DelayedEventsOptions {
  readonly stream: StreamDeclaration
  /** Contracts of what may be stored. */
  readonly events: readonly EventContract[]
}

export interface DelayedEventsParts extends DelayedEventsOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** A text that nobody else makes: letters, digits and -. */
  readonly newId: () => string
}

interface ReadSet {
  readonly id: string
  readonly subject: string
  readonly due: number
  readonly encoded: EncodedDraft
  readonly require: 'absent' | 'pending' | undefined
}

interface ReadCancel {
  readonly id: string
  readonly subject: string
  readonly require: 'pending' | undefined
}

interface Plan {
  readonly mark: string
  readonly events: readonly WireMessage[]
  readonly eventIds: readonly string[]
  readonly sets: readonly ReadSet[]
  readonly cancels: readonly ReadCancel[]
}

/** By subject: sequence of what waits there; 0: nothing. */
type Seen = Map<string, number>

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000
/** How long a change is tried whose outcome is not known, in ms: its mark is there for longer. */
const PATIENCE_MS = 30_000

export class DelayedEvents {
  readonly #parts: DelayedEventsParts
  readonly #unfollow: () => void
  readonly #now: () => number

  constructor(parts: DelayedEventsParts) {
    const { connection, clock, stream } = parts
    const time = streamTimeOf(connection, clock, stream.name)
    this.#parts = parts
    this.#unfollow = time.follow(() => undefined)
    this.#now = () => time.now()
  }

  /**
   * Has an event come later. @throws as store
   * @example await delayed.scheduleEvent(ReminderDue({ orderId }), { in: '24h', id: `reminder-${orderId}` })
   */
  async scheduleEvent(event: EventDraft, options: SetOptions): Promise<Scheduled> {
    const { scheduled } = await this.store({ schedule: [{ ...options, event }] })
    return scheduled[0] as Scheduled
  }

  /** Has an event that waits not come. When its time comes in this moment, the outcome says which of the two was first. @throws as store */
  async cancelScheduled(id: string, options: CancelOptions = {}): Promise<Cancelled> {
    const { cancelled } = await this.store({ cancel: [{ ...options, id }] })
    return cancelled[0] as Cancelled
  }

  /**
   * Stores events, sets and cancels others, all in one atomic batch: at most 900.
   * @throws DELAYED_EVENT_INVALID, DURATION_INVALID, EVENT_DATA_INVALID and others of a contract, MESSAGE_TOO_LARGE;
   *   DELAYED_EVENT_EXISTS, DELAYED_EVENT_NOT_PENDING what was required is not so; BATCH_REFUSED an event with an id of
   *   its own is in the stream already; STREAM_FULL: nothing is stored
   * @throws BROKER_TIMEOUT, BROKER_UNREACHABLE for 30 s it could not be found out whether it is stored
   */
  async store(change: Change): Promise<Changed> {
    const plan = this.#plan(change, await this.#time())
    const { sets, cancels } = plan
    // most ids are new: what waits under them is looked up when that was wrong
    const seen: Seen = new Map(sets.map(({ subject }) => [subject, 0]))
    await this.#look(seen, [...cancels, ...sets.filter(({ require }) => require === 'pending')])
    let problem: MillraceError | undefined
    const until = this.#parts.clock.monotonic() + PATIENCE_MS
    for (let wait = FIRST_WAIT_MS; ;)
      try {
        requireSeen(plan, seen)
        if (problem === undefined || !(await this.#isMarked(plan))) await this.#send(plan, seen)
        return outcomeOf(plan, seen)
      } catch (error) {
        const known = asFault(error, 'storing a change of what waits')
        if (isFault(known, 'SEQUENCE_CONFLICT', 'BATCH_REFUSED')) {
          if (problem !== undefined && (await this.#isMarked(plan))) return outcomeOf(plan, seen)
          if (known.code === 'BATCH_REFUSED') throw known
          await this.#look(seen, [...sets, ...cancels])
          continue
        }
        // a connection that was closed does not come back
        const over = this.#parts.clock.monotonic() > until || this.#parts.connection.state.kind === 'closed'
        if (!outcomeUnknown(known) || over) throw known
        problem = known
        await this.#parts.clock.sleep(wait)
        wait = Math.min(2 * wait, LONGEST_WAIT_MS)
      }
  }

  /** Stops asking the server for its time. */
  close(): void {
    this.#unfollow()
  }

  #plan(change: Change, now: number): Plan {
    const { connection, stream, events: contracts, newId } = this.#parts
    const { events, sets, cancels } = readChange(change)
    const nonce = newId()
    const encoding = { root: stream.root, events: contracts, maxPayload: connection.server.maxPayload }
    const encoded = events.map((draft, at) => encodeDraft(draft, encoding, `${nonce}-${at}`, Math.floor(now)))
    return {
      mark: markSubject(stream.name, nonce),
      events: events.map((draft, at) => eventMessage(draft, encoded[at] as EncodedDraft, '/delayed')),
      eventIds: encoded.map(({ eventId }) => eventId),
      sets: sets.map(({ id, event, require, ...when }) => {
        const due = dueAt(when, now)
        const own = encodeDraft(event, encoding, `${id}-${nonce}`, due)
        return { id, subject: delayedSubject(stream.name, id), due, encoded: own, require }
      }),
      cancels: cancels.map(({ id, require }) => ({ id, subject: delayedSubject(stream.name, id), require })),
    }
  }

  async #send({ mark, events, sets, cancels }: Plan, seen: Seen): Promise<void> {
    const at = (subject: string): number => seen.get(subject) ?? 0
    const pending = cancels.filter(({ subject }) => at(subject) > 0)
    if (events.length + sets.length + pending.length === 0) return
    await publishBatch(this.#parts.connection, [
      ...events,
      ...sets.map(({ subject, due, encoded }) => setMessage(subject, due, encoded, at(subject))),
      ...pending.map(({ subject }, ordinal) => cancelMessage(mark, ordinal, subject, at(subject))),
      markMessage(mark),
    ])
  }

  async #isMarked({ mark }: Plan): Promise<boolean> {
    return (await readLast(this.#parts.connection, this.#parts.stream.name, mark)) !== undefined
  }

  async #look(seen: Seen, all: readonly { readonly subject: string }[]): Promise<void> {
    const { connection, stream } = this.#parts
    await Promise.all(
      all.map(async ({ subject }) => {
        seen.set(subject, (await readLast(connection, stream.name, subject))?.sequence ?? 0)
      }),
    )
  }

  /** By the clock of the server. @throws BROKER_TIMEOUT */
  async #time(): Promise<number> {
    const { clock } = this.#parts
    for (const until = clock.monotonic() + PATIENCE_MS; this.#now() === Number.NEGATIVE_INFINITY;) {
      if (clock.monotonic() > until) throw fault('BROKER_TIMEOUT', 'asking the server for its time')
      await clock.sleep(10)
    }
    return this.#now()
  }
}

/** @throws DELAYED_EVENT_EXISTS, DELAYED_EVENT_NOT_PENDING */
function requireSeen({ sets, cancels }: Plan, seen: Seen): void {
  for (const { id, subject, require } of [...sets, ...cancels]) {
    const pending = (seen.get(subject) ?? 0) > 0
    if (require === 'pending' && !pending) throw fault('DELAYED_EVENT_NOT_PENDING', id)
    if (require === 'absent' && pending) throw fault('DELAYED_EVENT_EXISTS', id)
  }
}

function outcomeOf({ sets, cancels, eventIds }: Plan, seen: Seen): Changed {
  const pending = (subject: string): boolean => (seen.get(subject) ?? 0) > 0
  return {
    scheduled: sets.map(({ id, subject, due, encoded }) => {
      return { id, outcome: pending(subject) ? 'replaced' : 'set', due, eventId: encoded.eventId }
    }),
    cancelled: cancels.map(({ id, subject }) => ({ id, outcome: pending(subject) ? 'cancelled' : 'not-pending' })),
    events: eventIds,
  }
}
