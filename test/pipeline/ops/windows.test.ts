import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aggregates } from '../../../src/pipeline/ops/aggregates.ts'
import type { Window } from '../../../src/pipeline/ops/windows.ts'
import { at } from './at-work.ts'

const { all, average, collect, count, max, min, sum } = aggregates

const test = suite('windows of event time')

type Log = readonly (readonly [time: number, value: number])[]

const log: fc.Arbitrary<Log> = fc
  .array(
    fc.tuple(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 20, max: 300 })), fc.nat(20)),
    { maxLength: 60 },
  )
  .map((steps) => {
    let time = 1_000
    return steps.map(([passed, value]) => [(time += passed), value] as const)
  })

/** The windows from a value’s time on, by definition: those with values, in order of their ends. */
function expected(values: Log, starts: (time: number) => readonly number[], size: number): Window<number[]>[] {
  const windows = new Map<number, number[]>()
  for (const [time, value] of values)
    for (const start of starts(time)) windows.set(start, [...(windows.get(start) ?? []), value])
  return [...windows].sort(([a], [b]) => a - b).map(([start, value]) => ({ start, end: start + size, value }))
}

function outcome<R>(out: readonly (readonly [number, Window<R> | string])[]): { times: number[]; windows: unknown[] } {
  return { times: out.map(([time]) => time), windows: out.map(([, window]) => window) }
}

test('tumbling: every value is in the one window of its time, which comes out at its end', () => {
  fc.assert(
    fc.property(log, fc.integer({ min: 1, max: 50 }), (values, size) => {
      const windows = expected(values, (time) => [Math.floor(time / size) * size], size)
      const { times, windows: out } = outcome(at((ops) => ops.tumbling(size), values))
      assert.equal(out, windows)
      assert.equal(
        times,
        windows.map(({ end }) => end),
      )
    }),
  )
})

test('sliding: every value is in each window of its time, which comes out at its end', () => {
  fc.assert(
    fc.property(log, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), (values, step, steps) => {
      const size = step * steps
      const starts = (time: number): number[] =>
        Array.from({ length: steps }, (_, back) => (Math.floor(time / step) - back) * step)
      const windows = expected(values, starts, size)
      const { times, windows: out } = outcome(at((ops) => ops.sliding(size, step), values))
      assert.equal(out, windows)
      assert.equal(
        times,
        windows.map(({ end }) => end),
      )
      const totals = at((ops) => ops.sliding(size, step, all({ n: count(), s: sum((value: number) => value) })), values)
      assert.equal(
        totals.map(([, window]) => (window as Window<unknown>).value),
        windows.map(({ value }) => ({ n: value.length, s: value.reduce((a, b) => a + b, 0) })),
      )
    }),
  )
})

test('session: values that follow each other by less than the gap are together', () => {
  fc.assert(
    fc.property(log, fc.integer({ min: 1, max: 30 }), (values, gap) => {
      const sessions: { start: number; end: number; value: number[] }[] = []
      for (const [time, value] of values) {
        const last = sessions.at(-1)
        if (last === undefined || time >= last.end) sessions.push({ start: time, end: time + gap, value: [value] })
        else {
          last.end = time + gap
          last.value.push(value)
        }
      }
      const { times, windows } = outcome(at((ops) => ops.session(gap), values))
      assert.equal(windows, sessions)
      assert.equal(
        times,
        sessions.map(({ end }) => end),
      )
    }),
  )
})

test('what is open when the input ends comes out then, each window that a value is in', () => {
  const values = [
    [12, 1],
    [15, 2],
  ] as const
  const ends = { completes: true }
  assert.equal(
    at((ops) => ops.tumbling(10), values, ends),
    [
      [15, { start: 10, end: 20, value: [1, 2] }],
      [15, 'complete'],
    ],
  )
  assert.equal(
    at((ops) => ops.sliding(20, 10), values, ends),
    [
      [15, { start: 0, end: 20, value: [1, 2] }],
      [15, { start: 10, end: 30, value: [1, 2] }],
      [15, 'complete'],
    ],
  )
  assert.equal(at((ops) => ops.session('1s'), values, ends)[0], [15, { start: 12, end: 1_015, value: [1, 2] }])
})

test('aggregates say what they are called', () => {
  const figures = all({
    count: count<number>(),
    sum: sum((value: number) => value),
    min: min((value: number) => value),
    max: max((value: number) => value),
    mean: average((value: number) => value),
    each: collect<number>(),
  })
  const result = { count: 3, sum: 9, min: -1, max: 7, mean: 3, each: [7, -1, 3] }
  const values = [7, -1, 3].map((value) => [50, value] as const)
  for (const [, window] of [
    ...at((ops) => ops.tumbling(100, figures), values),
    ...at((ops) => ops.sliding(100, 50, figures), values),
    ...at((ops) => ops.session(100, figures), values),
  ])
    assert.equal((window as Window<unknown>).value, result)
  const none = { count: 0, sum: 0, min: undefined, max: undefined, mean: undefined, each: [] }
  assert.equal(figures.result(figures.init()), none)
})

test('an aggregate that throws is an error of the pipeline', () => {
  const broken = sum((value: number) => {
    if (value === 2) throw new Error('two')
    return value
  })
  assert.equal(
    at(
      (ops) => ops.tumbling(10, broken),
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    ),
    [[2, 'Error: two']],
  )
  const late = { ...count<number>(), result: () => assert.unreachable('at the end') }
  assert.match(String(at((ops) => ops.tumbling(10, late), [[1, 1]])[0]), /10,.*at the end/)
})

test('a window that slides by what does not fit, and durations that are none, are refused', () => {
  assert.throws(() => at((ops) => ops.sliding(25, 10), []), /PIPELINE_INVALID.*25 ms is no multiple of 10/)
  assert.throws(() => at((ops) => ops.tumbling(0), []), /PIPELINE_INVALID.*size 0/)
  assert.throws(() => at((ops) => ops.session('soon'), []), /DURATION_INVALID/)
})

test.run()
