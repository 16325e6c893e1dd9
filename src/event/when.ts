import { fault } from '../error/millrace-error.js'
import { parseDuration } from '../time/duration.js'
import type { EventDraft } from './event.js'
import { isWritableTime } from './rfc3339.js'

/** When an event is due: `at` a time, or `in` a while from now. */
export interface When {
  /** A Date, ms since the Unix epoch, or a text with an offset such as `2026-12-31T23:00:00Z`. A time that is past is now. */
  readonly at?: Date | number | string
  /** Such as `24h`. */
  readonly in?: string | number
}

/** In ms since the Unix epoch. @throws DELAYED_EVENT_INVALID, DURATION_INVALID */
export function dueAt({ at, in: after }: When, now: number): number {
  const invalid = (detail: string): never => {
    throw fault('DELAYED_EVENT_INVALID', detail)
  }
  if ((at === undefined) === (after === undefined)) return invalid('say one of at and in')
  if (typeof at === 'string' && !/(?:Z|[+-]\d\d:?\d\d)$/i.test(at.trim()))
    return invalid(`${at} needs an offset, such as Z`)
  const ms = Math.ceil(at === undefined ? now + parseDuration(after ?? 0) : new Date(at).getTime())
  return isWritableTime(ms) ? ms : invalid(`${String(at ?? after)} is no time`)
}

/** How an event that a handler emits waits. */
export interface LaterOptions extends When {
  /** Names it among all that wait in its stream: another one under the same id takes its place. Default its own. */
  readonly id?: string
}

/** A draft of an event that is to come later. */
export interface LaterDraft extends EventDraft {
  readonly later: LaterOptions
}

/**
 * Has an event that a handler returns come later: the server keeps it until it is due.
 * @example handle: ({ data: { orderId } }) => later(ReminderDue({ orderId }), { in: '24h', id: `reminder-${orderId}` })
 * @throws DELAYED_EVENT_INVALID, DURATION_INVALID
 */
export function later<Draft extends EventDraft>(draft: Draft, options: LaterOptions): Draft {
  dueAt(options, 0)
  return { ...draft, later: options }
}

/** How a draft waits; undefined: it does not. */
export function laterOf(draft: EventDraft): LaterOptions | undefined {
  return (draft as Partial<LaterDraft>).later
}
