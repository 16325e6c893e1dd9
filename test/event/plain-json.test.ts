import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plainJson } from '../../src/event/plain-json.ts'

const test = suite('JSON of flat data')

const scalar = fc.oneof(fc.string({ maxLength: 70 }), fc.double(), fc.integer(), fc.constant(-0))
const other = fc.constantFrom<unknown>(undefined, null, true, [], {}, new Date(0), { toJSON: () => 'x' }, () => 1)
const flat = fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof({ weight: 9, arbitrary: scalar }, other))

test('what is written is what JSON.stringify writes', () => {
  let written = 0
  fc.assert(
    fc.property(fc.oneof(flat, scalar, other), (data) => {
      const text = plainJson(data)
      if (text === undefined) return
      written += 1
      assert.is(text, JSON.stringify(data))
    }),
    { numRuns: 3_000 },
  )
  assert.ok(written > 100, `${written} were written`)
})

test('flat data of texts and numbers is written, in the order of its members', () => {
  assert.is(plainJson({ b: 'x', 2: 1.5, a: -0, 1: 'y' }), '{"1":"y","2":1.5,"b":"x","a":0}')
  assert.is(plainJson({}), '{}')
})

test('data that writes itself, or is not flat, is left to JSON.stringify', () => {
  class Own {
    a = 1
  }
  const given: unknown[] = [
    new Own(),
    { toJSON: () => 1 },
    { a: undefined },
    { a: 'é' },
    { a: NaN },
    [1],
    null,
    'x',
    1n,
  ]
  for (const data of given) assert.is(plainJson(data), undefined)
  const prototype = Object.prototype as { odd?: number }
  try {
    prototype.odd = 1
    assert.is(plainJson({ a: 1 }), undefined)
  } finally {
    delete prototype.odd
  }
})

test.run()
