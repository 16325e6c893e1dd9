import {
  bufferTime,
  delay,
  debounceTime,
  interval,
  map,
  mergeMap,
  of,
  scan,
  startWith,
  take,
  timer,
  toArray,
} from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { declare, Made, Rig, type Build, type Options } from './rig.ts'

const test = suite('the life of a slot')

const rig = (pipeline: Build, options?: Options): Rig => new Rig(declare(pipeline, options))
const sums: Build = (events$) =>
  events$.pipe(
    scan((sum, { data }) => sum + data.v, 0),
    map((sum) => Made(sum)),
  )
const sessions: Build = (events$) =>
  events$.pipe(
    map(({ data }) => data.v),
    toArray(),
    map((values) => Made(values)),
  )

test('each key has a state of its own; events without a key share one', () => {
  const run = rig(sums)
  assert.equal(
    [run.give(0, 'a', 1), run.give(0, 'b', 10), run.give(0, 'a', 2), run.give(0, 'a', 5, { key: undefined })],
    [[1], [10], [3], [5]],
  )
})

test('keyBy names the key where every partition comes to one process', () => {
  const run = rig(sums, { keyBy: ({ data }) => (data.v % 2 === 0 ? 'even' : 'odd'), spread: 'one' })
  assert.equal([run.give(0, 'a', 1), run.give(0, 'b', 3), run.give(0, 'a', 2)], [[1], [4], [2]])
})

test('S2 it ends `idle` after its last event, not before and not later', () => {
  const run = rig(sums)
  run.give(0, 'a', 1)
  assert.equal(run.give(999, 'a', 1), [2], 'an event within idle keeps it')
  assert.equal(run.give(1_998, 'a', 1), [3], 'idle counts from the last event')
  assert.equal(run.give(2_998, 'a', 1), [1], 'an event at the very end begins a new one')
})

test('at its end its input completes, so that what was gathered comes out, at that time and caused by its last event', () => {
  const run = rig(sessions)
  run.give(0, 'a', 1)
  run.give(10, 'a', 2, { correlationId: 'talk' })
  assert.equal(run.give(5_000, 'b', 7), [[1, 2]])
  const [draft] = run.drafts
  assert.equal([draft?.time, draft?.correlationId, draft?.causationId], [1_010, 'talk', 'e2'])
})

test('S2 timers of its last instant fire before its end, and what it put out at its end may be delayed no more', () => {
  const run = rig((events$) =>
    events$.pipe(
      debounceTime(1_000),
      map(({ data }) => Made(data.v)),
    ),
  )
  run.give(0, 'a', 1)
  assert.equal(run.give(3_000, 'b', 2), [1])
  assert.is(run.drafts[0]?.time, 1_000)
  const late = rig((events$) =>
    events$.pipe(
      toArray(),
      delay(10),
      map((values) => Made(values.length)),
    ),
  )
  late.give(0)
  assert.equal(late.give(3_000, 'b'), [], 'a timer that outlives the slot is dropped')
})

test('an epoch ends every slot at its multiples, however busy they are', () => {
  const run = rig(sums, { recovery: { mode: 'slots', idle: '1h', epoch: 100 } })
  assert.equal(
    [run.give(30, 'a', 1), run.give(99, 'a', 1), run.give(100, 'a', 1), run.give(199, 'a', 1)],
    [[1], [2], [1], [2]],
  )
  assert.is(run.logic.replayStart()?.sequence, 3)
})

test('a pipeline that completed keeps its slot: its life does not depend on what it puts out', () => {
  const run = rig((events$) =>
    events$.pipe(
      take(2),
      map(({ data }) => Made(data.v)),
    ),
  )
  assert.equal([run.give(0), run.give(10), run.give(20), run.give(900)], [[1], [2], [], []])
  assert.is(run.logic.replayStart()?.sequence, 1)
  assert.equal(run.give(1_900), [5], 'after idle it begins anew')
})

test('a replay begins with the first event of the oldest slot that lives', () => {
  const run = rig(sums)
  assert.is(run.logic.replayStart(), undefined, 'nothing lives')
  run.give(0, 'a')
  run.give(500, 'b')
  run.give(600, 'a')
  const { sequence, events } = run.logic.replayStart() ?? {}
  assert.equal([sequence, events], [1, 3])
  run.tick(1_600)
  assert.equal([run.logic.replayStart()?.sequence, run.logic.replayStart()?.events], [1, 3], 'a lingers for an instant')
  run.tick(1_601)
  assert.is(run.logic.replayStart(), undefined)
  assert.equal(run.logic.basis, { position: 3, watermark: 1_601, newest: null, stored: null, notices: {} })
})

test('it says when time has to move, and a tick at that time moves it', () => {
  const run = rig((events$) =>
    events$.pipe(
      bufferTime(300),
      map((batch) => Made(batch.length)),
    ),
  )
  assert.is(run.logic.due, Number.POSITIVE_INFINITY)
  run.give(1_000)
  const dues: number[] = []
  const put: unknown[] = []
  for (let ticks = 0; ticks < 20 && run.logic.due !== Number.POSITIVE_INFINITY; ticks++) {
    dues.push(run.logic.due)
    put.push(...run.tick(run.logic.due))
  }
  assert.equal(dues, [1_300, 1_600, 1_900, 2_000, 2_001])
  assert.equal(put, [1, 0, 0, 0], 'the last one when the input ended')
})

test('S2 a timer fires before an event of its time; what has no delay comes in the turn that asked for it', () => {
  const run = rig((events$) =>
    events$.pipe(
      mergeMap(({ data }) => timer(data.v).pipe(map(() => Made(`${data.v} later`)))),
      startWith(Made('began')),
    ),
  )
  assert.equal(run.give(0, 'a', 100), ['began'])
  assert.equal(run.give(100, 'a', 0), ['100 later', '0 later'])
})

test('time that the stream’s clock takes back stands still', () => {
  const run = rig((events$, ctx) => events$.pipe(map(() => Made(ctx.now()))))
  assert.equal([run.give(100), run.give(40), run.give(120)], [[100], [100], [120]])
})

test('a gap of ten days with an interval of 100 ms costs no more than `idle` allows', () => {
  const run = rig((events$) =>
    events$.pipe(
      bufferTime(100),
      mergeMap((batch) => of(...batch)),
      map(({ data }) => Made(data.v)),
    ),
  )
  for (let key = 0; key < 100; key++) run.give(key, `k${key}`)
  const began = performance.now()
  assert.is(run.give(864_000_000, 'late').length, 100)
  assert.ok(performance.now() - began < 20_000)
  assert.equal(run.logic.notices, {})
})

test('a storm of timers is noted', () => {
  const run = rig(() => interval(1).pipe(mergeMap(() => [])), { recovery: { mode: 'slots', idle: '10m' } })
  run.give(0)
  run.give(250_000, 'b')
  assert.equal(run.logic.notices, { timerFirings: 1 })
})

test('timers that follow each other in one instant without end stop the pipeline', () => {
  const run = rig((events$) =>
    events$.pipe(
      mergeMap(() => interval(0)),
      mergeMap(() => []),
    ),
  )
  assert.throws(() => run.give(0), /TIMER_LIVELOCK/)
  assert.throws(() => run.give(1), /TIMER_LIVELOCK/)
})

test('chance, ids and time are the same in every replay, and others for another key, birth or event', () => {
  const draw: Build = (events$, { key, now, random, uuid }) =>
    events$.pipe(map(() => Made([key, now(), random(), random(), uuid()])))
  const one = rig(draw)
  const other = rig(draw)
  assert.equal([one.give(5), one.give(6)], [other.give(5), other.give(6)])
  const drawn = [...one.give(7), ...one.give(7, 'b'), ...one.give(5_000, 'b')] as [
    string,
    number,
    number,
    number,
    string,
  ][]
  assert.is(new Set(drawn.flatMap(([, , first, second]) => [first, second])).size, 6)
  assert.is(new Set(drawn.map(([, , , , id]) => id)).size, 3)
  const anew = rig(draw)
  const [[, , was]] = rig(draw).give(5) as [[string, number, number]]
  const [[, , is]] = anew.give(5, 'a', 1, { id: 'of a stream made anew' }) as [[string, number, number]]
  assert.is.not(was, is)
})

test('what says its own time or cause keeps it', () => {
  const run = rig((events$) =>
    events$.pipe(map(({ data }) => Made(data.v, { time: 5, correlationId: 'c', causationId: 'd' }))),
  )
  run.give(9)
  const [draft] = run.drafts
  assert.equal([draft?.time, draft?.correlationId, draft?.causationId], [5, 'c', 'd'])
})

test('stopping it unsubscribes every slot, and nothing counts after it', () => {
  let open = 0
  const run = rig((events$) =>
    events$.pipe(
      mergeMap(() => timer(10).pipe(map(() => Made(1)))),
      (source) =>
        new (source.constructor as typeof import('rxjs').Observable)((subscriber) => {
          open += 1
          source.subscribe(subscriber)
          return () => void (open -= 1)
        }),
    ),
  )
  run.give(0)
  run.give(0, 'b')
  assert.is(open, 2)
  run.logic.stop()
  assert.equal([open, run.broken], [0, []])
})

test.run()
