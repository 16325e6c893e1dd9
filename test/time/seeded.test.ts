import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as zod from 'zod'
import { philox4x32, type Words } from '../../src/time/philox.ts'
import { Seeded } from '../../src/time/seeded.ts'

const test = suite('seeded chance')

const hex = (words: readonly number[]): string => words.map((word) => word.toString(16).padStart(8, '0')).join(' ')

test('Philox4x32-10 gives the known answers of its authors', () => {
  const ones = 0xffffffff
  const pi: Words = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]
  assert.is(hex(philox4x32([0, 0, 0, 0], [0, 0])), '6627e8d5 e169c58d bc57ac4c 9b00dbd8')
  assert.is(hex(philox4x32([ones, ones, ones, ones], [ones, ones])), '408f276d 41c83b0e a20bc7c6 6d5451fd')
  assert.is(hex(philox4x32(pi, [0xa4093822, 0x299f31d0])), 'd16cfe09 94fdcceb 5001e420 24126ea1')
})

test('one seed gives one sequence, today and in every version', () => {
  const chance = new Seeded('payments/velocity/3/card-17')
  const drawn = [chance.random(), chance.random(), chance.random(), chance.uuid(), chance.random()]
  assert.equal(drawn, [
    0.39782808872677766,
    0.4932191553186501,
    0.2856265776106537,
    '546151ce-75d7-8f0a-8544-c838066c725a',
    0.41379391203387583,
  ])
})

test('from any point on, seed and count are the whole state', () => {
  const kinds = fc.array(fc.constantFrom('random' as const, 'uuid' as const), { maxLength: 30 })
  fc.assert(
    fc.property(fc.string(), kinds, fc.nat(30), (seed, kinds, cut) => {
      const chance = new Seeded(seed)
      for (const kind of kinds.slice(0, cut)) chance[kind]()
      const continued = new Seeded(seed, chance.drawn)
      for (const kind of kinds.slice(cut)) assert.is(continued[kind](), chance[kind]())
    }),
    { numRuns: 200 },
  )
})

test('a count above 32 bits is another place, not the same one again', () => {
  assert.is.not(new Seeded('a', 2 ** 33).random(), new Seeded('a', 0).random())
  assert.is.not(new Seeded('a', 2 ** 33 + 2).random(), new Seeded('a', 2 ** 33).random())
})

test('numbers are from 0 to below 1, evenly, and neighbours have nothing to do with each other', () => {
  const buckets = 64
  for (const seed of ['', 'a', 'b', 'payments']) {
    const chance = new Seeded(seed)
    const count = Array.from({ length: buckets * buckets }, () => 0)
    const draws = 64 * buckets * buckets
    let before = 0
    for (let n = 0; n < draws; n++) {
      const value = chance.random()
      assert.ok(value >= 0 && value < 1)
      const bucket = Math.floor(value * buckets)
      const at = before * buckets + bucket
      count[at] = (count[at] ?? 0) + 1
      before = bucket
    }
    const expected = draws / count.length
    const chi = count.reduce((sum, each) => sum + (each - expected) ** 2 / expected, 0)
    const freedom = count.length - 1
    assert.ok(Math.abs(chi - freedom) < 5 * Math.sqrt(2 * freedom), `${seed}: χ² ${chi} of ${freedom}`)
  }
})

test('other seeds give other numbers and other ids, however alike they are', () => {
  const numbers = new Set<number>()
  const ids = new Set<string>()
  for (let n = 0; n < 5_000; n++)
    for (const seed of [`key ${n}`, `key ${n}\0`, `${n} key`]) {
      numbers.add(new Seeded(seed).random())
      ids.add(new Seeded(seed).uuid())
      ids.add(new Seeded(seed, 1).uuid())
    }
  assert.equal([numbers.size, ids.size], [15_000, 30_000])
})

test('ids are UUIDs of version 8 by the layout of RFC 9562', () => {
  const chance = new Seeded('ids')
  for (let n = 0; n < 500; n++) {
    const id = chance.uuid()
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.ok(zod.uuid().safeParse(id).success)
  }
})

test.run()
