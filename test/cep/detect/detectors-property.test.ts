import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DetectorPlan, Score } from '../../../src/cep/detect/detector.ts'
import { halfSpaceTrees } from '../../../src/cep/detect/half-space-trees.ts'
import { ALL, LEARNING } from './all-detectors.ts'

const test = suite('detectors')

const value = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constant(7),
)
const step = fc.record({ value, after: fc.nat(4000), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') })
const series = fc.array(step, { minLength: 1, maxLength: 80 })

function scoresOf(plan: DetectorPlan, steps: readonly { value: number; after: number; key: string }[], restoreAt = -1) {
  let detector = plan.start()
  let time = 0
  return steps.map(({ value, after, key }, at) => {
    if (at === restoreAt) detector = plan.start(JSON.parse(JSON.stringify(detector.snapshot())))
    time += after
    return detector.observe(value, time, key)
  })
}

for (const plan of ALL) {
  test(`${plan.signature}: a snapshot between any two values changes nothing`, () => {
    fc.assert(
      fc.property(series, fc.nat(79), (steps, at) => {
        assert.equal(scoresOf(plan, steps, at % steps.length), scoresOf(plan, steps))
      }),
    )
  })

  test(`${plan.signature}: a score is from 0 to 1, its band about what was expected, all of it finite`, () => {
    fc.assert(
      fc.property(series, (steps) => {
        for (const score of scoresOf(plan, steps)) {
          if (score === null) continue
          assert.ok(score.score >= 0 && score.score <= 1)
          for (const number of [score.expected, score.lower, score.upper])
            assert.ok(number === null || Number.isFinite(number))
          if (score.lower !== null && score.expected !== null) assert.ok(score.lower <= score.expected)
          if (score.upper !== null && score.expected !== null) assert.ok(score.upper >= score.expected)
        }
      }),
    )
  })
}

// P² moves markers by whether values are equal, which rounding of a shift changes: see the test of its own
for (const plan of LEARNING.filter((plan) => plan.name !== 'quantile-band'))
  test(`${plan.signature}: scale and shift of the values change no score`, () => {
    // whole numbers scaled by powers of two: rounding takes no part in it
    const whole = fc.array(
      fc.record({
        value: fc.integer({ min: -50, max: 50 }),
        after: fc.integer({ min: 1, max: 4000 }),
        key: fc.constant('a'),
      }),
      { minLength: 30, maxLength: 80 },
    )
    fc.assert(
      fc.property(whole, fc.constantFrom(0.25, 1, 8), fc.integer({ min: -64, max: 64 }), (steps, scale, shift) => {
        const moved = steps.map((s) => ({ ...s, value: s.value * scale + shift * scale }))
        const [a, b] = [scoresOf(plan, steps), scoresOf(plan, moved)]
        for (const [i, score] of a.entries()) close(score, b[i] as Score | null)
      }),
    )
  })

function close(a: Score | null, b: Score | null): void {
  assert.is(a === null, b === null)
  assert.ok(Math.abs((a?.score ?? 0) - (b?.score ?? 0)) < 1e-6, `${String(a?.score)} and ${String(b?.score)}`)
}

test('half-space trees: a snapshot between any two values changes nothing, while the ranges are measured and after', () => {
  const plan = halfSpaceTrees({ dimensions: 2, trees: 3, depth: 3, window: 16 })
  const points = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 20,
    maxLength: 60,
  })
  fc.assert(
    fc.property(points, fc.nat(59), (values, at) => {
      let restored = plan.start()
      const straight = plan.start()
      for (const [i, value] of values.entries()) {
        if (i === at) restored = plan.start(JSON.parse(JSON.stringify(restored.snapshot())))
        assert.equal(restored.observe(value, i, 'k'), straight.observe(value, i, 'k'))
      }
    }),
  )
})

test.run()
