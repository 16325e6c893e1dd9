import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { auto } from '../../../src/cep/detect/auto.ts'
import { Calm } from '../../../src/cep/detect/calm.ts'
import { decide, decisionOf, newStanding } from '../../../src/cep/detect/decision.ts'
import { Gap } from '../../../src/cep/detect/gap.ts'
import { Novelty } from '../../../src/cep/detect/novelty.ts'
import { SeriesScale } from '../../../src/cep/detect/series-scale.ts'
import { TailHistogram } from '../../../src/cep/detect/tail-histogram.ts'
import { noise } from './all-detectors.ts'

const test = suite('auto')

const FIVE_MINUTES = 300_000

/** Rows at which it raises an alarm with everything left to its default. */
function alarms(values: readonly number[], everyMs = FIVE_MINUTES): number[] {
  const plan = auto()
  const [detector, decision, standing] = [plan.start(), decisionOf({}, plan.warmUp), newStanding()]
  return values.flatMap((value, at) =>
    decide(decision, standing, detector.observe(value, at * everyMs, 'k'), at * everyMs) ? [at] : [],
  )
}

function series(count: number, of: (at: number, next: () => number) => number, seed = 1): number[] {
  const next = noise(seed)
  return Array.from({ length: count }, (_, at) => of(at, next))
}

const found = (rows: readonly number[], from: number, to: number): boolean =>
  rows.some((row) => row >= from && row < to)

const DAY = 288
const daily = (at: number): number => 50 + 20 * Math.sin((2 * Math.PI * at) / DAY)

for (const [name, of, from, to] of [
  ['a spike on noise', (at, next) => 50 + 4 * next() + (at === 1500 ? 40 : 0), 1500, 1503],
  ['a dip on noise', (at, next) => 50 + 4 * next() - (at === 1500 ? 40 : 0), 1500, 1503],
  ['a shift of the level', (at, next) => (at < 1500 ? 50 : 70) + 4 * next(), 1500, 1520],
  ['a spread that trebles', (at, next) => 50 + (at < 1500 ? 3 : 9) * next(), 1500, 1560],
  ['a jump of a flat line', (at) => (at < 1500 ? 12 : 13), 1500, 1501],
  ['a counter that stands still', (at, next) => 100 * Math.min(at, 1500) + (at < 1500 ? 20 * next() : 0), 1500, 1530],
  ['a new level of a quantised value', (at, next) => (at === 1500 ? 9 : Math.round(Math.abs(next()))), 1500, 1501],
  [
    'a usual value at an unusual time of day',
    (at) => (at >= 2300 && at < 2330 ? daily(at + 144) : daily(at)),
    2300,
    2330,
  ],
  ['a day that does not come', (at) => (at >= 2310 && at < 2598 ? 50 : daily(at)), 2310, 2598],
] as [string, (at: number, next: () => number) => number, number, number][])
  test(`finds ${name}`, () => {
    const rows = alarms(series(to + 10, of))
    assert.ok(found(rows, from, to), `alarms: ${rows.join(' ')}`)
  })

test('noise, a season and a flat line raise few alarms: at most one in 500 values after 750', () => {
  for (const [name, of] of [
    ['noise', (_: number, next: () => number) => 40 + 5 * next()],
    ['season', (at: number, next: () => number) => daily(at) + next()],
    ['flat', () => 45],
    ['square', (at: number) => (at % DAY < 100 ? 80 : 20)],
  ] as [string, (at: number, next: () => number) => number][]) {
    const rows = alarms(series(4000, of)).filter((row) => row >= 750)
    assert.ok(rows.length <= 6, `${name}: ${rows.join(' ')}`)
  }
})

test('what came before is known: of spikes alike, once a day, the later ones raise no alarm', () => {
  const rows = alarms(series(4000, (at, next) => (at % DAY === 100 ? 40 : 2) + 0.2 * next())).filter(
    (row) => row > 2000,
  )
  assert.ok(rows.length <= 2, `alarms: ${rows.join(' ')}`)
})

test('a snapshot between any two values changes nothing', () => {
  const values = fc.array(
    fc.record({ v: fc.integer({ min: -20, max: 20 }), after: fc.integer({ min: 1, max: 9_000_000 }) }),
    {
      minLength: 60,
      maxLength: 200,
    },
  )
  const plan = auto({ capacity: 8, calm: 5 })
  fc.assert(
    fc.property(values, fc.nat(199), (steps, cut) => {
      const straight = plan.start()
      let other = plan.start()
      let time = 0
      for (const [i, { v, after }] of steps.entries()) {
        if (i === cut % steps.length) other = plan.start(JSON.parse(JSON.stringify(other.snapshot())))
        time += after
        assert.equal(other.observe(v, time, 'k'), straight.observe(v, time, 'k'))
      }
    }),
    { numRuns: 40 },
  )
})

test('a gap is no step: after missing hours the season goes on without an alarm', () => {
  const detector = auto().start()
  const decision = decisionOf({}, 100)
  const standing = newStanding()
  const after: number[] = []
  for (let at = 0; at < 2500; at++) {
    const row = at < 1500 ? at : at + DAY / 2
    const time = row * FIVE_MINUTES
    if (decide(decision, standing, detector.observe(daily(row + 72), time, 'k'), time) && at >= 1500) after.push(at)
  }
  assert.ok(!found(after, 1500, 1560), `alarms: ${after.join(' ')}`)
})

test('gap: many usual intervals without a value, however irregular they are; one does not make the next usual', () => {
  const gap = new Gap()
  const told: boolean[] = []
  for (let at = 0, time = 0; at < 200; at++)
    told.push(gap.before((time += at % 50 === 49 ? 130_000 : 5000 + (at % 3) * 5000)))
  assert.equal(
    told.flatMap((is, at) => (is ? [at] : [])),
    [49, 99, 149, 199],
  )
})

test('scale and shift of the values change next to nothing', () => {
  const values = series(1200, (at, next) => 50 + 4 * next() + (at === 1000 ? 40 : 0))
  const scores = (of: (value: number) => number): number[] => {
    const detector = auto().start()
    return values.map((value, at) => detector.observe(of(value), at * FIVE_MINUTES, 'k')?.score ?? 0)
  }
  const [plain, moved] = [scores((v) => v), scores((v) => v * 64 + 4096)]
  assert.ok(plain.every((score, i) => Math.abs(score - (moved[i] as number)) < 0.01))
})

test('state stays within its bound, however long and varied the series', () => {
  const detector = auto({ capacity: 32 }).start()
  const next = noise(9)
  const sizes: number[] = []
  for (let at = 0; at < 12_000; at++) {
    detector.observe(Math.exp(3 * next()) + at, at * FIVE_MINUTES, 'k')
    if (at % 4000 === 3999) sizes.push(JSON.stringify(detector.snapshot()).length)
  }
  assert.ok((sizes[2] as number) < 1.2 * (sizes[1] as number), sizes.join(' '))
  assert.ok((sizes[2] as number) < 80_000, sizes.join(' '))
})

test('novelty: never more points than its capacity, and every point is near one that is kept', () => {
  const points = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 150 })
  fc.assert(
    fc.property(points, (values) => {
      const scale = new SeriesScale()
      for (let i = 0; i < 16; i++) scale.add(i * 50)
      const novelty = new Novelty(8, 1, 0, scale)
      for (const value of values) novelty.learn([value])
      const [kept, radius] = novelty.snapshot()
      assert.ok(kept.length <= 8)
      // radii grow by half: those of all merges before sum up to less than three times the last
      for (const value of values) assert.ok(novelty.distance([value]) <= 3 * radius + 1e-9)
    }),
  )
})

test('tail: decades are those of counting, and grow past the largest seen', () => {
  const tail = new TailHistogram()
  for (let i = 1; i <= 1000; i++) tail.add(i)
  assert.ok(Math.abs(tail.decades(500, 9) - 0.3) < 0.02)
  assert.ok(Math.abs(tail.decades(900, 9) - 1) < 0.05)
  assert.ok(tail.decades(1500, 9) > tail.decades(1000, 9))
  assert.is(tail.decades(1e9, 6), 6)
  assert.is(tail.decades(0, 6), 0)
})

test('calm: after an alarm only what is clearly higher counts; a height that was reached before counts less', () => {
  const calm = new Calm(1.25, 4)
  assert.is(calm.lower(2), 2)
  assert.is(calm.lower(2.4), 0.625)
  assert.is(calm.lower(2.7), 2.7)
  const fading = new Calm(1.25, 4)
  fading.lower(2)
  assert.equal(
    [0, 0, 0].map((height) => fading.lower(height)),
    [0, 0, 0],
  )
  assert.is(fading.lower(2.1), 2.1, 'at its end as high is high enough')
  const used = new Calm(9, 0)
  const heights = Array.from({ length: 10 }, () => {
    const height = used.lower(2)
    for (let i = 0; i < 30; i++) used.lower(0)
    return height
  })
  assert.is(heights[0], 2)
  assert.is(heights[9]?.toFixed(6), '1.800000')
})

test.run()
