import { asapScheduler, asyncScheduler, interval, queueScheduler, Subject, take, timer, timestamp } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { leaks, runIn, turnScheduler } from '../../src/time/ambient.ts'
import { EventTimeScheduler } from '../../src/time/event-time-scheduler.ts'

const test = suite('ambient clock')

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

test('T4 outside of turns timers run on the machine’s clock, and are counted', async () => {
  runIn(new EventTimeScheduler(0), () => undefined)
  const before = { ...leaks }
  const began = Date.now()
  const seen: unknown[] = []
  interval(2)
    .pipe(take(2), timestamp())
    .subscribe(({ value, timestamp }) => seen.push([value, began <= timestamp && timestamp <= Date.now()]))
  asapScheduler.schedule(() => seen.push('soon'))
  timer(1)
    .subscribe(() => seen.push('never'))
    .unsubscribe()
  asapScheduler.schedule(() => seen.push('never')).unsubscribe()
  assert.equal([seen, leaks.timers - before.timers, leaks.immediates - before.immediates], [[], 2, 1])
  await Promise.resolve()
  assert.equal(seen, ['soon'], 'asap is a microtask, as without Millrace')
  for (let waited = 0; seen.length < 3 && waited < 1_000; waited++) await pause(2)
  await pause(5) // for what is never to come
  assert.equal(seen, ['soon', [0, true], [1, true]])
})

test('T4 after a turn that threw, the clocks are the machine’s again', () => {
  const scheduler = new EventTimeScheduler(7)
  assert.throws(
    () =>
      runIn(scheduler, () => {
        assert.is(asyncScheduler.now(), 7)
        throw new Error('broken')
      }),
    'broken',
  )
  assert.is(turnScheduler(), undefined)
  assert.ok(asyncScheduler.now() > 1e12)
  assert.is(
    runIn(scheduler, (n) => n + asyncScheduler.now(), 5),
    12,
  )
})

test('T4 a timer of a turn can be cancelled outside of turns, and one of the machine in a turn', async () => {
  const scheduler = new EventTimeScheduler(0)
  const seen: string[] = []
  const inside = runIn(scheduler, () => timer(5).subscribe(() => seen.push('inside')))
  const outside = timer(1).subscribe(() => seen.push('outside'))
  inside.unsubscribe()
  assert.is(scheduler.pending, 0)
  runIn(scheduler, () => outside.unsubscribe())
  await pause(5)
  assert.equal(seen, [])
})

test('T4 a turn inside of a turn is refused, of the same scheduler and of another, and the outer one goes on', () => {
  const outer = new EventTimeScheduler(1)
  for (const inner of [outer, new EventTimeScheduler(2)])
    runIn(outer, () => {
      assert.throws(
        () => runIn(inner, () => undefined),
        (error: unknown) => isFault(error, 'TURN_NESTED') && error.disposition === 'crash',
      )
      assert.is(turnScheduler(), outer)
      assert.is(asyncScheduler.now(), 1)
    })
})

test('T4 RxJS’s own marble tests before, around and within a turn keep their clocks, and turns theirs', () => {
  const seen: unknown[] = []
  const turn = (): void => {
    const scheduler = new EventTimeScheduler(0)
    runIn(scheduler, () => {
      timer(5).subscribe(() => seen.push(scheduler.now()))
      scheduler.advanceTo(10)
    })
  }
  const marbles = new TestScheduler((actual, expected) => assert.equal(actual, expected))
  marbles.run(({ expectObservable }) => {
    turn()
    expectObservable(timer(3)).toBe('---(a|)', { a: 0 })
  })
  turn()
  assert.equal(seen, [5, 5])
})

test('T5 a turn that is run from an action of a scheduler of rxjs fires its own actions in itself', async () => {
  for (const singleton of [asyncScheduler, asapScheduler, queueScheduler]) {
    const scheduler = new EventTimeScheduler(0)
    const seen: unknown[] = []
    const note = (what: string) => (): void => void seen.push([what, turnScheduler()?.now()])
    singleton.schedule(() => {
      singleton.schedule(note('outside'))
      runIn(scheduler, () => {
        queueScheduler.schedule(note('queue'))
        asapScheduler.schedule(note('asap'))
        timer(3).subscribe(note('timer'))
        scheduler.drain()
        scheduler.advanceTo(3)
      })
      seen.push('end of the turn')
    })
    for (let waited = 0; seen.length < 5 && waited < 1_000; waited++) await pause(1)
    assert.equal(seen, [['queue', 0], ['asap', 0], ['timer', 3], 'end of the turn', ['outside', undefined]])
  }
})

test('T5 what is waiting outside does not run in a turn, and what a turn leaves waiting not outside', async () => {
  const [first, second] = [new EventTimeScheduler(1), new EventTimeScheduler(2)]
  const seen: unknown[] = []
  const note = (what: string) => (): void => void seen.push([what, turnScheduler()?.now()])
  asapScheduler.schedule(note('outside'))
  assert.throws(
    () =>
      runIn(first, () => {
        asapScheduler.schedule(note('first'))
        throw new Error('before it was drained')
      }),
    'before',
  )
  runIn(second, () => {
    asapScheduler.schedule(note('second'))
    second.drain()
  })
  await pause(2)
  assert.equal(seen, [
    ['second', 2],
    ['outside', undefined],
  ])
  runIn(first, () => {
    asapScheduler.schedule(note('first again'))
    first.drain()
  })
  assert.equal(seen.slice(2), [
    ['first', 1],
    ['first again', 1],
  ])
})

test('T5 a reset forgets what its turns left waiting, and later turns work', () => {
  const scheduler = new EventTimeScheduler(1)
  const seen: unknown[] = []
  runIn(scheduler, () => asapScheduler.schedule(() => seen.push('before')))
  scheduler.reset(5)
  runIn(scheduler, () => {
    asapScheduler.schedule(() => seen.push('after'))
    scheduler.drain()
  })
  assert.equal(seen, ['after'])
})

test('T5 an action that throws, also in its finalizers, does not make the next turn deaf', () => {
  const scheduler = new EventTimeScheduler(0)
  for (const singleton of [asyncScheduler, asapScheduler, queueScheduler]) {
    const broken = (): void => {
      throw new Error('broken')
    }
    assert.throws(() =>
      runIn(scheduler, () => {
        singleton
          .schedule(function () {
            this.add(broken)
            broken()
          })
          .add(broken)
        scheduler.drain()
      }),
    )
    const seen: unknown[] = []
    const source = new Subject<number>()
    runIn(scheduler, () => {
      source.subscribe((value) => singleton.schedule(() => seen.push(value)))
      source.next(1)
      scheduler.drain()
    })
    assert.equal(seen, [1])
  }
})

test.run()
