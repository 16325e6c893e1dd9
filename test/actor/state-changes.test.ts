import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stateChanges } from '../../src/actor/state-changes.ts'

const test = suite('changes of a state')

test('are told by path, as deep as both sides go', () => {
  const before = { a: 1, b: { c: [1, 2], 'd e': null }, gone: 'x', kind: 'open' }
  const after = { a: 1, b: { c: [1, 3, 4], 'd e': { f: 1 } }, kind: ['open'], more: {} }
  assert.equal(stateChanges(before, after), [
    { kind: 'changed', path: 'b.c[1]', before: 2, after: 3 },
    { kind: 'added', path: 'b.c[2]', after: 4 },
    { kind: 'changed', path: 'b["d e"]', before: null, after: { f: 1 } },
    { kind: 'removed', path: 'gone', before: 'x' },
    { kind: 'changed', path: 'kind', before: 'open', after: ['open'] },
    { kind: 'added', path: 'more', after: {} },
  ])
  assert.equal(stateChanges(1, 'a'), [{ kind: 'changed', path: '', before: 1, after: 'a' }])
})

test('there are none exactly between equal states', () => {
  const json = fc.jsonValue()
  fc.assert(
    fc.property(json, json, (one, other) => {
      assert.equal(stateChanges(one, structuredClone(one)), [])
      const [left, right] = [JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))] as unknown[]
      assert.is(stateChanges(left, right).length === 0, equal(left, right))
    }),
  )
})

function equal(one: unknown, other: unknown): boolean {
  try {
    assert.equal(one, other)
    return true
  } catch {
    return false
  }
}

test.run()
