import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  compileAggregate,
  type AggregateOptions,
  type WindowOptions,
} from '../../../src/cep/aggregate/compile-aggregate.ts'
import { count, first, last, max, min } from '../../../src/cep/aggregate/counting.ts'
import { distinct } from '../../../src/cep/aggregate/distinct.ts'
import { avg, stddev, sum } from '../../../src/cep/aggregate/moments.ts'
import { quantiles } from '../../../src/cep/aggregate/quantiles.ts'
import { topK } from '../../../src/cep/aggregate/top-k.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import { advances, disorder, inOrder, inputOf, resultOf, sorted, type Tick } from './at-windows.ts'
import { value } from './folding.ts'
import { alignedWindows, sessions, type Naive } from './naive-windows.ts'

const test = suite('windows, by definition')

const exact = { n: count(), total: sum(value), low: min(value), high: max(value), kinds: distinct(value) }
const everything = {
  ...exact,
  mean: avg((event) => (event.data as number) / 3),
  spread: stddev((event) => (event.data as number) / 7),
  top: topK(value, 2, { capacity: 3 }),
  sketch: distinct(value, { exact: 2 }),
  rank: quantiles((event) => (event.data as number) / 3, [0.1, 0.5, 0.9], { compression: 20 }),
  one: first(value),
  other: last(value),
}

const aligned = fc.record({
  size: fc.integer({ min: 1, max: 60 }),
  step: fc.integer({ min: 1, max: 40 }),
  offset: fc.nat(10),
})
const shapes: fc.Arbitrary<WindowOptions> = fc.oneof(
  aligned.map(({ size, step, offset }) => ({ sliding: size, step, offset })),
  aligned.map(({ size, offset }) => ({ tumbling: size, offset })),
  aligned.map(({ size }) => ({ session: size })),
)
const keeps = fc.constantFrom(0, 0, 5, 30, 500)

function compile(window: WindowOptions, more: Partial<AggregateOptions> = {}) {
  return compileAggregate({ events: ['a'], window, values: exact, ...more })
}

function naive(window: WindowOptions, ticks: readonly Tick[], keep: number): Naive {
  if ('session' in window) return sessions(ticks, { gap: Number(window.session), keep })
  const offset = Number(window.offset ?? 0)
  if ('tumbling' in window)
    return alignedWindows(ticks, { size: Number(window.tumbling), step: Number(window.tumbling), offset, keep })
  return alignedWindows(ticks, { size: Number(window.sliding), step: Number(window.step), offset, keep })
}

const ended = (ticks: readonly Tick[]): Tick[] => [...ticks, [10_000, undefined, 0]]

test('W2 in order: each window is put out once, at its end, and is what its events come to', () => {
  fc.assert(
    fc.property(inOrder, shapes, (some, window) => {
      const ticks = ended(some)
      const out = advances(compile(window), ticks).map(({ matches }) => sorted(matches.map(resultOf)))
      assert.equal(out, naive(window, ticks, 0).results.map(sorted))
    }),
    { numRuns: 250 },
  )
})

test('W2 in any order: an event counts in windows that are open or kept; those that are kept are put out again', () => {
  let refined = 0
  let late = 0
  fc.assert(
    fc.property(disorder, shapes, keeps, (some, window, keep) => {
      const ticks = ended(some)
      const all = advances(compile(window, { allowedLateness: keep }), ticks)
      const expected = naive(window, ticks, keep)
      assert.equal(
        all.map(({ matches }) => sorted(matches.map(resultOf))),
        expected.results.map(sorted),
      )
      assert.equal(
        all.map((advance) => advance.late.length),
        expected.late,
      )
      late += expected.late.reduce((a, b) => a + b, 0)
      refined += expected.results.flat().filter(({ values }) => values.kind === 'late').length
    }),
    { numRuns: 250 },
  )
  assert.ok(refined > 10 && late > 5, `${refined} refined, ${late} late`)
})

test('W1 W3 snapshot and restore after every input changes nothing, to the last bit', () => {
  const earlies = fc.constantFrom(undefined, { events: 2 }, { every: 7 }, { events: 3, every: 11 })
  fc.assert(
    fc.property(disorder, shapes, keeps, earlies, fc.constantFrom(0, 20), (some, window, keep, early, lateness) => {
      const options = { values: everything, allowedLateness: keep, lateness, ...(early === undefined ? {} : { early }) }
      const executable = compile(window, options)
      const ticks = ended(some)
      assert.equal(advances(executable, ticks, { crash: true }), advances(executable, ticks))
    }),
    { numRuns: 150 },
  )
})

test('out of order within the lateness, the results are those in order', () => {
  const unique = inOrder.map((ticks) => ticks.filter(([time], at) => ticks.findIndex(([t]) => t === time) === at))
  fc.assert(
    fc.property(unique, shapes, fc.array(fc.nat(30), { minLength: 50, maxLength: 50 }), (ticks, window, delays) => {
      const executable = compile(window, { values: everything, lateness: 30 })
      const events = ticks.filter(([, key]) => key !== undefined)
      const order = events.map((_, at) => at)
      order.sort((a, b) => (events[a] as Tick)[0] + (delays[a] ?? 0) - ((events[b] as Tick)[0] + (delays[b] ?? 0)))
      const run = (arrivals: readonly number[]) => {
        const engine = createEngine(executable)
        const end = { kind: 'time', time: 20_000 } as const
        const inputs = [...arrivals.map((at) => inputOf(events[at] as Tick, at)), end]
        return inputs.flatMap((input) => [...engine.advance(input).matches])
      }
      assert.equal(run(order), run(events.map((_, at) => at)))
    }),
    { numRuns: 150 },
  )
})

test('W3 due is exact: nothing comes before it, and something at it; looking step by step changes nothing', () => {
  const earlies = fc.constantFrom({}, { early: { every: 7 } })
  fc.assert(
    fc.property(disorder, shapes, keeps, earlies, (ticks, window, keep, early) => {
      const executable = compile(window, { allowedLateness: keep, ...early })
      const plain = advances(executable, ticks).map(({ matches }) => [...matches])
      const engine = createEngine(executable)
      const stepped = ticks.map((tick, at) => {
        const found = []
        while (engine.due <= tick[0]) {
          const { due } = engine
          assert.is(engine.advance({ kind: 'time', time: due - 0.5 }).matches.length, 0)
          const { matches } = engine.advance({ kind: 'time', time: due })
          assert.ok(matches.length > 0 && engine.due > due)
          found.push(...matches)
        }
        return [...found, ...engine.advance(inputOf(tick, at)).matches]
      })
      assert.equal(JSON.parse(JSON.stringify(stepped)), plain)
    }),
    { numRuns: 150 },
  )
})

test('W4 when time has passed everything, nothing is left; the horizon is the earliest event that is', () => {
  fc.assert(
    fc.property(disorder, shapes, keeps, (ticks, window, keep) => {
      const engine = createEngine(compile(window, { allowedLateness: keep }))
      const crashed = () => createEngine(compile(window, { allowedLateness: keep }), engine.snapshot())
      for (const [at, tick] of ticks.entries()) {
        engine.advance(inputOf(tick, at))
        assert.equal(engine.stats(), crashed().stats())
        assert.is(engine.stats().keys === 0, engine.stats().horizon === undefined)
      }
      engine.advance({ kind: 'time', time: 10_000 })
      const { keys, partialMatches, horizon } = engine.stats()
      assert.equal({ keys, partialMatches, horizon }, { keys: 0, partialMatches: 0, horizon: undefined })
      assert.is(engine.due, Infinity)
    }),
  )
})

test.run()
