// What Millrace needs of the inside of rxjs 7.8, which has no public names: where its default clocks are replaced, and
// the queues that its three singleton schedulers share over the whole process.
//
// Under Node both `rxjs` and `rxjs/internal/*` mean the CommonJS build (condition `node` of its exports), whoever
// imports them and how, so these are the objects that operators use. A second copy of rxjs has objects of its own:
// src/time/self-test.ts finds that out.
import { asapScheduler, asyncScheduler, queueScheduler } from 'rxjs'
import { dateTimestampProvider } from 'rxjs/internal/scheduler/dateTimestampProvider'
import { immediateProvider } from 'rxjs/internal/scheduler/immediateProvider'
import { intervalProvider } from 'rxjs/internal/scheduler/intervalProvider'
import { Immediate } from 'rxjs/internal/util/Immediate'

/** What stands in for the machine's clocks: everything that rxjs asks for time or timers when no scheduler is named. */
export interface Delegates {
  readonly interval: typeof intervalProvider.delegate
  readonly date: typeof dateTimestampProvider.delegate
  readonly immediate: typeof immediateProvider.delegate | undefined
}

/** What rxjs uses for the asapScheduler when there is no delegate: a microtask. Its handles are numbers. */
export const machineImmediate = Immediate as unknown as {
  setImmediate(handler: () => void): ReturnType<typeof setInterval>
  clearImmediate(handle: unknown): void
}

export function hasDelegates({ interval, date, immediate }: Delegates): boolean {
  return (
    intervalProvider.delegate === interval &&
    dateTimestampProvider.delegate === date &&
    immediateProvider.delegate === immediate
  )
}

/** Puts `delegates` in place, and returns those that were there; undefined when there were none. */
export function exchangeDelegates({ interval, date, immediate }: Delegates): Delegates | undefined {
  const before: Delegates = {
    interval: intervalProvider.delegate,
    date: dateTimestampProvider.delegate,
    immediate: immediateProvider.delegate,
  }
  intervalProvider.delegate = interval
  dateTimestampProvider.delegate = date
  ;(immediateProvider as { delegate: Delegates['immediate'] }).delegate = immediate
  return (before.interval ?? before.date ?? before.immediate) ? before : undefined
}

/** The part of a singleton scheduler that outlives a call. */
interface Queue {
  actions: unknown[]
  _active: boolean
  /** asapScheduler only: the handle of the immediate that will run what waits. */
  _scheduled?: unknown
}

/** What was waiting in the three singletons, or running. */
export type Queues = readonly [timers: Queue, trampoline: Queue, soon: Queue]

const TIMERS = asyncScheduler as unknown as Queue
const TRAMPOLINE = queueScheduler as unknown as Queue
const SOON = asapScheduler as unknown as Queue

/** True when no action of a singleton runs, and none waits for a flush. Timers do not count: each has its own handle. */
export function queuesAreIdle(): boolean {
  return (
    !TIMERS._active &&
    !TRAMPOLINE._active &&
    !SOON._active &&
    SOON._scheduled === undefined &&
    SOON.actions.length === 0
  )
}

/** Puts `queues` in place, or idle ones, and returns what was there. */
export function exchangeQueues(queues?: Queues): Queues {
  return [exchange(TIMERS, queues?.[0]), exchange(TRAMPOLINE, queues?.[1]), exchange(SOON, queues?.[2])]
}

function exchange(queue: Queue, next: Queue | undefined): Queue {
  const before: Queue = { actions: queue.actions, _active: queue._active, _scheduled: queue._scheduled }
  queue.actions = next?.actions ?? []
  queue._active = next?._active ?? false
  queue._scheduled = next?._scheduled
  return before
}
