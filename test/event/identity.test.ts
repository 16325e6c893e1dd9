import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { messageId, outputId } from '../../src/event/identity.ts'

const test = suite('identity')

// few characters, so that pairs which could be confused come up often
const part = fc.string({ unit: fc.constantFrom('a', ' ', '%', '2', '0', '"', 'é'), minLength: 1, maxLength: 5 })

test('two pairs of source and id never share a message id', () => {
  fc.assert(
    fc.property(part, part, part, part, (source, id, otherSource, otherId) => {
      const same = source === otherSource && id === otherId
      assert.is(messageId(source, id) === messageId(otherSource, otherId), same)
    }),
    { numRuns: 2_000 },
  )
  assert.is.not(messageId('a b', 'c'), messageId('a', 'b c'))
  assert.is.not(messageId('a%20b', 'c'), messageId('a b', 'c'))
})

test('a message id keeps the pair readable', () => {
  assert.is(messageId('/payments', 'pay-17'), '/payments pay-17')
})

test('an empty half has no message id: a trimmed header could be taken for another', () => {
  for (const [source, id] of [
    ['', 'a'],
    ['a', ''],
  ] as const)
    assert.throws(
      () => messageId(source, id),
      (error: unknown) => isFault(error, 'EVENT_ENVELOPE_INVALID'),
    )
})

test('an output id comes from its cause alone, and no two causes share one', () => {
  assert.is(outputId('velocity', 3, 1207, 0), 'velocity-3-1207-0')
  const number = fc.constantFrom(0, 1, 2, 11, 12)
  const cause = fc.tuple(fc.constantFrom('a', 'a-1', 'a-1-1', '1'), number, number, number)
  fc.assert(
    fc.property(cause, cause, (one, other) => {
      assert.is(outputId(...one) === outputId(...other), JSON.stringify(one) === JSON.stringify(other))
    }),
    { numRuns: 2_000 },
  )
})

test.run()
