import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TypeBits } from '../../../src/cep/pattern/type-bits.ts'

const test = suite('type-bits')
const condition = (bit: number, ...events: string[]) => ({ bit, matcher: { events } })

test('a type has the conditions that name it or name none', () => {
  const types = new TypeBits([condition(1, 'a'), condition(2, 'a', 'b'), condition(4)], ['x'])
  assert.equal(
    ['a', 'b', 'x', 'unheard'].map((type) => types.of(type)),
    [7, 6, 4, 4],
  )
})

test('a type that the rule sees is told from one that it does not, also where no condition takes either', () => {
  const types = new TypeBits([condition(1, 'a')], ['x'])
  assert.equal(
    ['a', 'x', 'unheard'].map((type) => types.of(type)),
    [1, 0, undefined],
  )
})

test('names beyond the few are found as well', () => {
  const names = Array.from({ length: 30 }, (_, at) => `type-${at}`)
  const types = new TypeBits(
    names.map((name, at) => condition(1 << at, name)),
    ['x', 'a'],
  )
  for (const [at, name] of names.entries()) assert.is(types.of(name), 1 << at)
  assert.equal([types.of('x'), types.of('a'), types.of('type-30')], [0, 0, undefined])
  const other = new TypeBits([...names.map((name) => condition(1, name)), condition(2)], [])
  assert.equal([other.of('type-0'), other.of('type-29'), other.of('type-30')], [3, 3, 2])
})

test('what only looks the same in another string object is the same type', () => {
  const types = new TypeBits([condition(1, 'order-placed')], [])
  assert.is(types.of(['order', 'placed'].join('-')), 1)
})

test.run()
