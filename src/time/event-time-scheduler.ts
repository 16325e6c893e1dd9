// Event time
//
// Time that moves only when it is told to. Timers are fired by whoever moves it, so that what a pipeline does is a
// function of the events it is given and of the times at which time was moved.
//
// Invariants (tests cite them):
//   T1  Timers fire in the order of (due, order of scheduling), at their own time, and time never moves back.
//   T2  A timer that throws ends itself only: those behind it stay, and fire when time is moved again.
//   T3  An instant that never ends is an error (TIMER_LIVELOCK), and time is not moved from within a timer.
import type { SchedulerLike } from 'rxjs'
import { fault } from '../error/millrace-error.js'
import { EarliestHeap } from './earliest-heap.js'
import { EventTimeAction, type ActionQueue, type Work } from './event-time-action.js'

/** Timers that may be scheduled and fired within one instant. */
const LIVELOCK = 100_000

/** How many more are granted for each timer that was waiting for that instant before it began. */
const LIVELOCK_FACTOR = 10

/** Time before it was set for the first time. */
const NOT_SET = Number.NEGATIVE_INFINITY

/**
 * An rxjs scheduler on event time.
 *
 * A timer with `due <= t` fires before time is `t`; while it runs, `now()` is its own `due`. A delay of 0 fires at the
 * next `drain` or `advanceTo`. Delays below 0 and NaN count as 0; a delay of Infinity never fires and is not `pending`.
 * RxJS's own VirtualTimeScheduler sorts all timers for each new one; here scheduling and cancelling are O(log n).
 */
export class EventTimeScheduler implements SchedulerLike {
  /**
   * Told what a timer threw; the timers behind it then fire all the same. Without it the error comes out of `advanceTo`
   * or `drain` at once: time stands where that timer was due, and the rest waits for the next call.
   */
  onError: ((error: unknown) => void) | undefined
  readonly #heap = new EarliestHeap<EventTimeAction<unknown>>()
  readonly #queue: ActionQueue = {
    arm: (action, delay) => this.#arm(action, delay),
    disarm: (action) => this.#heap.remove(action),
  }
  #time: number
  #order = 0
  #fired = 0
  #advancing = false

  /** @param start time in ms; without it nothing can be scheduled before the first `advanceTo` or `reset` */
  constructor(start: number = NOT_SET) {
    this.#time = start === NOT_SET ? start : finite(start)
  }

  /** Time in ms; -Infinity before it was set. */
  now(): number {
    return this.#time
  }

  /** Time of the earliest timer; Infinity when there is none. */
  get nextDue(): number {
    return this.#heap.first?.due ?? Infinity
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#heap.size
  }

  /** True while timers are being fired. */
  get advancing(): boolean {
    return this.#advancing
  }

  /** Timers fired since ever. The difference over a call tells a storm of timers, also when the call throws. */
  get fired(): number {
    return this.#fired
  }

  /** The place that the next timer gets among timers of one time. Part of a state that is to continue exactly. */
  get nextOrder(): number {
    return this.#order
  }

  set nextOrder(order: number) {
    this.#order = order
  }

  /** @throws TIME_INVALID when time was not set yet */
  schedule<T>(work: Work<T>, delay = 0, state?: T): EventTimeAction<T> {
    return new EventTimeAction<T>(this.#queue, work, state).schedule(state, delay)
  }

  /**
   * Brings a timer back with the `due` and `order` that it had. One that is overdue fires at the next `advanceTo` or
   * `drain`, without moving time back. Later timers come behind it.
   * @throws TIME_INVALID
   */
  restore<T>(work: Work<T>, due: number, order: number, state?: T): EventTimeAction<T> {
    const action = new EventTimeAction<T>(this.#queue, work, state)
    action.due = finite(due)
    action.order = finite(order)
    this.#order = Math.max(this.#order, order + 1)
    this.#heap.add(action as EventTimeAction<unknown>)
    return action
  }

  /**
   * Moves time to `time` and fires what is due until then. A `time` in the past counts as now.
   * @returns how many fired
   * @throws TIME_REENTERED (from within a timer), TIME_INVALID, TIMER_LIVELOCK, and what a timer throws if there is no
   *   `onError`
   */
  advanceTo(time: number): number {
    if (this.#advancing) throw fault('TIME_REENTERED', `at ${instant(this.#time)}`)
    const target = Math.max(finite(time), this.#time)
    const fired = this.nextDue <= target ? this.#fire(target) : 0
    this.#time = target
    return fired
  }

  /** Fires what is due now: timers with a delay of 0. Returns and throws as `advanceTo` does. */
  drain(): number {
    if (this.#advancing) throw fault('TIME_REENTERED', `at ${instant(this.#time)}`)
    return this.nextDue <= this.#time ? this.#fire(this.#time) : 0
  }

  /**
   * Cancels every timer and sets time, also back: for a recovery. `fired` goes on.
   * @param order the next order; 0 unless a state is being continued
   * @throws TIME_REENTERED, TIME_INVALID
   */
  reset(time: number = NOT_SET, order = 0): void {
    if (this.#advancing) throw fault('TIME_REENTERED', `at ${instant(this.#time)}`)
    const start = time === NOT_SET ? time : finite(time)
    for (const action of this.#heap.clear()) action.unsubscribe()
    this.#time = start
    this.#order = order
  }

  #fire(target: number): number {
    const before = this.#fired
    // Orders from `born` on were given out at this instant. Only they can make it endless, and each needs one of before.
    let born = this.#order
    let left = LIVELOCK
    this.#advancing = true
    try {
      for (let next = this.#heap.first; next !== undefined && next.due <= target; next = this.#heap.first) {
        if (next.due > this.#time) {
          this.#time = next.due
          born = this.#order
          left = LIVELOCK + LIVELOCK_FACTOR
        } else if (next.order < born) left += LIVELOCK_FACTOR
        else if (--left < 0) throw fault('TIMER_LIVELOCK', `${LIVELOCK} at ${instant(this.#time)}`)
        this.#heap.remove(next)
        this.#fired++
        this.#run(next)
      }
    } finally {
      this.#advancing = false
    }
    return this.#fired - before
  }

  #run(action: EventTimeAction<unknown>): void {
    if (this.onError === undefined) return action.fire()
    try {
      action.fire()
    } catch (error) {
      this.onError(error)
    }
  }

  #arm(action: EventTimeAction<unknown>, delay: number): void {
    if (this.#time === NOT_SET) throw fault('TIME_INVALID', 'a timer was scheduled before event time was set')
    if (action.pending) this.#heap.remove(action)
    if (delay === Infinity) return
    action.due = this.#time + (delay > 0 ? delay : 0)
    action.order = this.#order++
    this.#heap.add(action)
  }
}

function finite(time: number): number {
  if (Number.isFinite(time)) return time
  throw fault('TIME_INVALID', String(time))
}

/** Names a time for a person. */
function instant(time: number): string {
  return Math.abs(time) <= 8.64e15 ? `${new Date(time).toISOString()} (${time} ms)` : `${time} ms`
}
