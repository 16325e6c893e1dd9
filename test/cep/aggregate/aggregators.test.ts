import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Aggregator } from '../../../src/cep/aggregate/aggregator.ts'
import { count, first, last, max, min } from '../../../src/cep/aggregate/counting.ts'
import { distinct } from '../../../src/cep/aggregate/distinct.ts'
import { avg, stddev, sum, variance } from '../../../src/cep/aggregate/moments.ts'
import { quantile, quantiles } from '../../../src/cep/aggregate/quantiles.ts'
import { topK } from '../../../src/cep/aggregate/top-k.ts'
import { fold, value } from './folding.ts'

const test = suite('aggregators')

type Any = Aggregator<unknown>
const numbers = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { maxLength: 60 })
const parts = fc.array(fc.nat(20), { maxLength: 4 })
const near = (is: unknown, should: number, text = '') =>
  assert.ok(Math.abs((is as number) - should) <= 1e-9 * Math.max(1, Math.abs(should)), `${text} ${is} for ${should}`)

/** Each by its definition. */
const DEFINITIONS: readonly (readonly [Any, (values: readonly number[]) => unknown])[] = [
  [count() as Any, (all) => all.length],
  [min(value) as Any, (all) => (all.length === 0 ? null : Math.min(...all))],
  [max(value) as Any, (all) => (all.length === 0 ? null : Math.max(...all))],
  [first(value) as Any, (all) => all[0] ?? null],
  [last(value) as Any, (all) => all.at(-1) ?? null],
  [sum(value), (all) => all.reduce((a, b) => a + b, 0)],
  [distinct(value), (all) => new Set(all).size],
  [topK(value, 3), (all) => top(all, 3)],
  [quantile(value, 0.5), (all) => percentile(all, 0.5)],
  [quantile(value, 0.95), (all) => percentile(all, 0.95)],
]

function top(all: readonly number[], k: number) {
  const counts = new Map<number, number>()
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1)
  return [...counts]
    .map(([each, n]) => ({ value: each, count: n, error: 0 }))
    .sort((a, b) => b.count - a.count || (String(a.value) < String(b.value) ? -1 : 1))
    .slice(0, k)
}

/** percentile_cont of SQL. */
function percentile(all: readonly number[], q: number): number | null {
  const sorted = [...all].sort((a, b) => a - b)
  const rank = q * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]]
  if (low === undefined || high === undefined) return null
  return low * (1 - (rank - Math.floor(rank))) + high * (rank - Math.floor(rank))
}

test('of few values each is what its definition says, whole, in parts, and through JSON', () => {
  fc.assert(
    fc.property(numbers, parts, fc.boolean(), (all, split, saved) => {
      for (const [aggregator, definition] of DEFINITIONS) {
        const [is, should] = [fold(aggregator, all, { parts: split, saved }), definition(all)]
        if (typeof should === 'number') near(is, should, aggregator.text)
        else assert.equal(is, should, aggregator.text)
      }
    }),
  )
})

test('mean and spread are those of the values also where the numbers are large and their differences small', () => {
  fc.assert(
    fc.property(numbers, parts, fc.constantFrom(0, 1e9, -1e12), (small, split, offset) => {
      const all = small.map((each) => each + offset)
      const mean = small.reduce((a, b) => a + b, 0) / small.length
      const squares = small.reduce((total, each) => total + (each - mean) ** 2, 0)
      const of = (aggregator: Any) => fold(aggregator, all, { parts: split, saved: true })
      if (all.length === 0) assert.is(of(avg(value)), null)
      else near(of(avg(value)), mean + offset)
      if (all.length < 2) assert.is(of(stddev(value)), null)
      else {
        const close = (is: unknown, should: number) =>
          assert.ok(Math.abs((is as number) - should) <= 1e-3 + should * 1e-3, `${is} for ${should}`)
        close(of(variance(value)), squares / (all.length - 1))
        close(of(stddev(value, { population: true })), Math.sqrt(squares / all.length))
      }
    }),
  )
})

test('a sum does not lose small numbers beside large ones', () => {
  const values = [1e100, 1, -1e100, 1]
  assert.is(fold(sum(value), values), 2)
  assert.is(fold(sum(value), values, { parts: [1, 1, 1] }), 2)
  assert.is(fold(sum(value), [1e308, 1e308]), null)
})

test('absent values do not count, and what is no value is an error of the event', () => {
  const some = [3, null, undefined, 5]
  assert.is(fold(count() as Any, some), 4)
  assert.is(fold(count(value) as Any, some), 2)
  assert.is(fold(sum(value), some), 8)
  assert.is(fold(distinct(value), some), 2)
  for (const aggregator of [sum(value), max(value) as Any, quantile(value, 0.5)])
    for (const bad of ['7', NaN, {}, [1]])
      assert.throws(() => fold(aggregator, [bad]), /EXPRESSION_FAILED.*is no number/)
  assert.throws(() => fold(topK(value, 1), [{}]), /EXPRESSION_FAILED.*an object/)
  assert.is(fold(sum(value), [7n, 1]), 8)
})

test('several quantiles have names of their own', () => {
  const all = Array.from({ length: 101 }, (_, at) => at)
  assert.equal(fold(quantiles(value, [0, 0.5, 0.95, 0.999]), all), { p0: 0, p50: 50, p95: 95, p99_9: 99.9 })
})

test('options that make no sense are refused', () => {
  assert.throws(() => topK(value, 0), /PATTERN_INVALID/)
  assert.throws(() => topK(value, 5, { capacity: 4 }), /PATTERN_INVALID/)
  assert.throws(() => quantile(value, 1.5), /PATTERN_INVALID/)
  assert.throws(() => quantiles(value, []), /PATTERN_INVALID/)
  assert.throws(() => quantile(value, 0.5, { compression: 1 }), /PATTERN_INVALID/)
})

test.run()
