import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { copyPlain, findNotPlain, isPlain } from '../../../src/pipeline/keyed/plain-data.ts'

const test = suite('plain data')

const plain = fc.jsonValue({ maxDepth: 4 })

test('a copy of plain data is what JSON makes of it, and shares nothing with it', () => {
  fc.assert(
    fc.property(plain, (value) => {
      const copy = copyPlain(value)
      assert.is(JSON.stringify(copy), JSON.stringify(value))
      const shared = (one: unknown, other: unknown): boolean =>
        typeof one === 'object' &&
        one !== null &&
        (one === other || Object.keys(one).some((name) => shared(one[name as never], (other as never)[name])))
      assert.not(shared(value, copy))
      assert.ok(isPlain(value))
      assert.is(findNotPlain(value, { shared: true }), undefined)
    }),
  )
})

test('__proto__ and toString as names, as JSON.parse makes them, are names', () => {
  const value: unknown = JSON.parse('{"__proto__":{"a":[1]},"toString":{"b":2},"constructor":null}')
  const copy = copyPlain(value)
  assert.is(JSON.stringify(copy), JSON.stringify(value))
  assert.is(Object.getPrototypeOf(copy), Object.prototype)
})

test('an object without a prototype is plain', () => {
  const bare = Object.assign(Object.create(null) as object, { a: 1 })
  assert.equal(copyPlain(bare), { a: 1 })
  assert.is(findNotPlain(bare), undefined)
})

const strange: readonly [what: string, value: unknown][] = [
  ['undefined', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['1n', 1n],
  ['NaN', Number.NaN],
  ['-Infinity', -Infinity],
  ['a Date', new Date(0)],
  ['a Map', new Map()],
  ['a Buffer', Buffer.from('x')],
  ['an instance', new URL('test:/a')],
]
for (const [what, value] of strange)
  test(`${what} is not plain, wherever it is`, () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('list', 'object'), { maxLength: 4 }), (path) => {
        let whole: unknown = value
        for (const step of path) whole = step === 'list' ? [0, whole, 'x'] : { a: 1, b: whole, c: null }
        const pointer = path.toReversed().map((step) => (step === 'list' ? '/1' : '/b'))
        assert.is(copyPlain(whole), undefined)
        assert.is(isPlain(whole), false)
        assert.is(findNotPlain(whole)?.path, pointer.join(''))
      }),
    )
  })

test('members that are undefined may count as absent, items of a list may not', () => {
  const absent = true
  assert.ok(isPlain({ a: undefined, b: [{ c: undefined }] }, { absent }))
  assert.is(findNotPlain({ a: undefined, b: [{ c: undefined }] }, { absent }), undefined)
  assert.not(isPlain({ b: [undefined] }, { absent }))
  assert.is(findNotPlain({ a: undefined, b: [undefined] }, { absent })?.path, '/b/0')
})

test('a hole in a list is not plain', () => {
  // oxlint-disable-next-line no-sparse-arrays -- it is what is tested
  const list = [1, , 3]
  assert.is(copyPlain(list), undefined)
  assert.is(isPlain(list), false)
  assert.is(findNotPlain(list)?.path, '/1')
})

test('a cycle is found by depth, and does not end the process', () => {
  const list: unknown[] = []
  list.push({ list })
  assert.is(copyPlain(list), undefined)
  assert.is(isPlain(list), false)
  assert.is(isPlain(list, { budget: 32, depth: 16 }), false)
  assert.match(findNotPlain(list)?.why ?? '', /a cycle/)
})

test('names are escaped in paths as JSON pointers are', () => {
  assert.is(findNotPlain({ 'a/b~c': [undefined] })?.path, '/a~1b~0c/0')
})

test('a glance looks at no more than it is told to, the end of a list first', () => {
  const list = [undefined, ...Array.from({ length: 40 }, () => 1)]
  assert.ok(isPlain(list, { budget: 32 }))
  assert.not(isPlain(list.toReversed(), { budget: 32 }))
})

test('what is there twice is found only when asked for', () => {
  const one = { a: 1 }
  assert.is(findNotPlain({ one, list: [one] }), undefined)
  assert.is(findNotPlain({ one, list: [one] }, { shared: true })?.path, '/list/0')
})

test.run()
