import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { crashesAfter, planCrashes } from '../../../src/replay/verify/crash-plan.ts'

const test = suite('where a run is crashed')
const LOTS = { points: 1_000_000, work: 1_000_000 }

const costs = (items: number, cost: number): number[] => Array.from({ length: items }, () => cost)
const places = (every: number, of: number): number =>
  Array.from({ length: of }, (_, at) => at).filter((at) => crashesAfter({ every, points: 0, of, work: 0 }, at)).length

test('everywhere, where that is not too much', () => {
  const plan = planCrashes(costs(100, 10), 8, LOTS)
  assert.equal([plan.every, plan.points, plan.of, plan.work], [1, 100, 100, 1_800])
})

test('at as many places as are asked for at most, spread evenly', () => {
  const plan = planCrashes(costs(70_000, 0), 8, { ...LOTS, points: 10_000 })
  assert.equal([plan.every, plan.points], [7, 10_000])
})

test('at fewer where recoveries are long', () => {
  const plan = planCrashes(costs(1_000, 992), 8, { ...LOTS, work: 100_000 })
  assert.equal([plan.every, plan.points], [10, 100])
  assert.ok(plan.work <= 100_000)
})

test('the places are as many as the plan says, and at least one', () => {
  for (const [of, points] of [
    [1, 1],
    [10, 3],
    [10, 100],
    [999, 10],
    [5, 1],
  ] as const) {
    // prettier-ignore
    const plan = planCrashes(costs(of, 0), 0, { ...LOTS, points })
    assert.is(places(plan.every, of), plan.points, `${points} of ${of}`)
    assert.ok(plan.points >= 1 && plan.points <= points)
  }
})

test('of nothing there is no place', () => {
  assert.equal(planCrashes([], 8, LOTS), { every: 1, points: 0, of: 0, work: 0 })
})

test.run()
