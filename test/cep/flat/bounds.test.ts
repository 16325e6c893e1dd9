import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BoundPolicies, Bounds, Pattern } from '../../../src/cep/pattern/pattern.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { engineOf, ids, take } from './engine-of.ts'

const test = suite('bounds of flat runs')

const pattern = (bounds: Partial<Bounds>, policies: BoundPolicies = {}): Pattern => ({
  stages: [take('a'), take('b')],
  within: 100,
  bounds,
  policies,
})
const failed = (act: () => unknown) => assert.throws(act, (e: unknown) => isFault(e, 'BOUND_EXCEEDED'))

test('partial matches of one key: the oldest go, the newest go, or it is an error', () => {
  const bounds = { partialMatchesPerKey: 2 }
  for (const [policy, left] of [
    ['drop-oldest', ['a@2 b@9', 'a@3 b@9']],
    ['drop-newest', ['a@1 b@9', 'a@2 b@9']],
  ] as const) {
    const { found, engine } = engineOf(pattern(bounds, { partialMatchesPerKey: policy }))
    found('a@1 a@2 a@3')
    assert.equal([engine.stats().partialMatches, engine.stats().dropped], [2, { partialMatches: 1 }], policy)
    assert.equal(found('b@9'), left, policy)
  }
  failed(() => engineOf(pattern(bounds, { partialMatchesPerKey: 'fail' })).found('a@1 a@2 a@3'))
})

test('partial matches of all keys: the oldest of any key go, or the newest of the key at hand, or it is an error', () => {
  const bounds = { partialMatches: 2 }
  const began = (policies: BoundPolicies) => {
    const made = engineOf(pattern(bounds, policies))
    for (const [at, key] of ['p', 'q', 'r'].entries()) made.send(`a@${at}`, key)
    return made
  }
  for (const [policy, gone] of [
    ['drop-oldest', 'p'],
    ['drop-newest', 'r'],
  ] as const) {
    const { engine, send } = began({ partialMatches: policy })
    assert.equal([engine.stats().partialMatches, engine.stats().dropped], [2, { partialMatches: 1 }], policy)
    for (const key of ['p', 'q', 'r'])
      assert.is(send('b@9', key).matches.length, key === gone ? 0 : 1, `${policy} ${key}`)
  }
  failed(() => began({ partialMatches: 'fail' }))
})

test('keys: the oldest goes with all it has, or the newest is not begun, or it is an error', () => {
  const began = (policies: BoundPolicies) => {
    const made = engineOf(pattern({ keys: 2 }, policies))
    for (const [text, key] of [
      ['a@0', 'p'],
      ['a@1', 'p'],
      ['a@2', 'q'],
      ['a@3', 'r'],
    ] as const)
      made.send(text, key)
    return made.engine.stats()
  }
  const oldest = began({})
  assert.equal([oldest.keys, oldest.partialMatches, oldest.dropped], [2, 2, { partialMatches: 2, keys: 1 }])
  const newest = began({ keys: 'drop-newest' })
  assert.equal([newest.keys, newest.partialMatches, newest.dropped], [2, 3, { partialMatches: 1, keys: 1 }])
  failed(() => began({ keys: 'fail' }))
})

test('matches of one event: the rest are dropped and counted, or it is an error', () => {
  const { found, send, engine } = engineOf(pattern({ matchesPerAdvance: 2 }))
  found('a@1 a@2 a@3')
  assert.equal(ids(send('b@9').matches), ['a@1 b@9', 'a@2 b@9'])
  assert.is(engine.stats().droppedMatches, 1)
  failed(() => engineOf(pattern({ matchesPerAdvance: 2 }, { matchesPerAdvance: 'fail' })).found('a@1 a@2 a@3 b@9'))
})

test('without a window, starts that are over are forgotten: memory follows what is alive', () => {
  const { send, engine } = engineOf({ stages: [take('a'), take('b', { contiguity: 'strict' })], events: ['x'] })
  for (let at = 0; at < 20_000; at++) send(`${at % 2 === 0 ? 'a' : 'x'}@${at}`, `k${at % 3}`)
  assert.ok(engine.stats().partialMatches <= 3)
  assert.ok((engine.stats().horizon ?? 0) > 19_990, 'what is alive began not long ago')
})

test.run()
