import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decide, decisionOf, newStanding, type DecisionOptions } from '../../../src/cep/detect/decision.ts'
import type { Score } from '../../../src/cep/detect/detector.ts'
import { judge, type NoAlarm } from '../../../src/cep/detect/judgement.ts'

const test = suite('judgement')

function judged(options: DecisionOptions, scores: readonly (number | null)[], direction: Score['direction'] = 'above') {
  const decision = decisionOf(options, 0)
  const standing = newStanding()
  const all = scores.map((score, at) => judge(decision, standing, scoreOf(score, direction), at * 1_000))
  return all.map((no: NoAlarm | undefined) => no ?? 'alarm')
}

function scoreOf(score: number | null, direction: Score['direction']): Score | null {
  return score === null ? null : { score, expected: null, lower: null, upper: null, direction }
}

test('why a value is no alarm: no score, in line, the other side', () => {
  assert.equal(judged({}, [null, 0.1]), [{ kind: 'no-score' }, { kind: 'in-line' }])
  assert.equal(judged({ side: 'below' }, [0.9]), [{ kind: 'other-side' }])
})

test('why a value is no alarm: warm-up, too few in a row, told already, cool-down', () => {
  assert.equal(judged({ warmUp: 1 }, [0.9, 0.9]), [{ kind: 'warm-up', seen: 1, warmUp: 1 }, 'alarm'])
  assert.equal(judged({ persist: 2 }, [0.9, 0.9]), [{ kind: 'too-few', row: 1, persist: 2 }, 'alarm'])
  assert.equal(judged({}, [0.9, 0.9]), ['alarm', { kind: 'told', since: 0 }])
  assert.equal(judged({ coolDown: 5_000 }, [0.9, 0, 0.9]).at(-1), { kind: 'cool-down', until: 5_000 })
})

test('who asks why changes nothing: judge and decide say the same of any series', () => {
  const options = fc.record({
    threshold: fc.constantFrom(0.3, 0.5),
    persist: fc.integer({ min: 1, max: 3 }),
    warmUp: fc.nat(3),
    coolDown: fc.constantFrom(0, 2_500),
    side: fc.constantFrom('both' as const, 'above' as const, 'below' as const),
  })
  const value = fc.tuple(
    fc.constantFrom(null, 0, 0.2, 0.4, 0.6),
    fc.constantFrom('above' as const, 'below' as const, 'none' as const),
  )
  fc.assert(
    fc.property(options, fc.array(value, { maxLength: 30 }), (given, values) => {
      const decision = decisionOf(given, 0)
      const [one, other] = [newStanding(), newStanding()]
      for (const [at, [score, direction]] of values.entries()) {
        const scored = scoreOf(score, direction)
        const alarm = decide(decision, one, scored, at * 1_000) && scored !== null
        assert.is(judge(decision, other, scored, at * 1_000) === undefined, alarm)
        assert.equal(one, other)
      }
    }),
  )
})

test.run()
