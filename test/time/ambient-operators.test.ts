// The default clocks of rxjs, in a turn, against the same operators with the scheduler named, and against RxJS's own
// TestScheduler.
import * as fc from 'fast-check'
import { map, Subject, type Observable, type SchedulerLike } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { leaks, runIn } from '../../src/time/ambient.ts'
import { EventTimeScheduler } from '../../src/time/event-time-scheduler.ts'
import { toNumber, USES, type Use } from './operators.ts'

const test = suite('ambient clock, operators')

interface Logged {
  readonly time: number
  readonly value: number
}

/** After the last event, and on no timer’s time: there the source completes. */
const END = 400 + 1 / 128
const AFTER = 500

function record(outputs: unknown[], now: () => number, output: Observable<unknown>): void {
  output.subscribe({
    next: (value) => outputs.push([now(), value]),
    error: (error: unknown) => outputs.push([now(), String(error)]),
    complete: () => outputs.push([now(), 'completed']),
  })
}

/** In turns, as a pipeline runs. @param ambient false names the scheduler everywhere */
function byTurns(use: Use, log: readonly Logged[], ambient: boolean): unknown[] {
  const outputs: unknown[] = []
  const scheduler = new EventTimeScheduler(0)
  const source = new Subject<number>()
  const turn = (work: () => void): void => (ambient ? runIn(scheduler, work) : work())
  turn(() => {
    record(outputs, () => scheduler.now(), use(source, ambient ? undefined : scheduler))
    scheduler.drain()
  })
  for (const { time, value } of log)
    turn(() => {
      scheduler.advanceTo(time)
      source.next(value)
      scheduler.drain()
    })
  turn(() => {
    scheduler.advanceTo(END)
    source.complete()
  })
  turn(() => scheduler.advanceTo(AFTER))
  return outputs
}

function byTestScheduler(use: Use, log: readonly Logged[]): unknown[] {
  const outputs: unknown[] = []
  const scheduler = new TestScheduler(() => undefined)
  scheduler.maxFrames = AFTER
  const source = new Subject<number>()
  record(outputs, () => scheduler.now(), use(source, scheduler as SchedulerLike))
  for (const { time, value } of log) scheduler.schedule(() => source.next(value), time)
  scheduler.schedule(() => source.complete(), END)
  scheduler.flush()
  return outputs
}

const steps = fc.array(fc.record({ after: fc.nat(14), value: fc.nat(50) }), { maxLength: 24 })

/** Whole milliseconds, often equal to each other and to the times of timers. */
const log = steps.map((steps) => {
  let time = 0
  return steps.map(({ after, value }): Logged => ({ time: (time += after), value }))
})

/** No event and no timer of another event at one time: each event has a fraction of a millisecond of its own. */
const logWithoutTies = log.map((log) => log.map(({ time, value }, at) => ({ time: time + (at + 1) / 64, value })))

const uses = Object.entries(USES)

/** The asapScheduler runs what waits in one go, before what any of it asks for: among other work of no delay the order is its own. */
const ASAP: readonly string[] = ['observeOn asap', 'subscribeOn asap', 'generate']
const NO_DELAY: readonly string[] = ['scheduled', 'delayWhen', 'debounce', 'ReplaySubject', 'delay until a date']

function hasOwnOrder(names: readonly string[]): boolean {
  return names.some((name) => ASAP.includes(name)) && names.some((name) => NO_DELAY.includes(name))
}

test('T4 the table has what it says', () => {
  assert.ok(uses.length >= 30, `${uses.length} uses`)
})

test('T4 every use without a scheduler is, in turns, as with the scheduler named, with ties', () => {
  for (const [name, use] of uses) {
    const same = fc.property(log, (log) => assert.equal(byTurns(use, log, true), byTurns(use, log, false), name))
    fc.assert(same, { numRuns: 25 })
  }
})

test('T4 every use without a scheduler is as with the TestScheduler of rxjs when nothing falls on one time', () => {
  for (const [name, use] of uses) {
    const same = fc.property(logWithoutTies, (log) =>
      assert.equal(byTurns(use, log, true), byTestScheduler(use, log), name),
    )
    fc.assert(same, { numRuns: 25 })
  }
})

test('T4 chains of operators without a scheduler are as with the scheduler named, with ties', () => {
  const chain = fc.array(fc.constantFrom(...uses), { minLength: 2, maxLength: 4 })
  fc.assert(
    fc.property(chain, log, (chain, log) => {
      fc.pre(!hasOwnOrder(chain.map(([name]) => name)))
      const use: Use = (source, s) =>
        chain.reduce<Observable<number>>((e, [, use]) => use(e, s).pipe(map(toNumber)), source)
      assert.equal(byTurns(use, log, true), byTurns(use, log, false), chain.map(([name]) => name).join(' → '))
    }),
    { numRuns: 400 },
  )
})

test('T4 none of this armed a timer of the machine', () => {
  assert.equal(leaks, { timers: 0, immediates: 0 })
})

test.run()
