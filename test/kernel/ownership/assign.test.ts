import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assignUnits, type Candidate, type Unit } from '../../../src/kernel/ownership/assign.ts'

const test = suite('who should run which unit')

function unitsOf(processors: number, partitions: number): Unit[] {
  return Array.from({ length: processors * partitions }, (_, at) => {
    const processor = `pipeline-p${Math.floor(at / partitions)}`
    return { id: `${processor}-${at % partitions}`, processor }
  })
}

function able(ids: readonly string[], units: readonly Unit[]): Candidate[] {
  const all = new Set(units.map(({ id }) => id))
  return ids.map((id) => ({ id, units: all }))
}

function sizes(members: readonly Candidate[], assigned: ReadonlyMap<string, string>): number[] {
  const count = new Map(members.map(({ id }) => [id, 0]))
  for (const member of assigned.values()) count.set(member, (count.get(member) ?? 0) + 1)
  return [...count.values()]
}

function spread(numbers: readonly number[]): number {
  return Math.max(...numbers) - Math.min(...numbers)
}

/** Members, units, and somebody (or nobody, or a stranger) who holds each. */
const anything = fc
  .record({
    members: fc.integer({ min: 1, max: 9 }),
    processors: fc.integer({ min: 1, max: 5 }),
    partitions: fc.integer({ min: 1, max: 16 }),
  })
  .chain(({ members, processors, partitions }) => {
    const units = unitsOf(processors, partitions)
    const ids = Array.from({ length: members }, (_, at) => `host-${at}`)
    return fc.record({
      ids: fc.constant(ids),
      units: fc.constant(units),
      owners: fc
        .array(fc.option(fc.constantFrom(...ids, 'stranger'), { nil: undefined, freq: 4 }), {
          minLength: units.length,
          maxLength: units.length,
        })
        .map(
          (held) => new Map(units.flatMap(({ id }, at) => (held[at] === undefined ? [] : [[id, held[at]] as const]))),
        ),
      seed: fc.integer(),
    })
  })

/** The most units that can stay where they are when numbers may differ by one at most. */
function mostThatCanStay(ids: readonly string[], units: readonly Unit[], owners: ReadonlyMap<string, string>): number {
  const least = Math.floor(units.length / ids.length)
  const held = ids.map((id) => [...owners.values()].filter((owner) => owner === id).length)
  const above = held.filter((count) => count > least).length
  return held.reduce((sum, count) => sum + Math.min(count, least), 0) + Math.min(above, units.length % ids.length)
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed >>> 0
  const copy = [...items]
  for (let at = copy.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const other = state % (at + 1)
    ;[copy[at], copy[other]] = [copy[other] as T, copy[at] as T]
  }
  return copy
}

test('O4 every unit has a member, numbers differ by one at most, and no fewer could move', () => {
  fc.assert(
    fc.property(anything, ({ ids, units, owners }) => {
      const members = able(ids, units)
      const assigned = assignUnits(members, units, owners)
      assert.is(assigned.size, units.length)
      assert.ok(spread(sizes(members, assigned)) <= 1)
      const stay = units.filter(({ id }) => owners.get(id) === assigned.get(id)).length
      assert.is(stay, mostThatCanStay(ids, units, owners))
    }),
    { numRuns: 500 },
  )
})

test('O4 the order in which members, units and owners are given changes nothing', () => {
  fc.assert(
    fc.property(anything, ({ ids, units, owners, seed }) => {
      const members = able(ids, units)
      const other = assignUnits(shuffled(members, seed), shuffled(units, seed), new Map(shuffled([...owners], seed)))
      for (const [unit, member] of assignUnits(members, units, owners)) assert.is(other.get(unit), member)
    }),
    { numRuns: 300 },
  )
})

test('O4 what was assigned and taken stays assigned, however far the taking has come', () => {
  fc.assert(
    fc.property(anything, ({ ids, units, owners, seed }) => {
      const members = able(ids, units)
      let held = new Map(owners)
      // whoever has too much lets go, one unit after the other; each then goes where it is assigned
      for (let round = 0; round < 2 * units.length + 2; round++) {
        const assigned = assignUnits(members, units, held)
        const wrong = shuffled(units, seed + round).find(({ id }) => held.get(id) !== assigned.get(id))
        if (wrong === undefined) return
        const next = new Map(held)
        if (next.has(wrong.id) && ids.includes(next.get(wrong.id) ?? '')) next.delete(wrong.id)
        else next.set(wrong.id, assigned.get(wrong.id) as string)
        held = next
      }
      assert.unreachable('it never comes to rest')
    }),
    { numRuns: 200 },
  )
})

test('O4 a member that joins or leaves moves no more than its share', () => {
  const units = unitsOf(3, 16)
  for (let count = 1; count < 12; count++) {
    const ids = Array.from({ length: count }, (_, at) => `host-${at}`)
    const before = assignUnits(able(ids, units), units, new Map())
    const joined = assignUnits(able([...ids, 'late'], units), units, before)
    const moved = units.filter(({ id }) => before.get(id) !== joined.get(id))
    assert.ok(moved.every(({ id }) => joined.get(id) === 'late'))
    assert.ok(moved.length <= Math.ceil(units.length / (count + 1)))
    const left = assignUnits(able(ids, units), units, joined)
    for (const { id } of units) if (joined.get(id) !== 'late') assert.is(left.get(id), joined.get(id))
  }
})

test('the units of one processor are spread, so that a busy processor is not one member’s', () => {
  for (const count of [2, 3, 4, 8]) {
    const units = unitsOf(4, 16)
    const ids = Array.from({ length: count }, (_, at) => `host-${at}`)
    let assigned = assignUnits(able(['host-0'], units), units, new Map())
    for (let joined = 2; joined <= count; joined++)
      assigned = assignUnits(able(ids.slice(0, joined), units), units, assigned)
    for (let processor = 0; processor < 4; processor++) {
      const own = units.filter((unit) => unit.processor === `pipeline-p${processor}`)
      const per = sizes(able(ids, units), new Map(own.map(({ id }) => [id, assigned.get(id) as string])))
      assert.ok(spread(per) <= 3, `${count} members: ${per.join(' ')}`)
    }
  }
})

test('a unit goes only to a member that can run it; where nobody can, to nobody', () => {
  fc.assert(
    fc.property(
      anything,
      fc.array(fc.boolean(), { minLength: 720, maxLength: 720 }),
      ({ ids, units, owners }, mask) => {
        const members = ids.map((id, m) => ({
          id,
          units: new Set(units.filter((_, u) => mask[(m * 80 + u) % mask.length]).map((unit) => unit.id)),
        }))
        const assigned = assignUnits(members, units, owners)
        for (const { id } of units) {
          const who = members.filter((member) => member.units.has(id)).map((member) => member.id)
          if (who.length === 0) assert.not.ok(assigned.has(id))
          else assert.ok(who.includes(assigned.get(id) ?? ''))
        }
        const again = assignUnits(members, units, assigned)
        assert.equal(again, assigned, 'and it stays there')
      },
    ),
    { numRuns: 200 },
  )
})

test('members that run other versions share what both can run, and each keeps what only it can', () => {
  const units = unitsOf(2, 8)
  const all = new Set(units.map(({ id }) => id))
  const first = new Set(units.slice(0, 8).map(({ id }) => id))
  const members = [
    { id: 'old-1', units: first },
    { id: 'old-2', units: first },
    { id: 'new-1', units: all },
  ]
  const assigned = assignUnits(members, units, new Map())
  assert.ok(units.slice(8).every(({ id }) => assigned.get(id) === 'new-1'))
  const shared = new Map(units.slice(0, 8).map(({ id }) => [id, assigned.get(id) as string]))
  assert.ok(spread(sizes(members, shared)) <= 1)
})

test('without members nobody is assigned anything', () => {
  assert.is(assignUnits([], unitsOf(1, 4), new Map([['pipeline-p0-1', 'gone']])).size, 0)
})

test.run()
