import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evaluate, probationOf, PROFILES, scoreFile, type Profile, type Scored } from '../../nab/scoring.ts'

const test = suite('scoring as NAB does')

function file(rows: number, windows: Scored['windows'], flagged: readonly number[]): Scored {
  return { windows, scores: Array.from({ length: rows }, (_, row) => (flagged.includes(row) ? 1 : 0)) }
}

test('nothing flagged is 0, the first row of each window alone is 100, in all profiles', () => {
  for (const profile of Object.keys(PROFILES) as Profile[]) {
    const windows = [[400, 449] as const, [800, 849] as const]
    assert.is(evaluate([file(1000, windows, [])], profile).score, 0)
    assert.is(evaluate([file(1000, windows, [400, 800])], profile).score.toFixed(6), '100.000000')
  }
})

test('only the best row of a window counts; later is worth less, and more than nothing', () => {
  const at = (...rows: number[]): number => evaluate([file(1000, [[500, 599]], rows)], 'standard').score
  assert.is(at(500, 550, 599), at(500))
  assert.ok(at(500) > at(550) && at(550) > at(599) && at(599) > 50)
})

test('a false alarm costs more the farther it is behind a window, and twice as much in the profile against them', () => {
  const sum = (row: number, profile: Profile): number => scoreFile(file(1000, [[500, 599]], [row]), 1, profile).sum
  assert.ok(sum(605, 'standard') > sum(640, 'standard'))
  assert.is(sum(990, 'standard').toFixed(4), '-1.1100')
  assert.is(sum(990, 'reward_low_FP_rate').toFixed(4), '-1.2200')
  assert.is(sum(300, 'standard').toFixed(4), '-1.1100', 'ahead of the first window it costs all')
})

test('what lies in the probation does not count', () => {
  assert.is(probationOf(1000), 150)
  assert.is(probationOf(20_000), 750)
  assert.is(scoreFile(file(1000, [[500, 599]], [3, 149]), 1, 'standard').falseAlarms, 0)
})

test('the threshold that is found is as good as the best of all thresholds tried one by one', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 60, maxLength: 60 })
  fc.assert(
    fc.property(scores, scores, (a, b) => {
      const files: Scored[] = [
        { windows: [[20, 29]], scores: a },
        { windows: [[15, 24], [40, 49]], scores: b }, // prettier-ignore
      ]
      const found = evaluate(files, 'standard')
      const tried = [0, 1, 2, 3, 4, 5, 6, 7].map((t) =>
        files.reduce((sum, f) => sum + scoreFile(f, t, 'standard').sum, 0),
      )
      const best = Math.max(...tried)
      assert.ok(Math.abs(found.score - (100 * (best + 3)) / 6) < 1e-9)
    }),
  )
})

test.run()
