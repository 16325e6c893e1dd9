import { fault } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import type { When } from '../event/when.js'

export interface SetOptions extends When {
  /** Names it: another event that is set under the same id takes its place. */
  readonly id: string
  /** `absent`: nothing may wait under the id; `pending`: something has to. Default: either. */
  readonly require?: 'absent' | 'pending'
}

export interface SetEvent extends SetOptions {
  readonly event: EventDraft
}

export interface CancelOptions {
  /** Refuses the whole change when nothing waits under the id. */
  readonly require?: 'pending'
}

export interface CancelEvent extends CancelOptions {
  readonly id: string
}

/** What is stored together, or not at all. */
export interface Change {
  /** Events that are published at once. */
  readonly events?: readonly EventDraft[]
  readonly schedule?: readonly SetEvent[]
  /** Ids. */
  readonly cancel?: readonly (string | CancelEvent)[]
}

/** What has become of one that was set. */
export interface Scheduled {
  readonly id: string
  /** `replaced`: another one waited under the id; it will not come any more. */
  readonly outcome: 'set' | 'replaced'
  /** In ms since the Unix epoch. */
  readonly due: number
  /** The id of the event that will come. */
  readonly eventId: string
}

/** What has become of one that was to be cancelled. */
export interface Cancelled {
  readonly id: string
  /**
   * `cancelled`: it will never come. `not-pending`: nothing waited under the id. When it was set once, its time had
   * come before, and it is in the stream, or it was cancelled already.
   */
  readonly outcome: 'cancelled' | 'not-pending'
}

export interface Changed {
  readonly scheduled: readonly Scheduled[]
  readonly cancelled: readonly Cancelled[]
  /** Ids of the events that were published. */
  readonly events: readonly string[]
}

/** Most messages that are stored together; a batch of the server has a thousand. */
const MOST = 900

/** The cancelled ones, each as an object. @throws DELAYED_EVENT_INVALID */
export function readChange({ events = [], schedule = [], cancel = [] }: Change): {
  readonly events: readonly EventDraft[]
  readonly sets: readonly SetEvent[]
  readonly cancels: readonly CancelEvent[]
} {
  const cancels = cancel.map((one) => (typeof one === 'string' ? { id: one } : one))
  const ids = new Set<string>()
  for (const { id } of [...schedule, ...cancels]) {
    if (ids.has(id)) throw fault('DELAYED_EVENT_INVALID', `${JSON.stringify(id)} is there twice`)
    ids.add(id)
  }
  const count = events.length + schedule.length + cancels.length
  if (count > MOST) throw fault('DELAYED_EVENT_INVALID', `${count} changes, at most ${MOST} together`)
  return { events, sets: schedule, cancels }
}
