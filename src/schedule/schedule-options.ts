import type { EventContract, DraftOf } from '../event/contract.js'
import type { EventDraft } from '../event/event.js'
import type { MissedPolicy } from './decide-ticks.js'
import type { TickRule } from './tick-rule.js'

/** One tick of a schedule. What follows from it should follow from this alone. */
export interface Tick {
  readonly schedule: string
  /** When it was due, in ms since the Unix epoch: with the name of the schedule the identity of the tick. */
  readonly at: number
  /** The same as text, in UTC: `2026-11-23T08:00:00.000Z`. */
  readonly time: string
  /** The latest tick that was run before; undefined: this is the first. */
  readonly previous: number | undefined
  /** How many ticks before it nobody ran and nobody will; more than 1,000 of a cron may be told as 1,000. */
  readonly missed: number
}

/** When it is due: one of `cron`, `every` and `at`. */
export interface ScheduleTimes {
  /** Five fields, or six with seconds first: `0 9 * * MON-FRI`. */
  readonly cron?: string
  /** Of the cron expression, such as `Europe/Berlin`. Default UTC. */
  readonly timeZone?: string
  /** An interval, such as `5m`; at least 100 ms. */
  readonly every?: string | number
  /** When an interval has a tick, and all others from there on. Default the Unix epoch, so `1h` is due at full hours. */
  readonly anchor?: Date | string
  /** Once, then. */
  readonly at?: Date | string
}

export interface ScheduleOptions<Events extends readonly EventContract[]> extends ScheduleTimes {
  /** Letters, digits, `_` and `-`, at most 64. */
  readonly name: string
  /** Where its events go. */
  readonly stream: string
  readonly events: Events
  /**
   * The event of a tick, or several, or none. Called once for a tick, or again after a crash before its events were
   * stored; what it throws makes the tick a dead letter.
   */
  readonly emits: (tick: Tick) => EmittedDrafts<Events>
  /** What becomes of ticks that were due while nobody ran. Default `once`. */
  readonly missed?: MissedPolicy
}

export type EmittedDrafts<Events extends readonly EventContract[]> =
  DraftOf<Events[number]> | readonly DraftOf<Events[number]>[] | undefined

export interface ScheduleDeclaration {
  readonly kind: 'schedule'
  readonly name: string
  readonly stream: string
  readonly events: readonly EventContract[]
  readonly rule: TickRule
  readonly missed: MissedPolicy
  readonly emits: (tick: Tick) => EventDraft | readonly EventDraft[] | undefined
}

/** How a schedule is named beside processors, and its one unit. */
export function scheduleId(name: string): string {
  return `schedule-${name}`
}
