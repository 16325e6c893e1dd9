import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AggregateRing, AggregateTable, type Resident } from '../../src/actor/aggregate-table.ts'

const test = suite('aggregate table')

function resident(id: string, size = 100): Resident {
  return { id, size, pins: 0, used: false, slot: 0, home: undefined }
}

test('what was used since the hand came by stays, what was not goes', () => {
  const ring = new AggregateRing({ most: 3 })
  const table = new AggregateTable(ring)
  for (const id of ['a', 'b', 'c', 'd']) table.add(resident(id))
  assert.is(table.size, 3)
  assert.is(table.get('a'), undefined)
  table.get('b')
  table.add(resident('e'))
  assert.ok(table.get('b') !== undefined, 'b was used')
  assert.is(ring.counts.passivated, 2)
})

test('tables of one ring share its bounds, and a table that ends gives back what it had', () => {
  const ring = new AggregateRing({ most: 4 })
  const [one, other] = [new AggregateTable(ring), new AggregateTable(ring)]
  for (const id of ['a', 'b', 'c']) one.add(resident(id))
  for (const id of ['d', 'e', 'f']) other.add(resident(id))
  assert.is(one.size + other.size, 4)
  one.clear()
  assert.is(ring.counts.size, other.size)
  other.clear()
  assert.equal({ ...ring.counts, passivated: 0 }, { size: 0, bytes: 0, passivated: 0 })
})

test('AL1 AL2: a pinned aggregate stays whatever comes; beside them the bounds hold, also that of bytes', () => {
  const op = fc.record({
    id: fc.integer({ min: 0, max: 40 }),
    kind: fc.constantFrom('use', 'pin', 'unpin', 'grow', 'delete'),
    size: fc.integer({ min: 1, max: 400 }),
  })
  fc.assert(
    fc.property(fc.array(op, { maxLength: 300 }), (ops) => {
      const ring = new AggregateRing({ most: 10, mostBytes: 2_000 })
      const tables = [new AggregateTable<Resident>(ring), new AggregateTable<Resident>(ring)] as const
      const pinned = new Map<string, Resident>()
      for (const { id: number, kind, size } of ops) {
        const table = tables[number % 2] ?? tables[0]
        const id = String(number)
        let entry = table.get(id)
        if (entry === undefined) table.add((entry = resident(id, size)))
        if (kind === 'grow') table.resized(entry, size)
        if (kind === 'pin' && pinned.size < 5 && entry.pins === 0) {
          entry.pins += 1
          pinned.set(id, entry)
        }
        if (kind === 'unpin' && pinned.delete(id)) entry.pins -= 1
        if (kind === 'delete' && !pinned.has(id)) table.delete(entry)
        for (const [one, kept] of pinned) assert.is((tables[Number(one) % 2] ?? tables[0]).get(one), kept)
        const all = [...tables[0].values(), ...tables[1].values()]
        assert.is(ring.counts.size, all.length)
        assert.is(
          ring.counts.bytes,
          all.reduce((sum, { size: own }) => sum + own, 0),
        )
        assert.ok(all.length <= 10 + pinned.size, `${all.length} in memory`)
      }
    }),
    { numRuns: 300 },
  )
})

test.run()
