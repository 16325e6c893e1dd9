// Timers of aggregates: message schedules of the server, stored in the batch of the decision that sets them.
//
//   millrace.<STREAM>.timer.<actor>.<id token>.<name token>.<setting>   the schedule, which holds the command
//   millrace.<STREAM>.outbox.<COMMANDS>.<partition>.<type>              where the server puts it when it is due
//
// Each setting has a subject of its own: a schedule replaces what its subject held, and of what replaces something the
// server takes one in a batch; two decisions of one batch may set the same timer. The aggregate knows the current
// setting of each name; a command of another one was overtaken by the decision that replaced or cancelled it.
//
// Invariants (tests cite them):
//   AT1  A timer fires once, also one that was due while the server or every worker was away.
//   AT2  A timer that was replaced or cancelled leads to nothing.
//   AT3  Timers of an aggregate that were missed are decided in the order in which they were due.
import { NEVER_EXPIRES } from '../broker/batch.js'
import { encodeToken } from '../event/subject.js'
import type { StoredEvent } from '../event/event.js'
import { formatTime } from '../event/rfc3339.js'
import type { WireMessage } from '../event/wire.js'
import { idToken } from './aggregate-subject.js'

/** Attributes of a command that a timer has sent. */
export const TIMER_ATTRIBUTE = { name: 'timer', setting: 'timersetting' } as const

/** A timer as it was set. */
export interface TimerSetting {
  readonly name: string
  readonly setting: string
}

type Header = readonly [name: string, value: string]

/** How long the server keeps a message that only cancels a timer. */
const CANCELLED_FOR: Header = ['Nats-TTL', '1s']
const NO_DATA = new Uint8Array(0)

/** The timer that has sent a command; undefined: none has. */
export function timerOf({ attributes }: Pick<StoredEvent, 'attributes'>): TimerSetting | undefined {
  const [name, setting] = [attributes[TIMER_ATTRIBUTE.name], attributes[TIMER_ATTRIBUTE.setting]]
  return name === undefined || setting === undefined ? undefined : { name, setting }
}

/** Id of a setting: when it is due, and what tells it from others of the aggregate. */
export function settingOf(due: number, mark: string, number: number): string {
  return `${due.toString(36)}-${mark}-${number}`
}

/** When a setting is due, in ms since 1970. */
export function dueOfSetting(setting: string): number {
  return Number.parseInt(setting, 36) // it ends at the dash
}

export function timerSubject(stream: string, actor: string, id: string, { name, setting }: TimerSetting): string {
  return `millrace.${stream}.timer.${actor}.${idToken(id)}.${encodeToken(name)}.${setting}`
}

/** Pending timers: of one aggregate, of all of an actor, of all actors. */
export function timerFilter(stream: string, actor = '*', id?: string): string {
  return `millrace.${stream}.timer.${actor}.${id === undefined ? '*' : idToken(id)}.*.*`
}

/** Sets a timer. @param command as it waits in the outbox once it is due */
export function scheduleMessage(subject: string, due: number, command: WireMessage): WireMessage {
  const schedule: Header[] = [
    ['Nats-Schedule', `@at ${formatTime(due)}`],
    ['Nats-Schedule-Target', command.subject],
    NEVER_EXPIRES,
  ]
  return { subject, headers: [...schedule, ...command.headers], data: command.data }
}

/** Headers with which a message of the same batch cancels one timer. */
export function cancelHeaders(subject: string): readonly Header[] {
  return [
    ['Nats-Scheduler', subject],
    ['Nats-Schedule-Next', 'purge'],
  ]
}

/** A message that does nothing but cancel a timer. */
export function cancelMessage(stream: string, actor: string, subject: string): WireMessage {
  return {
    subject: `millrace.${stream}.timer-cancelled.${actor}`,
    headers: [...cancelHeaders(subject), CANCELLED_FOR],
    data: NO_DATA,
  }
}
