// Whose turn it is, and how many at a time: pure.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  afterCongestion,
  afterSuccess,
  DEFAULT_CONCURRENCY,
  placesOf,
  startingLimit,
} from '../../src/job/concurrency-limit.ts'
import { LaneSchedule } from '../../src/job/lane-schedule.ts'

const test = suite('lanes and concurrency')
const runs = { numRuns: 60 }
const MOST = 20_000
const SHARES = [
  { name: 'urgent', weight: 8, reserved: 0 },
  { name: 'standard', weight: 3 },
  { name: 'batch', weight: 1 },
] as const

test('LS1 LS2 lanes that all wait share tokens by their weights, whatever their jobs take', () => {
  const costs = fc.array(fc.integer({ min: 1, max: MOST }), { minLength: 5, maxLength: 20 })
  fc.assert(
    fc.property(fc.tuple(costs, costs, costs), (all) => {
      const lanes = new LaneSchedule<number>(SHARES)
      const given = new Map<string, number>()
      const at = [0, 0, 0]
      const refill = (lane: number): void => {
        const list = all[lane] ?? []
        const cost = list[(at[lane] as number) % list.length] ?? 1
        at[lane] = (at[lane] as number) + 1
        lanes.add(SHARES[lane]?.name ?? '', { tenant: 't', item: 0, cost })
      }
      for (const lane of [0, 1, 2, 0, 1, 2]) refill(lane)
      for (let turn = 0; turn < 400; turn++) {
        const taken = lanes.next(10)
        if (taken === undefined) throw new Error('nothing was taken though all wait')
        lanes.ended(taken.lane)
        given.set(taken.lane, (given.get(taken.lane) ?? 0) + taken.cost)
        refill(SHARES.findIndex(({ name }) => name === taken.lane))
        for (const a of SHARES)
          for (const b of SHARES) {
            const apart = (given.get(a.name) ?? 0) / a.weight - (given.get(b.name) ?? 0) / b.weight
            assert.ok(apart <= 1_000 + MOST / a.weight + MOST / b.weight, `${a.name} is ${apart} ahead of ${b.name}`)
          }
      }
    }),
    { numRuns: 20 },
  )
})

test('LS3 places that are kept for a lane stay free for it, and with fewer places than are kept nobody starves', () => {
  const lanes = new LaneSchedule<number>([
    { name: 'urgent', weight: 8, reserved: 2 },
    { name: 'batch', weight: 1 },
  ])
  for (let item = 0; item < 20; item++) lanes.add('batch', { tenant: 't', item, cost: 50_000 })
  const begun = Array.from({ length: 5 }, () => lanes.next(5)?.lane)
  assert.equal(begun, ['batch', 'batch', 'batch', undefined, undefined])
  for (let item = 0; item < 3; item++) lanes.add('urgent', { tenant: 't', item, cost: 50_000 })
  assert.equal([lanes.next(5)?.lane, lanes.next(5)?.lane, lanes.next(5)?.lane], ['urgent', 'urgent', undefined])
  lanes.ended('batch')
  assert.is(lanes.next(5)?.lane, 'urgent')
  for (const lane of ['urgent', 'urgent', 'urgent', 'batch', 'batch']) lanes.ended(lane)
  assert.is(lanes.next(1)?.lane, 'batch')
  assert.is(lanes.next(1), undefined)
  assert.is(lanes.waiting('batch'), 16)
})

test('LS4 tenants of a lane take turns, in whatever numbers they come; the jobs of each stay in order', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 40 }), (tenants) => {
      const lanes = new LaneSchedule<number>([{ name: 'standard', weight: 1 }])
      for (const [item, tenant] of tenants.entries()) lanes.add('standard', { tenant, item, cost: 1 + (item % 7) })
      const taken = tenants.map(() => lanes.next(100))
      assert.is(lanes.size, 0)
      for (const tenant of ['a', 'b', 'c']) {
        const items = taken.filter((one) => one?.tenant === tenant).map((one) => one?.item ?? -1)
        assert.equal(
          items,
          items.toSorted((x, y) => x - y),
        )
      }
      for (const [at, one] of taken.entries()) {
        const before = taken.slice(0, at).findLastIndex((other) => other?.tenant === one?.tenant)
        const between = new Set(taken.slice(before + 1, at).map((other) => other?.tenant))
        const waiting = new Set(taken.slice(at + 1).map((other) => other?.tenant))
        if (before >= 0)
          for (const other of waiting)
            assert.ok(other === one?.tenant || between.has(other), `${other} was passed over`)
      }
    }),
    runs,
  )
})

test('a lane that had nothing has saved up nothing', () => {
  const lanes = new LaneSchedule<number>([
    { name: 'urgent', weight: 1 },
    { name: 'batch', weight: 1 },
  ])
  const add = (lane: string) => lanes.add(lane, { tenant: 't', item: 0, cost: 1_000 })
  for (let turn = 0; turn < 50; turn++) {
    add('batch')
    assert.is(lanes.next(9)?.lane, 'batch')
    lanes.ended('batch')
  }
  for (let turn = 0; turn < 10; turn++) for (const lane of ['urgent', 'batch']) add(lane)
  const order = Array.from({ length: 10 }, () => lanes.next(99)?.lane)
  assert.is(order.filter((lane) => lane === 'urgent').length, 5)
})

test('concurrency grows only while it is what holds calls back, at most doubling in a minute', () => {
  let state = startingLimit(480_000, 1_000, 0)
  assert.is(placesOf(state), 8)
  assert.is(placesOf(startingLimit(60_000, 4_000, 0)), 1)
  for (let i = 0; i < 1_000; i++) state = afterSuccess(state, DEFAULT_CONCURRENCY, { full: false, now: 1_000 })
  assert.is(placesOf(state), 8)
  for (let i = 0; i < 10_000; i++) state = afterSuccess(state, DEFAULT_CONCURRENCY, { full: true, now: 1_000 })
  assert.is(placesOf(state), 16)
  for (let i = 0; i < 10_000; i++) state = afterSuccess(state, DEFAULT_CONCURRENCY, { full: true, now: 61_000 })
  assert.is(placesOf(state), 32)
})

test('calls that failed together cut once, and the limit never leaves its bounds', () => {
  const start = { ...startingLimit(480_000, 1_000, 0), limit: 10 }
  const once = afterCongestion(start, DEFAULT_CONCURRENCY, { begunAt: 0, now: 500 })
  assert.is(placesOf(once), 7)
  assert.is(afterCongestion(once, DEFAULT_CONCURRENCY, { begunAt: 400, now: 600 }), once)
  assert.is(placesOf(afterCongestion(once, DEFAULT_CONCURRENCY, { begunAt: 550, now: 600 })), 4)
  const rules = { least: 2, most: 20, cut: 0.7 }
  const event = fc.record({ good: fc.boolean(), full: fc.boolean(), wait: fc.integer({ min: 0, max: 90_000 }) })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      let [state, now] = [startingLimit(240_000, 1_000, 0), 0]
      for (const { good, full, wait } of events) {
        now += wait
        const next = good
          ? afterSuccess(state, rules, { full, now })
          : afterCongestion(state, rules, { begunAt: now, now })
        assert.ok(next.limit >= 2 && next.limit <= 20)
        assert.ok(good ? next.limit >= state.limit : next.limit <= state.limit)
        state = next
      }
    }),
    runs,
  )
})

test.run()
