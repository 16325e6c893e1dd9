import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileAggregate, type AggregateOptions } from '../../../src/cep/aggregate/compile-aggregate.ts'
import { count } from '../../../src/cep/aggregate/counting.ts'
import type { Aggregator } from '../../../src/cep/aggregate/aggregator.ts'
import { sum } from '../../../src/cep/aggregate/moments.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import { advances, inputOf, resultOf, type Tick } from './at-windows.ts'
import { value } from './folding.ts'

const test = suite('windows')

const options: AggregateOptions = {
  events: ['a'],
  window: { tumbling: 10 },
  values: { n: count(), total: sum(value) },
}

/** Each result as [kind, start, end, n, time]. */
function results(more: Partial<AggregateOptions>, ticks: readonly Tick[]) {
  return advances(compileAggregate({ ...options, ...more }), ticks).flatMap(({ matches }) =>
    matches.map(resultOf).map(({ values: { kind, start, end, n }, time }) => [kind, start, end, n, time]),
  )
}

function stats(more: Partial<AggregateOptions>, ticks: readonly Tick[]) {
  const engine = createEngine(compileAggregate({ ...options, ...more }))
  for (const [at, tick] of ticks.entries()) engine.advance(inputOf(tick, at))
  return engine.stats()
}

test('a result has the window, its kind, its values, and the first and the last event', () => {
  const [, , { matches } = { matches: [] }] = advances(compileAggregate(options), [
    [12, 'a', 3],
    [17, 'a', 4],
    [20, undefined, 0],
  ])
  assert.is(matches.length, 1)
  const { kind, key, values, events, stages, first, last, time } = matches[0] as (typeof matches)[number]
  assert.equal({ kind, key, time }, { kind: 'match', key: 'a', time: 20 })
  assert.equal(values, { kind: 'final', start: 10, end: 20, n: 2, total: 7 })
  assert.equal([first.time, last.time], [12, 17])
  assert.equal(
    events.map((event) => event.time),
    [12, 17],
  )
  assert.equal(stages, { window: events })
})

test('early results come after so many events, and at multiples of a time when something came', () => {
  const ticks: Tick[] = [
    [11, 'a', 1],
    [12, 'a', 1],
    [13, 'a', 1],
    [17, 'a', 1],
    [18, 'a', 1],
    [30, undefined, 0],
  ]
  assert.equal(results({ early: { events: 2 } }, ticks), [
    ['early', 10, 20, 2, 12],
    ['early', 10, 20, 4, 17],
    ['final', 10, 20, 5, 20],
  ])
  assert.equal(results({ early: { every: 4 } }, ticks), [
    ['early', 10, 20, 1, 12],
    ['early', 10, 20, 3, 16],
    ['final', 10, 20, 5, 20],
  ])
})

test('of windows that overlap only the one that ends next has early results', () => {
  const ticks: Tick[] = [
    [11, 'a', 1],
    [12, 'a', 1],
    [16, 'a', 1],
    [17, 'a', 1],
    [40, undefined, 0],
  ]
  assert.equal(results({ window: { sliding: 10, step: 5 }, early: { events: 2 } }, ticks), [
    ['early', 5, 15, 2, 12],
    ['final', 5, 15, 2, 15],
    ['early', 10, 20, 4, 17],
    ['final', 10, 20, 4, 20],
    ['final', 15, 25, 2, 25],
  ])
})

test('a session that a late event lengthens says which results it replaces', () => {
  const executable = compileAggregate({ ...options, window: { session: 5 }, allowedLateness: 100 })
  const ticks: Tick[] = [
    [10, 'a', 1],
    [18, 'a', 1],
    [30, undefined, 0],
    [14, 'a', 1],
  ]
  const found = advances(executable, ticks).flatMap(({ matches }) => matches.map(resultOf))
  assert.equal(
    found.map(({ values }) => values),
    [
      { kind: 'final', start: 10, end: 15, n: 1, total: 1 },
      { kind: 'final', start: 18, end: 23, n: 1, total: 1 },
      {
        kind: 'late',
        start: 10,
        end: 23,
        replaces: [
          { start: 10, end: 15 },
          { start: 18, end: 23 },
        ],
        n: 3,
        total: 3,
      },
    ],
  )
})

test('having decides which results are matches; what it throws is counted, and no match', () => {
  const ticks: Tick[] = [
    [1, 'a', 1],
    [2, 'b', 1],
    [3, 'b', 1],
    [20, undefined, 0],
  ]
  assert.equal(results({ having: ({ n }) => (n as number) >= 2 }, ticks), [['final', 0, 10, 2, 10]])
  const typed = compileAggregate({
    ...options,
    values: { n: count(), total: sum(value) },
    having: ({ n, total, kind }) => kind === 'final' && n >= 2 && (total ?? 0) > 1,
  })
  assert.equal(
    advances(typed, ticks).flatMap(({ matches }) => matches.map(({ key }) => key)),
    ['b'],
  )
  const broken = stats(
    {
      having: () => {
        throw new Error('no such field')
      },
    },
    ticks,
  )
  assert.is(broken.matches, 0)
  assert.is(broken.evaluationErrors, 2)
  assert.match(broken.errorSamples[0] ?? '', /window of a to 10, having: no such field/)
})

test('an event without a value for an aggregator counts for the others, and as an evaluation error', () => {
  const ticks: Tick[] = [
    [1, 'a', 5],
    [2, 'a', 'seven' as unknown as number],
    [20, undefined, 0],
  ]
  const found = advances(compileAggregate(options), ticks).flatMap(({ matches }) => matches)
  assert.equal(found[0]?.values, { kind: 'final', start: 0, end: 10, n: 2, total: 5 })
  assert.match(stats({}, ticks).errorSamples.join(), /e1, total: .*is no number/)
  assert.is(stats({ where: ({ data }) => (data as { no: { such: boolean } }).no.such }, ticks).evaluationErrors, 2)
})

test('bounds: the oldest key gives way, or the newest is not taken, or the engine stops; it is counted', () => {
  const ticks: Tick[] = [
    [1, 'a', 1],
    [2, 'b', 1],
    [3, 'c', 1],
    [4, 'a', 1],
    [10, undefined, 0],
  ]
  const keys = (policy: 'drop-oldest' | 'drop-newest' | 'fail') => {
    const executable = compileAggregate({ ...options, bounds: { keys: 2, policy } })
    const engine = createEngine(executable)
    const found = ticks.flatMap((tick, at) => [...engine.advance(inputOf(tick, at)).matches])
    return [found.map(({ key, values }) => `${key}${String(values?.['n'])}`).join(), engine.stats().dropped['keys']]
  }
  assert.equal(keys('drop-oldest'), ['c1,a1', 2])
  assert.equal(keys('drop-newest'), ['a2,b1', 1])
  assert.throws(() => keys('fail'), /BOUND_EXCEEDED.*keys: 2, at key "c"/)
  const slices = stats({ window: { sliding: 100, step: 1 }, bounds: { windowsPerKey: 2 } }, ticks.slice(0, 4))
  assert.is(slices.partialMatches, 4)
  const many = Array.from({ length: 20 }, (_, at): Tick => [at, 'a', 1])
  const bounded = stats({ window: { sliding: 100, step: 1 }, bounds: { windowsPerKey: 5 } }, many)
  assert.equal([bounded.partialMatches, bounded.dropped['windowsPerKey']], [5, 15])
})

test('windows that slide by little cost a bounded number of merges, not one for each slice in them', () => {
  let merges = 0
  const counting: Aggregator<number, number> = {
    ...count(),
    merge: (a, b) => {
      merges++
      return a + b
    },
  }
  const window = { sliding: 1_000, step: 1 }
  const engine = createEngine(compileAggregate({ ...options, window, values: { n: counting } }))
  const events = 5_000
  for (let at = 0; at < events; at++) {
    const { matches } = engine.advance(inputOf([at, 'a', 1], at))
    if (at > 0) assert.is(matches[0]?.values?.['n'], Math.min(at, 1_000))
  }
  assert.ok(merges < events * 8, `${merges} merges of ${events} slices`)
})

test('the window that ends next can be shown, which changes nothing', () => {
  const engine = createEngine(compileAggregate({ ...options, window: { sliding: 10, step: 5 } }))
  for (const [at, tick] of [[12, 'a', 3] as const, [14, 'a', 4] as const].entries()) engine.advance(inputOf(tick, at))
  const [open] = engine.partials?.('a') ?? []
  assert.equal([open?.until, open?.taken.map(({ event }) => event.time)], [15, [12, 14]])
  assert.match(open?.waitsFor[0] ?? '', /2 events/)
  assert.equal(engine.partials?.('b'), [])
  assert.is(engine.advance({ kind: 'time', time: 15 }).matches[0]?.values?.['n'], 2)
})

test('size and step need not divide, and step may leave gaps', () => {
  const ticks: Tick[] = [0, 3, 6, 9, 12].map((time) => [time, 'a', 1])
  const times = (window: AggregateOptions['window']) =>
    results({ window }, [...ticks, [100, undefined, 0]]).map(([, start, end, n]) => [start, end, n])
  assert.equal(times({ sliding: 7, step: 3 }), [
    [-6, 1, 1],
    [-3, 4, 2],
    [0, 7, 3],
    [3, 10, 3],
    [6, 13, 3],
    [9, 16, 2],
    [12, 19, 1],
  ])
  assert.equal(times({ sliding: 2, step: 6 }), [
    [0, 2, 1],
    [6, 8, 1],
    [12, 14, 1],
  ])
})

test('what cannot be compiled is refused with every fault', () => {
  const bad = { window: { tumbling: 0 }, values: { kind: count() }, early: { events: 0 }, bounds: { keys: 0 } }
  assert.throws(
    () => compileAggregate({ ...options, ...bad }),
    /PATTERN_INVALID.*size must be above 0.*cannot be called kind.*whole number of events.*keys must be/,
  )
  assert.throws(() => compileAggregate({ ...options, values: {} }), /no value is computed/)
  assert.throws(() => compileAggregate({ ...options, window: { session: 'soon' } }), /DURATION_INVALID/)
})

test('a snapshot of other windows is refused', () => {
  const snapshot = createEngine(compileAggregate(options)).snapshot()
  const other = compileAggregate({ ...options, window: { tumbling: 20 } })
  assert.throws(() => createEngine(other, snapshot), /SNAPSHOT_MISMATCH/)
})

test.run()
