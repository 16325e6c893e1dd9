import * as fc from 'fast-check'
import { interval, Subscription, take } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { EventTimeScheduler } from '../../src/time/event-time-scheduler.ts'
import type { EventTimeAction } from '../../src/time/event-time-action.ts'
import { NaiveScheduler, type Handle, type Timers } from './naive-scheduler.ts'

const test = suite('event-time scheduler')

/** What a timer does when it fires, as data. */
interface Plan {
  readonly delay: number
  /** Scheduled when it fires. */
  readonly starts: readonly Plan[]
  /** How often it schedules itself again, and when. */
  readonly again: number
  readonly every: number
  /** Number of the timer that it cancels, among all so far. */
  readonly cancels: number | undefined
}

type Step =
  | { readonly do: 'schedule'; readonly plan: Plan }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'again'; readonly which: number; readonly delay: number }
  | { readonly do: 'advance'; readonly by: number }
  | { readonly do: 'drain' }

const delay = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(-1, 0, Number.NaN, Infinity, 2.5))
function planOf(depth: number): fc.Arbitrary<Plan> {
  return fc.record({
    delay,
    starts: depth === 1 ? fc.constant([]) : fc.array(planOf(depth - 1), { maxLength: 2 }),
    again: fc.nat(3),
    every: fc.integer({ min: 0, max: 5 }),
    cancels: fc.option(fc.nat(30), { nil: undefined }),
  })
}
const plan = planOf(3)
const step = fc.oneof(
  fc.record({ do: fc.constant('schedule' as const), plan }),
  fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }),
  fc.record({ do: fc.constant('again' as const), which: fc.nat(30), delay }),
  fc.record({ do: fc.constant('advance' as const), by: fc.integer({ min: -3, max: 15 }) }),
  fc.record({ do: fc.constant('drain' as const) }),
)

/** Runs the program, and returns what was seen on the way. */
function run(timers: Timers, steps: readonly Step[]): unknown[] {
  const seen: unknown[] = []
  const handles: Handle[] = []
  const start = (plan: Plan): void => {
    const name = handles.length
    let left = plan.again
    const handle = timers.schedule((self) => {
      seen.push([name, timers.now()])
      for (const next of plan.starts) start(next)
      if (plan.cancels !== undefined) handles[plan.cancels]?.cancel()
      if (left-- > 0) self.again(plan.every)
    }, plan.delay)
    handles[name] = handle
  }
  for (const step of steps) {
    if (step.do === 'schedule') start(step.plan)
    else if (step.do === 'cancel') handles[step.which]?.cancel()
    else if (step.do === 'again') handles[step.which]?.again(step.delay)
    else seen.push(step.do === 'drain' ? timers.drain() : timers.advanceTo(timers.now() + step.by))
    seen.push([timers.now(), timers.nextDue, timers.pending])
  }
  return seen
}

/** The scheduler under test as the naive one sees itself. */
function adapt(scheduler: EventTimeScheduler): Timers {
  const handleOf = (action: EventTimeAction<undefined>): Handle => ({
    again: (delay) => void action.schedule(undefined, delay),
    cancel: () => action.unsubscribe(),
  })
  return {
    now: () => scheduler.now(),
    schedule: (work, delay) =>
      handleOf(
        scheduler.schedule<undefined>(function () {
          work(handleOf(this as EventTimeAction<undefined>))
        }, delay),
      ),
    advanceTo: (time) => scheduler.advanceTo(time),
    drain: () => scheduler.drain(),
    get nextDue() {
      return scheduler.nextDue
    },
    get pending() {
      return scheduler.pending
    },
  }
}

test('T1 any program of timers is fired as by a list that is searched each time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      assert.equal(run(adapt(new EventTimeScheduler(100)), steps), run(new NaiveScheduler(100), steps))
    }),
    { numRuns: 400 },
  )
})

test('T1 a state brought back timer by timer, with its orders, goes on as the one that went on', () => {
  const plans = fc.array(fc.record({ delay: fc.nat(9), every: fc.nat(4), again: fc.nat(3) }), { maxLength: 12 })
  fc.assert(
    fc.property(plans, fc.nat(8), fc.context(), (plans, until, context) => {
      const seen: [number, string][] = []
      type Ticking = { readonly name: number; readonly every: number; left: number }
      const workOn = (scheduler: EventTimeScheduler, who: string) =>
        function (this: unknown, state?: Ticking): void {
          if (state === undefined) throw new Error('no state')
          seen.push([scheduler.now(), `${who}${state.name}`])
          if (state.left-- > 0) (this as EventTimeAction<Ticking>).schedule(state, state.every)
        }
      const original = new EventTimeScheduler(0)
      const actions = plans.map(({ delay, every, again }, name) =>
        original.schedule<Ticking>(workOn(original, ''), delay, { name, every, left: again }),
      )
      original.advanceTo(until)
      const copy = new EventTimeScheduler(original.now())
      for (const { pending, due, order, state } of [...actions].reverse())
        if (pending && state !== undefined) copy.restore<Ticking>(workOn(copy, ''), due, order, { ...state })
      copy.nextOrder = original.nextOrder
      seen.length = 0
      original.advanceTo(60)
      const expected = seen.splice(0)
      copy.advanceTo(60)
      context.log(JSON.stringify(expected))
      assert.equal(seen, expected)
    }),
    { numRuns: 300 },
  )
})

test('T1 time does not move back, and what is due then fires all the same', () => {
  const scheduler = new EventTimeScheduler(100)
  const seen: number[] = []
  scheduler.schedule(() => seen.push(scheduler.now()))
  assert.is(scheduler.advanceTo(50), 1)
  scheduler.restore(() => seen.push(scheduler.now()), 70, 9)
  assert.is(scheduler.drain(), 1)
  assert.equal([seen, scheduler.now(), scheduler.nextOrder], [[100, 100], 100, 10])
})

test('T2 what a timer throws comes out, time stands there, and the rest fires when time is moved again', () => {
  const scheduler = new EventTimeScheduler(0)
  const seen: number[] = []
  const work = (): void => void seen.push(scheduler.now())
  scheduler.schedule(work, 10)
  const failing = scheduler.schedule(() => {
    throw new Error('broken')
  }, 20)
  scheduler.schedule(work, 20)
  scheduler.schedule(work, 30)
  assert.throws(() => scheduler.advanceTo(100), 'broken')
  assert.equal([scheduler.now(), seen, scheduler.pending, failing.closed, scheduler.fired], [20, [10], 2, true, 2])
  assert.is(scheduler.advanceTo(100), 2)
  assert.equal([scheduler.now(), seen], [100, [10, 20, 30]])
})

test('T2 with a handler of errors the timers behind the failing one fire in the same call', () => {
  const scheduler = new EventTimeScheduler(0)
  const errors: unknown[] = []
  scheduler.onError = (error) => errors.push([scheduler.now(), (error as Error).message])
  const failing = scheduler.schedule(() => {
    throw new Error('broken')
  }, 5)
  failing.add(() => {
    throw new Error('its finalizer too')
  })
  scheduler.schedule(() => undefined, 5)
  assert.is(scheduler.advanceTo(5), 2)
  assert.equal(errors, [[5, 'broken']])
})

test('T3 an instant that never ends is an error that names it, and nothing else is lost by it', () => {
  const scheduler = new EventTimeScheduler(Date.UTC(2031, 4, 6))
  interval(0, scheduler).subscribe()
  scheduler.schedule(() => undefined, 1_000)
  for (const advance of [() => scheduler.drain(), () => scheduler.advanceTo(Date.UTC(2031, 4, 7))]) {
    const before = scheduler.fired
    assert.throws(
      advance,
      (error: unknown) => isFault(error, 'TIMER_LIVELOCK') && /2031-05-06T00:00:00/.test(error.detail),
    )
    assert.is(scheduler.fired - before > 100_000, true, 'the storm can be counted although the call threw')
    assert.is(scheduler.pending, 2)
  }
  assert.is(new EventTimeScheduler(0).schedule(() => undefined).pending, true)
})

test('T3 however many timers are due at one instant, each with a few more behind it, is no livelock', () => {
  const scheduler = new EventTimeScheduler(0)
  let fired = 0
  const count = (): void => void fired++
  for (let n = 0; n < 120_000; n++)
    scheduler.schedule(() => {
      count()
      scheduler.schedule(count)
    }, 60_000)
  assert.is(scheduler.advanceTo(60_000), 240_000)
  assert.is(fired, 240_000)
})

test('T3 many instants with many timers each are no livelock', () => {
  const scheduler = new EventTimeScheduler(0)
  assert.is(interval(1, scheduler).subscribe().closed, false)
  assert.is(scheduler.advanceTo(150_000), 150_000)
})

test('T3 time cannot be moved, drained or reset from within a timer', () => {
  const scheduler = new EventTimeScheduler(0)
  const refused: unknown[] = []
  const attempt = (move: () => void): void => {
    try {
      move()
    } catch (error) {
      refused.push(isFault(error) ? error.code : error)
    }
  }
  scheduler.schedule(() => {
    assert.is(scheduler.advancing, true)
    attempt(() => scheduler.advanceTo(10))
    attempt(() => scheduler.drain())
    attempt(() => scheduler.reset(0))
  }, 1)
  scheduler.advanceTo(1)
  assert.equal([refused, scheduler.advancing], [['TIME_REENTERED', 'TIME_REENTERED', 'TIME_REENTERED'], false])
})

test('what is no time is refused, and nothing can be scheduled before time was set', () => {
  const scheduler = new EventTimeScheduler()
  const isInvalid = (error: unknown): boolean => isFault(error, 'TIME_INVALID')
  assert.throws(() => scheduler.schedule(() => undefined, 1), isInvalid)
  for (const time of [Number.NaN, Infinity, -Infinity]) assert.throws(() => scheduler.advanceTo(time), isInvalid)
  assert.throws(() => scheduler.restore(() => undefined, Number.NaN, 0), isInvalid)
  assert.throws(() => new EventTimeScheduler(Number.NaN), isInvalid)
  assert.equal([scheduler.now(), scheduler.pending, scheduler.nextDue], [-Infinity, 0, Infinity])
  scheduler.advanceTo(5)
  assert.is(scheduler.schedule(() => undefined, 1).due, 6)
})

test('a reset cancels every timer and sets time and order, also back', () => {
  const scheduler = new EventTimeScheduler(100)
  const timers = [10, 5].map((delay) => scheduler.schedule(() => undefined, delay))
  scheduler.reset(50, 7)
  assert.equal([scheduler.pending, scheduler.now(), scheduler.nextOrder], [0, 50, 7])
  assert.ok(timers.every(({ closed }) => closed))
  scheduler.reset()
  assert.is(scheduler.now(), -Infinity)
})

test('a subscriber lets go of a timer that is cancelled or over, so that its list does not grow', () => {
  const scheduler = new EventTimeScheduler(0)
  const parent = new Subscription()
  for (let n = 0; n < 100; n++) {
    const action = scheduler.schedule(() => undefined, n)
    parent.add(action)
    action.unsubscribe()
  }
  assert.is((parent as unknown as { _finalizers: unknown[] })._finalizers.length, 0)
  parent.add(scheduler.schedule(() => undefined, 1))
  parent.unsubscribe()
  assert.is(scheduler.pending, 0)
})

test('an operator of rxjs runs on it', () => {
  const scheduler = new EventTimeScheduler(1_000)
  const seen: unknown[] = []
  const source = interval(10, scheduler).pipe(take(3))
  source.subscribe({ next: (n) => seen.push([n, scheduler.now()]), complete: () => seen.push('done') })
  scheduler.advanceTo(2_000)
  assert.equal(seen, [[0, 1_010], [1, 1_020], [2, 1_030], 'done'])
})

test.run()
