import type { SchedulerAction } from 'rxjs'
import type { EventTimeAction } from '../../time/event-time-action.js'
import type { EventTimeScheduler } from '../../time/event-time-scheduler.js'

/** What a timer was set to: when it is due in ms, and its place among timers of that time. */
export type SavedTimer = readonly [due: number, order: number]

/** Timers on event time, as durable operators set them. */
export interface OperatorTimers {
  now(): number
  set(work: () => void, delay: number): EventTimeAction<unknown>
  /** Brings one back as it was. */
  revive(work: () => void, saved: SavedTimer): EventTimeAction<unknown>
  /** What a timer set now would be, for `revive`. */
  reserve(delay: number): SavedTimer
  /** This was reserved before it was saved: timers that are set from now on come behind it. */
  reserved(saved: SavedTimer): void
  /** One more timer, or one less, waits on which something depends. */
  waits(count: 1 | -1): void
}

/** Durable timers of a scheduler that nobody saves. */
export function schedulerTimers(scheduler: EventTimeScheduler): OperatorTimers {
  return {
    now: () => scheduler.now(),
    set: (work, delay) => scheduler.schedule(work as (this: SchedulerAction<unknown>) => void, delay),
    revive: (work, [due, order]) => scheduler.restore(work as (this: SchedulerAction<unknown>) => void, due, order),
    reserve: (delay) => [scheduler.now() + (delay > 0 ? delay : 0), scheduler.nextOrder++],
    reserved: ([, order]) => {
      scheduler.nextOrder = Math.max(scheduler.nextOrder, order + 1)
    },
    waits: () => undefined,
  }
}

/** One timer of an operator, which may be set again and again. */
export class DurableTimer {
  readonly #timers: OperatorTimers
  readonly #fire: () => void
  /** Whether something depends on its firing: a key is not idle while such a timer waits. */
  readonly #counts: boolean
  #action: EventTimeAction<unknown> | undefined
  #closed = false

  /** @param periodic it comes again and again, also when nothing has happened */
  constructor(timers: OperatorTimers, work: () => void, periodic: boolean) {
    this.#timers = timers
    this.#counts = !periodic
    this.#fire = () => {
      if (this.#counts) timers.waits(-1)
      work()
    }
  }

  get pending(): boolean {
    return this.#action?.pending === true
  }

  /** Fires in `delay` ms; what it waited for before is forgotten. */
  start(delay: number): void {
    if (this.#closed || delay === Infinity) return this.cancel()
    if (this.#counts && !this.pending) this.#timers.waits(1)
    if (this.#action === undefined) this.#action = this.#timers.set(this.#fire, delay)
    else this.#action.schedule(undefined, delay)
  }

  /** Fires as `saved` says: as it was saved, or reserved. */
  startAs(saved: SavedTimer): void {
    if (this.#closed) return
    this.cancel()
    this.#action?.unsubscribe()
    this.#action = this.#timers.revive(this.#fire, saved)
    if (this.#counts) this.#timers.waits(1)
  }

  cancel(): void {
    if (!this.pending) return
    if (this.#counts) this.#timers.waits(-1)
    this.#action?.schedule(undefined, Infinity)
  }

  /** It can not be set any more. */
  close(): void {
    this.cancel()
    this.#closed = true
    this.#action?.unsubscribe()
  }

  /** Only while it is pending. */
  save(): SavedTimer {
    const { due, order } = this.#action as EventTimeAction<unknown>
    return [due, order]
  }
}
