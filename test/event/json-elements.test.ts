import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { beginsArray, elementsOf } from '../../src/event/json-elements.ts'

const test = suite('the elements of a JSON array')

function texts(json: string): string[] | undefined {
  return elementsOf(Buffer.from(json))?.map((element) => Buffer.from(element).toString())
}

test('are its elements, whatever they hold and however it is spaced', () => {
  const space = fc.constantFrom('', ' ', '\n', '\t \r\n')
  const value = fc.oneof(
    fc.json(),
    fc.string({ unit: fc.constantFrom('"', '\\', ']', '[', ',', '}', 'é') }).map((text) => JSON.stringify(text)),
  )
  fc.assert(
    fc.property(fc.array(value), space, space, (values, before, after) => {
      const json = `${before}[${values.map((one) => before + one + after).join(',')}${after}]${after}`
      assert.equal(
        texts(json),
        values.map((one) => one.trim()),
      )
      assert.ok(beginsArray(Buffer.from(json)))
    }),
  )
})

test('are not to be found in what is no array, or has no end', () => {
  for (const json of ['', ' ', '{}', '"[]"', '[', '[1', '[1,', '["]', '["\\"]', '[{]', '[1]2', '[}', '[1}'])
    assert.is(texts(json), undefined, json)
  for (const json of ['', '{}', ' {', 'x[']) assert.not.ok(beginsArray(Buffer.from(json)))
})

test('that are missing between commas are empty', () => {
  assert.equal(texts('[]'), [])
  assert.equal(texts('[,]'), ['', ''])
  assert.equal(texts('[1, ,2]'), ['1', '', '2'])
})

test('never throw and never reach beyond the bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', '1', ' ') }), (text) => {
      const found = texts(text)
      if (found !== undefined) for (const one of found) assert.ok(text.includes(one))
    }),
    { numRuns: 1_000 },
  )
})

test.run()
