import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decide, decisionOf, newStanding, type DecisionOptions } from '../../../src/cep/detect/decision.ts'
import type { Score } from '../../../src/cep/detect/detector.ts'
import { ewma } from '../../../src/cep/detect/ewma.ts'
import { erfc, scoreOfProbability, scoreOfSigmas } from '../../../src/cep/detect/tail.ts'
import { MillraceError } from '../../../src/error/millrace-error.ts'

const test = suite('decision')

function alarms(
  options: DecisionOptions,
  scores: readonly number[],
  direction: Score['direction'] = 'above',
): number[] {
  const decision = decisionOf(options, 0)
  const standing = newStanding()
  return scores.flatMap((score, at) =>
    decide(decision, standing, { score, expected: null, lower: null, upper: null, direction }, at * 1000) ? [at] : [],
  )
}

test('one alarm per excursion: the next only after the score fell below clear', () => {
  assert.equal(alarms({ threshold: 0.5, clear: 0.2 }, [0.6, 0.9, 0.3, 0.7, 0.1, 0.5]), [0, 5])
})

test('no alarm while warming up, nor before as many in a row as asked for', () => {
  assert.equal(alarms({ warmUp: 2 }, [0.9, 0, 0.9]), [2])
  assert.equal(alarms({ persist: 3 }, [0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9]), [5])
})

test('no alarm within the cool-down; what lasts longer than it is told after it', () => {
  assert.equal(alarms({ coolDown: 3000 }, [0.9, 0, 0.9, 0, 0, 0.9]), [0, 5])
  assert.equal(alarms({ coolDown: 3000 }, [0.9, 0, 0.9, 0.9, 0.9]), [0, 3])
})

test('only the side that was asked for counts', () => {
  assert.equal(alarms({ side: 'below' }, [0.9]), [])
  assert.equal(alarms({ side: 'below' }, [0.9], 'below'), [0])
})

test('scores count zeros', () => {
  assert.is(scoreOfProbability(0.001).toFixed(6), '0.300000')
  assert.is(scoreOfProbability(0), 1)
  assert.is(scoreOfProbability(2), 0)
  assert.is(scoreOfSigmas(3.8906).toFixed(4), '0.4000')
  assert.is(erfc(0).toFixed(6), '1.000000')
  assert.is((erfc(3) / 2.20904969985854e-5).toFixed(5), '1.00000')
})

test('a parameter out of range is refused by code, with its name and limits', () => {
  for (const make of [() => ewma({ halfLife: Number.NaN }), () => decisionOf({ threshold: 2 }, 0)])
    try {
      make()
      assert.unreachable()
    } catch (error) {
      assert.instance(error, MillraceError)
      assert.is((error as MillraceError).code, 'DETECTOR_INVALID')
      assert.match((error as MillraceError).detail, /is (NaN|2), must be a number from/)
    }
})

test.run()
