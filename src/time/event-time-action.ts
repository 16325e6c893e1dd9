import { Subscription, type SchedulerAction } from 'rxjs'
import { messageOf } from '../error/millrace-error.js'
import { NOT_QUEUED, type Queued } from './earliest-heap.js'

/** What an action does when its time has come. */
export type Work<T> = (this: SchedulerAction<T>, state?: T) => void

/** The scheduler, as its actions see it. */
export interface ActionQueue {
  /** Puts the action at `delay` ms from now, behind those that are due at the same time. */
  arm(action: EventTimeAction<unknown>, delay: number): void
  /** Takes the action out. */
  disarm(action: EventTimeAction<unknown>): void
}

/**
 * One timer of an `EventTimeScheduler`. It is an rxjs `Subscription`, so that a subscriber that it was added to lets go
 * of it when it is cancelled. Like the actions of rxjs it stays usable after it has fired, until it is unsubscribed.
 */
export class EventTimeAction<T> extends Subscription implements SchedulerAction<T>, Queued {
  /** Time in ms at which it fires; meaningful while `pending`. */
  due = 0
  /** Settles which of two timers with one `due` fires first; meaningful while `pending`. */
  order = 0
  /** Kept by the scheduler's heap. */
  place = NOT_QUEUED
  state: T | undefined
  readonly #queue: ActionQueue
  #work: Work<T> | undefined

  constructor(queue: ActionQueue, work: Work<T>, state: T | undefined) {
    super()
    this.#queue = queue
    this.#work = work
    this.state = state
  }

  get pending(): boolean {
    return this.place !== NOT_QUEUED
  }

  /**
   * Fires (again) in `delay` ms; what it was waiting for before is forgotten. Does nothing when it is cancelled.
   * @param delay below 0 and NaN count as 0; Infinity never fires
   */
  schedule(state?: T, delay = 0): this {
    if (this.closed) return this
    this.state = state
    this.#queue.arm(this as EventTimeAction<unknown>, delay)
    return this
  }

  /**
   * Does the work, now. For the scheduler only.
   * @throws what the work throws, after the action was cancelled
   */
  fire(): void {
    try {
      this.#work?.call(this, this.state)
    } catch (error) {
      this.#cancelAfter(error)
      throw error
    }
  }

  override unsubscribe(): void {
    if (this.closed) return
    if (this.pending) this.#queue.disarm(this as EventTimeAction<unknown>)
    this.#work = undefined
    this.state = undefined
    super.unsubscribe()
  }

  #cancelAfter(error: unknown): void {
    try {
      this.unsubscribe()
    } catch (second) {
      throw new AggregateError([error, second], messageOf(error), { cause: second })
    }
  }
}
