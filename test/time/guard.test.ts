import { randomBytes, randomInt, randomUUID, webcrypto } from 'node:crypto'
import { types } from 'node:util'
import * as fc from 'fast-check'
import { catchError, map, of, Subject, tap, timer, timestamp } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault, MillraceError } from '../../src/error/millrace-error.ts'
import { runIn } from '../../src/time/ambient.ts'
import { EventTimeScheduler } from '../../src/time/event-time-scheduler.ts'
import { installGuard, takeRefusal, unguarded } from '../../src/time/guard.ts'

const test = suite('guard')

const OriginalDate = Date
const dateBefore = new Date(5)
installGuard()
const GuardedDate = Date
installGuard()

/** What asks the machine, with what the error calls it and what it says to use instead. */
const CALLS: readonly (readonly [call: string, instead: string, ask: () => unknown])[] = [
  ['Date.now()', 'ctx.now()', () => Date.now()],
  ['new Date()', 'ctx.now()', () => new Date()],
  ['Date()', 'ctx.now()', () => Date()],
  ['performance.now()', 'ctx.now()', () => performance.now()],
  ['Math.random()', 'ctx.random()', () => Math.random()],
  ['crypto.getRandomValues()', 'ctx.random()', () => webcrypto.getRandomValues(new Uint8Array(4))],
  ['crypto.getRandomValues()', 'ctx.random()', () => globalThis.crypto.getRandomValues(new Uint8Array(4))],
  ['crypto.randomUUID()', 'ctx.uuid()', () => globalThis.crypto.randomUUID()],
  ['crypto.randomUUID()', 'ctx.uuid()', () => randomUUID()],
  ['crypto.randomBytes()', 'ctx.random()', () => randomBytes(4)],
  ['crypto.randomInt()', 'ctx.random()', () => randomInt(4)],
]

function refusalOf(work: () => unknown): MillraceError {
  try {
    work()
  } catch (error) {
    if (isFault(error, 'NONDETERMINISTIC_CALL')) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('T6 in a turn every call is refused with its name, its place and what to use instead', () => {
  for (const [call, instead, ask] of CALLS) {
    const { detail, disposition } = refusalOf(() => runIn(new EventTimeScheduler(0), ask))
    assert.is(disposition, 'crash')
    assert.ok(detail.startsWith(`${call} at `), detail)
    assert.ok(detail.endsWith(`: use ${instead}`), detail)
    assert.match(detail, /guard\.test\.ts:\d+:\d+/)
  }
})

test('T6 deep in operators and timers, the place is the line of the pipeline', () => {
  const scheduler = new EventTimeScheduler(0)
  const errors: unknown[] = []
  const score = (n: number): number => n + Date.now()
  runIn(scheduler, () => {
    const source = new Subject<number>()
    source.pipe(map(score)).subscribe({ error: (error) => errors.push(error) })
    source.next(1)
    timer(5)
      .pipe(tap(() => Math.random()))
      .subscribe({ error: (error) => errors.push(error) })
    scheduler.advanceTo(5)
  })
  assert.match((errors[0] as Error).message, /Date\.now\(\) at score \(.*guard\.test\.ts:\d+:\d+\)/)
  assert.match((errors[1] as Error).message, /Math\.random\(\) at .*guard\.test\.ts:\d+:\d+/)
})

test('T6 outside of turns every call answers, also after turns that threw at any point', () => {
  const ask = fc.constantFrom(...CALLS)
  fc.assert(
    fc.property(fc.array(fc.record({ ask, how: fc.constantFrom('call', 'throw', 'catch') })), (turns) => {
      const scheduler = new EventTimeScheduler(0)
      for (const { ask, how } of turns) {
        const turn = (): void =>
          runIn(scheduler, () => {
            if (how === 'catch') refusalOf(ask[2])
            else if (how === 'call') ask[2]()
            else throw new Error('broken')
          })
        if (how === 'catch') turn()
        else assert.throws(turn)
        for (const [, , ask] of CALLS) assert.ok(ask() !== undefined)
      }
    }),
    { numRuns: 50 },
  )
})

test('T6 the first refusal is known although the pipeline caught it, once', () => {
  takeRefusal()
  const seen: unknown[] = []
  runIn(new EventTimeScheduler(0), () =>
    of(1)
      .pipe(
        map(() => Date.now()),
        catchError(() => of(refusalOf(() => Math.random()).code)),
      )
      .subscribe((code) => seen.push(code)),
  )
  assert.equal(seen, ['NONDETERMINISTIC_CALL'])
  assert.match(takeRefusal()?.detail ?? '', /^Date\.now\(\)/)
  assert.is(takeRefusal(), undefined)
})

test('T6 rxjs itself is not refused: its times are event time', () => {
  const scheduler = new EventTimeScheduler(70)
  const seen: unknown[] = []
  runIn(scheduler, () =>
    of('a')
      .pipe(timestamp())
      .subscribe((stamped) => seen.push(stamped)),
  )
  assert.equal(seen, [{ value: 'a', timestamp: 70 }])
})

test('T6 what is lifted from the guard answers in a turn, and the guard is back after it, also when it throws', () => {
  runIn(new EventTimeScheduler(0), () => {
    assert.ok(unguarded(() => Date.now()) > 1e12)
    assert.ok(unguarded(() => unguarded(() => 1) + Math.random()) >= 1)
    assert.throws(() =>
      unguarded(() => {
        throw new Error('broken')
      }),
    )
    refusalOf(() => Date.now())
  })
})

test('T6 dates with a time, parsing and UTC are allowed in a turn', () => {
  runIn(new EventTimeScheduler(0), () => {
    assert.is(new Date(5).getTime(), 5)
    assert.is(new Date('2031-05-06T00:00:00Z').getTime(), Date.UTC(2031, 4, 6))
    assert.is(new Date(2031, 4, 6, 7, 8, 9, 10).getMilliseconds(), 10)
    assert.is(Date.parse('1970-01-01T00:00:01Z'), 1_000)
    assert.ok(Number.isNaN(new Date(undefined as unknown as number).getTime()))
  })
})

test('T6 the guard is installed once, and Date is as it was in every other respect', () => {
  assert.is(Date, GuardedDate)
  class Moment extends Date {
    label = 'moment'
    get hour(): number {
      return this.getUTCHours()
    }
  }
  const moment = new Moment(3_600_000)
  assert.equal([moment.hour, moment.label, moment.constructor.name], [1, 'moment', 'Moment'])
  for (const date of [moment, dateBefore, new Date(), new OriginalDate()]) {
    assert.ok(date instanceof Date && date instanceof OriginalDate && types.isDate(date))
    assert.is(Object.prototype.toString.call(date), '[object Date]')
  }
  assert.ok(moment instanceof Moment && !(new Date() instanceof Moment))
  assert.is(dateBefore.constructor, Date)
  assert.is(structuredClone(new Date(7)).getTime(), 7)
  assert.equal([Date.name, Date.length, Date.now.name, typeof Date()], ['Date', 7, 'now', 'string'])
  assert.equal(Object.getOwnPropertyNames(Date).sort(), Object.getOwnPropertyNames(OriginalDate).sort())
  assert.equal([Math.random.name, performance.now.name, randomUUID.length], ['random', 'now', 1])
  assert.throws(() => runIn(new EventTimeScheduler(0), () => new Moment(...([] as unknown as [number]))))
})

test('T6 outside of turns the guard costs nanoseconds a call, and a turn a microsecond or two', () => {
  const scheduler = new EventTimeScheduler(0)
  const cost = (work: () => void): number => {
    let best = Infinity
    for (let round = 0; round < 15; round++) {
      const start = process.hrtime.bigint()
      for (let n = 0; n < 20_000; n++) work()
      best = Math.min(best, Number(process.hrtime.bigint() - start) / 20_000)
    }
    return best
  }
  const original = cost(() => void OriginalDate.now())
  assert.ok(cost(() => void Date.now()) - original < 400)
  assert.ok(cost(() => runIn(scheduler, () => undefined)) < 5_000)
})

test.run()
