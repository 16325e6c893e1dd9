import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { map, type OperatorFunction } from 'rxjs'
import { compileAggregate } from '../../../src/cep/aggregate/compile-aggregate.ts'
import { compilePattern } from '../../../src/cep/compile-pattern.ts'
import { compileCorrelate } from '../../../src/cep/correlate/compile-correlate.ts'
import { compileIntervalJoin } from '../../../src/cep/correlate/compile-interval-join.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Executable } from '../../../src/cep/engine/executor.ts'
import type { Match } from '../../../src/cep/engine/match.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import type { DurableOps } from '../../../src/pipeline/ops/durable-ops.ts'
import { StoredState } from '../keyed/stored-state.ts'
import { In, seen } from '../keyed/declared.ts'
import { laidOut, at, checkpoint, Checkpointed } from './at-work.ts'
import { correlation, eventOf, intervals, pattern, windows } from './engine-cases.ts'

const test = suite('operators with an engine')

type Log = readonly (readonly [time: number, event: StoredEvent])[]

const log: fc.Arbitrary<Log> = fc
  .array(fc.tuple(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })), fc.nat(30)), { maxLength: 50 })
  .map((steps) => {
    let time = 1_000
    return steps.map(([passed, number]) => [(time += passed), eventOf(number)] as const)
  })

/** What the engine itself finds when it is told of time just when something is due. */
function expected(executable: Executable, values: Log): (readonly [number, Match])[] {
  const engine = createEngine(executable)
  const out: (readonly [number, Match])[] = []
  const passTo = (end: number): void => {
    while (engine.due <= end) {
      const time = engine.due
      for (const match of engine.advance({ kind: 'time', time }).matches) out.push([time, laidOut(match)])
    }
  }
  for (const [time, event] of values) {
    passTo(time)
    const { matches } = engine.advance({ kind: 'event', event: { ...event, time }, key: '' })
    for (const match of matches) out.push([time, laidOut(match)])
  }
  passTo(1_000_000)
  return out
}

const CASES: Readonly<
  Record<string, (d: number, n: number) => [Executable, (ops: DurableOps) => OperatorFunction<StoredEvent, Match>]>
> = {
  matchPattern: (d) => [compilePattern(pattern(d)), (ops) => ops.matchPattern(pattern(d))],
  correlate: (d) => [compileCorrelate(correlation(d)), (ops) => ops.correlate(correlation(d))],
  intervalJoin: (d, n) => [compileIntervalJoin(intervals(d, n)), (ops) => ops.intervalJoin(intervals(d, n))],
  aggregate: (d, n) => [compileAggregate(windows(d, n)), (ops) => ops.aggregate(windows(d, n))],
}

test('put out what the engine finds, at the times at which it is due', () => {
  let found = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(CASES)),
      log,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 4 }),
      (name, values, d, n) => {
        const [executable, operator] = (CASES[name] as (typeof CASES)[string])(d, n)
        const should = expected(executable, values)
        assert.equal(at(operator, values), should)
        assert.equal(
          at((ops) => operator(ops), values),
          should,
        )
        found += should.length
      },
    ),
    { numRuns: 400 },
  )
  assert.ok(found > 500, `${found} found`)
})

test('what was compiled already is taken as it is, and the same description is compiled once', () => {
  const values: Log = [2, 13, 4].map((number, nth) => [nth * 10, eventOf(number)] as const)
  const options = windows(20, 2)
  assert.equal(
    at((ops) => ops.aggregate(compileAggregate(options)), values),
    at((ops) => ops.aggregate(options), values),
  )
  let read = 0
  const counting = new Proxy(options, { get: (of, name) => (name === 'window' && read++, Reflect.get(of, name)) })
  for (let time = 0; time < 3; time++) at((ops) => ops.aggregate(counting), values)
  assert.is(read, 1)
})

test('partial matches that ran out of time come when they do, if they are asked for', () => {
  const values: Log = [[5, eventOf(2)]]
  const out = at((ops) => ops.matchPattern(pattern(50), { timeouts: true }), values)
  assert.equal(
    out.map(([time, found]) => [time, (found as Match).kind as string]),
    [[55, 'timeout']],
  )
  assert.equal(
    at((ops) => ops.matchPattern(pattern(50)), values),
    [],
  )
})

test('windows and joins that are open when the source ends come out then, patterns do not', () => {
  const values: Log = [[5, eventOf(2)]]
  const ends = { completes: true }
  const kinds = (operator: (ops: DurableOps) => OperatorFunction<StoredEvent, Match>) =>
    at(operator, values, ends).map(([time, found]) => [time, typeof found === 'string' ? found : found.time])
  assert.equal(
    kinds((ops) => ops.aggregate(windows(20, 1))),
    [
      [5, 25],
      [5, 'complete'],
    ],
  )
  assert.equal(
    kinds((ops) => ops.correlate(correlation(20))),
    [
      [5, 25],
      [5, 'complete'],
    ],
  )
  assert.equal(
    kinds((ops) => ops.matchPattern(pattern(20))),
    [[5, 'complete']],
  )
})

/** Says that nothing has come for 30 ms. */
const silence: Executable = {
  signature: 'silence',
  lateness: 0,
  grace: 0,
  bounds: { waiting: 1, matchesPerAdvance: 10 },
  start(out, state) {
    let last = state as StoredEvent | null | undefined
    const due = (): number => (last ? last.time + 30 : Infinity)
    const passTime = (time: number): void => {
      if (!last || due() > time) return
      out.match({ kind: 'match', key: '', stages: {}, events: [last], first: last, last, time: due() })
      last = null
    }
    return {
      take(event) {
        passTime(event.time)
        last = event
      },
      passTime,
      get due() {
        return due()
      },
      get horizon() {
        return last?.time ?? Infinity
      },
      snapshot: () => last ?? null,
      get stats() {
        return { keys: last ? 1 : 0, partialMatches: 0, evaluationErrors: 0, errorSamples: [], dropped: {} }
      },
    }
  },
}

test('a detector’s alarms come when they are due, and none because the source ends', () => {
  const values: Log = [5, 20, 60].map((time) => [time, eventOf(time)] as const)
  const times = (ends: boolean) =>
    at((ops) => ops.detect(silence), values, { completes: ends }).map(([time, found]) => [
      time,
      typeof found === 'string' ? found : found.last.time,
    ])
  assert.equal(times(false), [
    [50, 20],
    [90, 60],
  ])
  assert.equal(times(true), [
    [50, 20],
    [60, 'complete'],
  ])
})

test('what a key holds goes when its window is over, also when the key never comes back', () => {
  const endless: Pattern = {
    stages: [
      { kind: 'take', name: 'one', events: [In.type] },
      { kind: 'take', name: 'two', events: [In.type], where: () => false },
    ],
    within: 50,
  }
  const tested = new Checkpointed(
    checkpoint((events$, { ops }) =>
      events$.pipe(
        ops.matchPattern(endless),
        map(({ time }) => time),
      ),
    ),
  )
  const stored = new StoredState()
  const held = () => {
    stored.commit(tested.logic)
    return stored.entries().map(({ key, value }) => [key, (value as { o: unknown[] }).o[0] === null])
  }
  tested.turn(seen('a', 1_000))
  assert.equal(held(), [['a', false]])
  tested.turn(seen('b', 1_050))
  assert.equal(held(), [
    ['a', true],
    ['b', false],
  ])
  assert.equal([tested.failures, tested.broken], [[], []])
})

test.run()
