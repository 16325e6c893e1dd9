// Errors of the sketches against exact answers, on distributions that are hard for them. Chance is seeded.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { distinct } from '../../../src/cep/aggregate/distinct.ts'
import { HYPER_LOG_LOG_ERROR } from '../../../src/cep/aggregate/hyper-log-log.ts'
import { quantiles } from '../../../src/cep/aggregate/quantiles.ts'
import { topK } from '../../../src/cep/aggregate/top-k.ts'
import { Seeded } from '../../../src/time/seeded.ts'
import { fold, value } from './folding.ts'

const test = suite('sketches')

const N = 20_000
const values = (name: string, make: (random: () => number, at: number) => number): number[] => {
  const seeded = new Seeded(name)
  return Array.from({ length: N }, (_, at) => make(() => seeded.random(), at))
}
const SHAPES: Readonly<Record<string, number[]>> = {
  uniform: values('uniform', (random) => random()),
  exponential: values('exponential', (random) => -Math.log(1 - random())),
  heavy: values('heavy', (random) => (1 - random()) ** -2),
  rising: values('rising', (_, at) => at),
  falling: values('falling', (_, at) => -at),
  lumps: values('lumps', (random) => Math.floor(random() * 5)),
}
const QS = [0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1]

/** How far the rank of an answer is from the rank that was asked for, as a share of all. */
function rankError(sorted: readonly number[], answer: number, q: number): number {
  const below = sorted.filter((each) => each < answer).length
  const upTo = sorted.filter((each) => each <= answer).length
  const rank = q * (sorted.length - 1)
  return Math.max(0, below - 1 - rank, rank - upTo) / sorted.length
}

test('t-digest: ranks are off by less than 1 % in the middle and 0.1 % near the ends, whole and in parts', () => {
  for (const [name, all] of Object.entries(SHAPES)) {
    const sorted = [...all].sort((a, b) => a - b)
    for (const parts of [[], [10, 700, 5_000, 3, 9_000], Array.from({ length: 100 }, () => 200)]) {
      const answers = Object.values(fold(quantiles(value, QS), all, { parts }))
      for (const [at, q] of QS.entries()) {
        const error = rankError(sorted, answers[at] as number, q)
        const allowed = Math.min(0.01, 0.001 + 0.03 * Math.sqrt(q * (1 - q)))
        assert.ok(error <= allowed, `${name}: p${q * 100} is off by ${error} in rank (${parts.length} parts)`)
      }
      assert.is(answers[0], sorted[0])
      assert.is(answers.at(-1), sorted.at(-1))
    }
  }
})

test('distinct: exact up to its bound, then within four standard errors', () => {
  for (const n of [10, 1_000, 1_001, 5_000, 50_000]) {
    const all = Array.from({ length: n }, (_, at) => (at % 2 === 0 ? `user-${at}` : at))
    for (const parts of [[], [n / 3, n / 3].map(Math.floor)]) {
      const estimate = fold(distinct(value), [...all, ...all.slice(0, 50)], { parts })
      if (n <= 1_000) assert.is(estimate, n)
      else assert.ok(Math.abs(estimate - n) <= 4 * HYPER_LOG_LOG_ERROR * n, `${estimate} of ${n}`)
    }
  }
  assert.is(fold(distinct(value), [1, '1', true, 'true', 1]), 4)
})

test('distinct: over many sets the estimates are right in the mean, and spread as stated', () => {
  const errors = Array.from({ length: 60 }, (_, set) => {
    const all = Array.from({ length: 3_000 }, (_each, at) => `${set}/${at}`)
    return fold(distinct(value, { exact: 10 }), all) / all.length - 1
  })
  const mean = errors.reduce((a, b) => a + b, 0) / errors.length
  const spread = Math.sqrt(errors.reduce((total, error) => total + error ** 2, 0) / errors.length)
  assert.ok(Math.abs(mean) < HYPER_LOG_LOG_ERROR / 2, `mean error ${mean}`)
  assert.ok(spread < 1.5 * HYPER_LOG_LOG_ERROR, `standard error ${spread}`)
})

test('top-k: with more values than counters the frequent are found, and counts are off by no more than they say', () => {
  const seeded = new Seeded('zipf')
  const all = Array.from({ length: N }, () => `item-${Math.floor((1 - seeded.random()) ** -1.2)}`)
  const exact = new Map<string, number>()
  for (const each of all) exact.set(each, (exact.get(each) ?? 0) + 1)
  const often = [...exact].filter(([, n]) => n > N / 200).map(([each]) => each)
  for (const parts of [[], [3_000, 10_000]]) {
    const found = fold(topK(value, 200, { capacity: 200 }), all, { parts })
    assert.is(found.length, 200)
    for (const { value: item, count, error } of found) {
      const n = exact.get(item as string) ?? 0
      assert.ok(n <= count && n >= count - error, `${item}: ${n} is not from ${count - error} to ${count}`)
      assert.ok(error <= N / 200, `${item}: ${error}`)
    }
    const names = new Set(found.map(({ value: item }) => item))
    for (const item of often) assert.ok(names.has(item), `${item} came ${exact.get(item)} times`)
  }
})

test('a sketch goes on after JSON as if nothing had been', () => {
  const all = (SHAPES['heavy'] as number[]).slice(0, 700)
  for (const aggregator of [quantiles(value, QS), topK(value, 5, { capacity: 20 }), distinct(value, { exact: 100 })])
    assert.equal(fold(aggregator as never, all, { saved: true }), fold(aggregator as never, all))
})

test.run()
