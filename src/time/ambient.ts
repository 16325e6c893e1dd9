// The ambient clock
//
// While a turn runs, operators without a scheduler of their own (`bufferTime(1000)`, `debounceTime(50)`, `timer(…)`,
// `timestamp()`) take their time and their timers from the scheduler of that turn. Outside of turns rxjs is as it was.
//
// Invariants (tests cite them):
//   T4  In a turn every default clock of rxjs is the turn's scheduler; outside, and after a turn that threw, the machine's.
//   T5  What one scheduler's turn leaves waiting never runs in the turn of another, nor outside of turns.
import { type SchedulerAction } from 'rxjs'
import { fault } from '../error/millrace-error.js'
import { EventTimeAction } from './event-time-action.js'
import type { EventTimeScheduler } from './event-time-scheduler.js'
import {
  exchangeDelegates,
  exchangeQueues,
  hasDelegates,
  machineImmediate,
  queuesAreIdle,
  type Delegates,
  type Queues,
} from './rxjs-internals.js'

type Handle = ReturnType<typeof setInterval>

/** A timer of rxjs: it repeats until rxjs clears it, also when it is to fire once. */
interface Repeating {
  readonly handler: () => void
  readonly period: number | undefined
}

let current: EventTimeScheduler | undefined

/** Schedulers whose turn ended while work for the asapScheduler was waiting, with that work. */
const parked = new WeakMap<EventTimeScheduler, Queues>()
let everParked = false

const counted = { timers: 0, immediates: 0 }

/**
 * Timers that rxjs armed on the machine's clock, outside of any turn, since the first turn. A pipeline that causes one
 * (from a promise, for instance) has work that no replay repeats.
 */
export const leaks: Readonly<{ timers: number; immediates: number }> = counted

const DELEGATES: Delegates = {
  interval: {
    setInterval: (handler, period) => {
      if (current !== undefined) return asHandle(current.schedule(fireRepeating, period, { handler, period }))
      counted.timers++
      return setInterval(handler, period)
    },
    clearInterval: (handle) => {
      if (!cancel(handle)) clearInterval(handle)
    },
  },
  date: { now: () => (current === undefined ? Date.now() : current.now()) },
  immediate: {
    setImmediate: (handler) => {
      if (current !== undefined) return asHandle(current.schedule(fireOnce, 0, handler))
      counted.immediates++
      return machineImmediate.setImmediate(handler)
    },
    clearImmediate: (handle) => {
      if (!cancel(handle)) machineImmediate.clearImmediate(handle)
    },
  },
}

/** The scheduler of the turn that runs; undefined outside of turns. */
export function turnScheduler(): EventTimeScheduler | undefined {
  return current
}

/**
 * Runs `work` as a turn of `scheduler`. Time is not moved and nothing is fired by itself: `work` does that. It must be
 * synchronous; what it leaves to a promise runs outside of the turn.
 * @returns what `work` returns; what it throws goes through
 * @throws TURN_NESTED when a turn runs already, of whichever scheduler
 */
export function runIn<R>(scheduler: EventTimeScheduler, work: () => R): R
export function runIn<R, A>(scheduler: EventTimeScheduler, work: (argument: A) => R, argument: A): R
export function runIn<R, A>(scheduler: EventTimeScheduler, work: (argument?: A) => R, argument?: A): R {
  if (current !== undefined) throw fault('TURN_NESTED', `at event time ${current.now()}`)
  const foreign = hasDelegates(DELEGATES) ? undefined : exchangeDelegates(DELEGATES)
  const outside = queuesAreIdle() && !(everParked && parked.has(scheduler)) ? undefined : enter(scheduler)
  current = scheduler
  try {
    return work(argument)
  } finally {
    current = undefined
    if (outside !== undefined || !queuesAreIdle()) leave(scheduler, outside)
    if (foreign !== undefined) exchangeDelegates(foreign)
  }
}

/**
 * The singletons of rxjs queue what is scheduled while they run something. Were a turn called from an action of theirs,
 * its own actions would wait until that one is over, that is until after the turn.
 */
function enter(scheduler: EventTimeScheduler): Queues {
  const own = parked.get(scheduler)
  parked.delete(scheduler)
  const [, , soon] = own ?? []
  const cancelled = soon?._scheduled instanceof EventTimeAction && soon._scheduled.closed // by a reset
  return exchangeQueues(cancelled ? undefined : own)
}

function leave(scheduler: EventTimeScheduler, outside: Queues | undefined): void {
  const idle = queuesAreIdle()
  const left = exchangeQueues(outside)
  if (idle) return
  // An action runs only inside of a turn, so none can be running now: rxjs forgets that when a finalizer throws.
  for (const queue of left) queue._active = false
  parked.set(scheduler, left)
  everParked = true
}

/** Armed again after its work, as an explicit scheduler would do: so the order of timers at one time is the same. */
function fireRepeating(this: SchedulerAction<Repeating>, timer?: Repeating): void {
  timer?.handler()
  this.schedule(timer, timer?.period)
}

function fireOnce(this: SchedulerAction<() => void>, handler?: () => void): void {
  handler?.()
}

/** RxJS keeps handles and gives them back, no more. */
function asHandle(action: unknown): Handle {
  return action as Handle
}

function cancel(handle: unknown): boolean {
  if (!(handle instanceof EventTimeAction)) return false
  handle.unsubscribe()
  return true
}
