import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { adwin } from '../../../src/cep/detect/adwin.ts'
import { cusum } from '../../../src/cep/detect/cusum.ts'
import type { DetectorPlan } from '../../../src/cep/detect/detector.ts'
import { ewma } from '../../../src/cep/detect/ewma.ts'
import { ExponentialHistogram } from '../../../src/cep/detect/exponential-histogram.ts'
import { halfSpaceTrees } from '../../../src/cep/detect/half-space-trees.ts'
import { heartbeat } from '../../../src/cep/detect/heartbeat.ts'
import { medianMad } from '../../../src/cep/detect/median-mad.ts'
import { P2Quantile } from '../../../src/cep/detect/p2-quantile.ts'
import { pageHinkley } from '../../../src/cep/detect/page-hinkley.ts'
import { peer } from '../../../src/cep/detect/peer.ts'
import { quantileBand } from '../../../src/cep/detect/quantile-band.ts'
import { rateOfChange } from '../../../src/cep/detect/rate-of-change.ts'
import { medianDistance, medianOfSorted, SortedWindow } from '../../../src/cep/detect/sorted-window.ts'
import { threshold } from '../../../src/cep/detect/threshold.ts'
import { compare, twoWindow } from '../../../src/cep/detect/two-window.ts'
import { noise } from './all-detectors.ts'

const test = suite('detectors, each')

function run(plan: DetectorPlan, values: readonly number[], everyMs = 1000): number[] {
  const detector = plan.start()
  return values.map((value, at) => detector.observe(value, at * everyMs, 'k')?.score ?? 0)
}

function normal(count: number, seed = 1, mean = 0, sigma = 1): number[] {
  const next = noise(seed)
  return Array.from({ length: count }, () => mean + sigma * next())
}

const max = (scores: readonly number[]): number => Math.max(...scores)

test('threshold: what went out is back only beyond the second bound', () => {
  const plan = threshold({ above: 10, clearAbove: 8, below: 0, clearBelow: 2 })
  assert.equal(run(plan, [5, 11, 9, 8.5, 8, 9, -1, 1, 2, 5]), [0, 1, 1, 1, 0, 0, 1, 1, 0, 0])
})

test('heartbeat: silence is found once, at its exact time, and again only after a beat', () => {
  const beat = heartbeat({ every: 100 }).start()
  assert.is(beat.due, Infinity)
  beat.observe(0, 50, 'k')
  assert.is(beat.due, 150)
  assert.is(beat.overdue?.().score, 1)
  assert.is(beat.due, Infinity)
  beat.observe(0, 500, 'k')
  assert.is(beat.due, 600)
})

test('ewma: weights are those of the definition, and a spike of ten sigmas scores 1', () => {
  const plan = ewma({ halfLife: 1, warmUp: 2 })
  const detector = plan.start()
  for (const value of [4, 8]) detector.observe(value, 0, 'k')
  assert.is(detector.observe(0, 0, 'k')?.expected, 6)
  assert.is(detector.observe(0, 0, 'k')?.expected, 3, 'half of the weight is that of the last value')
  assert.is(run(ewma(), [...normal(300), 10]).at(-1), 1)
  assert.ok(max(run(ewma(), normal(300)).slice(60)) < 0.45)
})

test('median and median distance are those of plain sorting, for any window', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (values, size) => {
        const window = new SortedWindow(size)
        for (const [at, value] of values.entries()) {
          window.add(value)
          const last = values.slice(Math.max(0, at + 1 - size), at + 1)
          assert.equal(window.values(), last)
          const median = plainMedian(last)
          assert.is(medianOfSorted(window.sorted), median)
          assert.is(medianDistance(window.sorted, median), plainMedian(last.map((v) => Math.abs(v - median))))
        }
      },
    ),
  )
})

function plainMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

test('median and MAD: a third of the window may be outliers, the next one still scores 1', () => {
  const values = normal(90).map((v, i) => (i % 3 === 0 ? 50 : v))
  assert.ok(max(run(medianMad({ window: 60 }), [...values, -60]).slice(-1)) === 1)
})

test('P²: within a hundredth of the exact quantile of 5,000 values', () => {
  const values = normal(5000)
  const sorted = [...values].sort((a, b) => a - b)
  for (const q of [0.05, 0.5, 0.95]) {
    const estimate = new P2Quantile(q)
    for (const value of values) estimate.add(value)
    const rank = sorted.findIndex((v) => v >= estimate.value) / values.length
    assert.ok(Math.abs(rank - q) < 0.01, `${q}: ${rank}`)
  }
})

test('quantile band: a skewed series has a wider band on its long side', () => {
  const detector = quantileBand().start()
  for (const value of normal(2000)) detector.observe(Math.exp(value), 0, 'k')
  const score = detector.observe(1, 0, 'k')
  assert.ok((score?.upper ?? 0) - (score?.expected ?? 0) > 2 * ((score?.expected ?? 0) - (score?.lower ?? 0)))
})

test('quantile band: scale and shift change no score of values that are all different', () => {
  const values = normal(300)
  const moved = values.map((value) => value * 8 + 3)
  const [a, b] = [run(quantileBand(), values), run(quantileBand(), moved)]
  assert.ok(a.every((score, i) => Math.abs(score - (b[i] as number)) < 1e-9))
})

test('rate of change: with limits it is the change per second that counts, not per value', () => {
  const detector = rateOfChange({ rise: 1, fall: 2 }).start()
  assert.is(detector.observe(0, 0, 'k'), null)
  assert.is(detector.observe(10, 10_000, 'k')?.score, 0)
  assert.is(detector.observe(20, 19_000, 'k')?.score, 1)
  assert.is(detector.observe(18, 20_000, 'k')?.score, 0)
  assert.is(detector.observe(15, 21_000, 'k')?.score, 1)
  assert.ok(max(run(rateOfChange(), [...normal(200).map((v) => 100 + v), 130]).slice(-1)) > 0.9)
})

for (const [plan, soon] of [
  [cusum(), 30],
  [pageHinkley(), 120],
  [adwin(), 300],
  [twoWindow(), 30],
] as const)
  test(`${plan.name}: a shift of two sigmas scores over 0.4 within ${soon} values; 1,000 values without one stay under 0.5`, () => {
    const before = normal(1000, 3, 50, 4)
    const scores = run(plan, [...before, ...normal(soon, 4, 58, 4)])
    assert.ok(max(scores.slice(100, 1000)) < 0.5, `quiet: ${max(scores.slice(100, 1000))}`)
    assert.ok(max(scores.slice(1000)) > 0.4, `shift: ${max(scores.slice(1000))}`)
  })

test('adwin: parts grow with the logarithm of the window, and a shift cuts the window', () => {
  const histogram = new ExponentialHistogram()
  for (let i = 0; i < 100_000; i++) histogram.add(i % 7)
  assert.is(histogram.count, 100_000)
  assert.ok(histogram.parts <= 5 * Math.ceil(Math.log2(100_000)), `${histogram.parts} parts`)
  const whole = histogram.whole()
  assert.ok(Math.abs(whole.mean - 3) < 0.001 && Math.abs(whole.squares / whole.count - 4) < 0.001)

  const detector = adwin().start()
  for (const value of [...normal(3000), ...normal(300, 2, 5)]) detector.observe(value, 0, 'k')
  const left = new ExponentialHistogram(detector.snapshot() as never)
  assert.ok(left.count < 400, `${left.count} values left`)
})

test('two windows: Mann–Whitney and Kolmogorov–Smirnov are those of counting pairs and of the definition', () => {
  const list = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(list, list, (a, b) => {
      const found = compare(
        [...a].sort((x, y) => x - y),
        [...b].sort((x, y) => x - y),
      )
      let gap = 0
      for (let v = 0; v < 10; v++) gap = Math.max(gap, Math.abs(shareUpTo(a, v) - shareUpTo(b, v)))
      assert.ok(Math.abs(found.gap - gap) < 1e-12)
      let wins = 0
      for (const x of a) for (const y of b) wins += x > y ? 1 : x === y ? 0.5 : 0
      assert.is(
        Math.sign(found.sigmas),
        new Set([...a, ...b]).size === 1 ? 0 : Math.sign(wins - (a.length * b.length) / 2),
      )
    }),
  )
})

function shareUpTo(values: readonly number[], limit: number): number {
  return values.filter((value) => value <= limit).length / values.length
}

test('two windows by shape: sees a spread that trebles without a shift', () => {
  const values = [...normal(800), ...normal(150, 9, 0, 3)]
  const windows = { recent: 150, reference: 400 }
  assert.ok(max(run(twoWindow({ ...windows, test: 'shape' }), values).slice(800)) > 0.4)
  assert.ok(max(run(twoWindow({ ...windows, test: 'level' }), values).slice(800)) < 0.4)
})

test('half-space trees: a point that is usual in each number but not in both scores more than the usual', () => {
  const next = noise(5)
  const detector = halfSpaceTrees({ dimensions: 2, trees: 25, depth: 6 }).start()
  const usual: number[] = []
  for (let i = 0; i < 1500; i++) {
    const x = next()
    usual.push(detector.observe([x, x + next() / 20], i, 'k')?.score ?? 0)
  }
  const odd = detector.observe([2, -2], 1500, 'k')?.score ?? 0
  const above = usual.slice(500).filter((score) => score >= odd).length
  assert.ok(above < 20, `${above} of 1000 scored ${odd} or more`)
})

test('peer: a host that stands apart is found, also while all move together', () => {
  const detector = peer().start()
  const next = noise(2)
  let last = 0
  for (let time = 0; time < 100; time++)
    for (let host = 0; host < 10; host++) {
      const odd = time === 99 && host === 4 ? 8 : 0
      const score = detector.observe(time * 3 + next() / 10 + odd, time * 1000 + host, `h${host}`)
      if (odd > 0) last = score?.score ?? 0
    }
  assert.is(last, 1)
})

test('peer: a value longer ago than `fresh` is no peer any more', () => {
  const detector = peer({ fresh: 10, peers: 3 }).start()
  for (const [at, key] of ['a', 'b', 'c'].entries()) detector.observe(at, 0, key)
  assert.ok(detector.observe(1, 10, 'd') !== null)
  assert.is(detector.observe(1, 11, 'e'), null)
})

test.run()
