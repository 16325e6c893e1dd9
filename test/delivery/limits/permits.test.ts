import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { settle, shares, type Permits } from '../../../src/delivery/limits/permits.ts'

const test = suite('permits')
const LEASE = 1_000

const step = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  after: fc.integer({ min: 0, max: 600 }),
  wants: fc.integer({ min: 0, max: 12 }),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('DP4 whoever wants what, those who are alive have no more than there are, and nobody less than what runs', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
      let [permits, now]: [Permits, number] = [{ holders: {} }, 10_000]
      for (const { id, after, wants, share } of steps) {
        now += after
        const mine = permits.holders[id]
        const has = mine !== undefined && now < mine.until ? mine.has : 0
        const running = Math.floor(share * has)
        permits = settle(permits, limit, { id, running, wants: running + wants, now, leaseMs: LEASE }) ?? permits
        const alive = Object.entries(permits.holders).filter(([, { until }]) => now < until)
        assert.ok(alive.reduce((sum, [, one]) => sum + one.has, 0) <= limit)
        assert.ok((permits.holders[id]?.has ?? 0) >= running)
      }
    }),
  )
})

test('shares are equal, never more than is wanted, and all are given when all are wanted', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 20_000 }),
      (limit, wants, now) => {
        const given = shares(
          limit,
          wants.map((want, at) => [`w${at}`, want] as const),
          now,
        )
        const all = wants.map((want, at) => ({ want, got: given.get(`w${at}`) ?? 0 }))
        assert.is(
          all.reduce((sum, { got }) => sum + got, 0),
          Math.min(
            limit,
            wants.reduce((sum, want) => sum + want, 0),
          ),
        )
        const most = Math.max(...all.map(({ got }) => got))
        for (const { want, got } of all) assert.ok(got === want || (got < want && got >= most - 1), JSON.stringify(all))
      },
    ),
  )
})

test('11 with one permit for three processes, each has its turn', () => {
  let permits: Permits = { holders: {} }
  const had = new Set<string>()
  for (let now = 0; now < 12_000; now += 100)
    for (const id of ['a', 'b', 'c']) {
      permits = settle(permits, 1, { id, running: 0, wants: 1, now, leaseMs: LEASE }) ?? permits
      if ((permits.holders[id]?.has ?? 0) > 0) had.add(id)
    }
  assert.is(had.size, 3)
})

test('14 permits of who is silent come back', () => {
  const ask = (permits: Permits, id: string, now: number): Permits =>
    settle(permits, 4, { id, running: 0, wants: 4, now, leaseMs: LEASE }) ?? permits
  const first = ask({ holders: {} }, 'dead', 0)
  assert.is(ask(first, 'b', 500).holders['b']?.has, 0)
  const later = ask(ask(first, 'b', 500), 'b', 1_001)
  assert.is(later.holders['b']?.has, 4)
  assert.is(later.holders['dead'], undefined)
})

test.run()
