import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KeyRates, MOST_KEYS } from '../../../src/delivery/limits/key-rates.ts'
import { SharedBulkhead } from '../../../src/delivery/limits/shared-bulkhead.ts'
import { LEASE_MS, SharedLimiter } from '../../../src/delivery/limits/shared-limiter.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { settled, VirtualClock } from '../../support/virtual-clock.ts'
import { MemoryCells } from './memory-cell.ts'

const test = suite('shared limits')
const event = (key: string): StoredEvent => ({ key }) as unknown as StoredEvent

/** Time passes while others answer: a millisecond at a time. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at++) {
    await clock.pass(1)
    for (let turn = 0; turn < 4; turn++) await settled()
  }
}

function limiters(many: number, rules: { limit: number; per: number; burst: number }) {
  const clock = new VirtualClock(1_000)
  const cells = new MemoryCells()
  const now = (): number => clock.now()
  return {
    clock,
    cells,
    all: Array.from({ length: many }, () => new SharedLimiter({ rules, cell: cells.cell(), clock, now })),
  }
}

test('DP3 three that take all they can get have the rate together, with few writes', async () => {
  const rules = { limit: 1_000, per: 1_000, burst: 200 }
  const { clock, cells, all } = limiters(3, rules)
  const times: number[] = []
  const counts = [0, 0, 0]
  const stop = new AbortController()
  const greedy = async (limiter: SharedLimiter, place: number): Promise<void> => {
    while (!stop.signal.aborted) {
      await limiter.take(1, stop.signal)
      times.push(clock.now())
      counts[place] = (counts[place] ?? 0) + 1
    }
  }
  const ends = Promise.allSettled(all.flatMap((limiter, place) => [greedy(limiter, place), greedy(limiter, place)]))
  await pass(clock, 2_000)
  stop.abort(new Error('enough'))
  await pass(clock, 500)
  await ends
  for (let first = 0; first < times.length; first += 97)
    for (let last = first; last < times.length; last += 89) {
      const time = (times[last] ?? 0) - (times[first] ?? 0)
      assert.ok(
        last - first <= rules.burst + ((time + 2 * LEASE_MS) * rules.limit) / rules.per,
        `${last - first} in ${time} ms`,
      )
    }
  assert.ok(times.length >= 1_800, `${times.length} in 2 s`)
  assert.ok(Math.min(...counts) > 200, counts.join(' '))
  assert.ok(cells.stored < 200, `${cells.stored} writes for ${times.length}`)
})

test('what costs more than one each is leased in parts that are large enough, too', async () => {
  const { clock, cells, all } = limiters(3, { limit: 1_000, per: 1_000, burst: 200 })
  let tokens = 0
  const stop = new AbortController()
  const greedy = async (limiter: SharedLimiter): Promise<void> => {
    for (let cost = 5; !stop.signal.aborted; cost = 5 + ((cost + 3) % 7)) {
      await limiter.take(cost, stop.signal)
      tokens += cost
    }
  }
  const ends = Promise.allSettled(all.map(greedy))
  await pass(clock, 2_000)
  stop.abort(new Error('enough'))
  await pass(clock, 500)
  await ends
  assert.ok(tokens >= 1_500, `${tokens} in 2 s`)
  assert.ok(cells.stored < 120, `${cells.stored} writes for ${tokens}`)
})

test('what an idle process has leased is given back, and what is given back is there for others', async () => {
  const { clock, all } = limiters(2, { limit: 10, per: 1_000, burst: 10 })
  const [one, other] = all as [SharedLimiter, SharedLimiter]
  const first = one.take(4)
  await pass(clock, 10)
  await first
  await one.stop()
  const second = other.take(6)
  await pass(clock, 20)
  assert.ok((await second) <= 20)
})

test('what is frozen by one is frozen for all at once, those that have a lease among them', async () => {
  const { clock, all } = limiters(2, { limit: 1_000, per: 1_000, burst: 200 })
  const [one, other] = all as [SharedLimiter, SharedLimiter]
  void one.ready(50)
  await pass(clock, 5)
  assert.ok(one.has())
  await other.freeze(clock.now() + 3_000)
  assert.not(one.has())
  const taking = one.take()
  await pass(clock, 2_900)
  assert.not(one.has())
  await pass(clock, 200)
  assert.ok((await taking) >= 2_900)
})

test('DP4 three bulkheads have as many runs together as there are permits, and each has some', async () => {
  const clock = new VirtualClock(1_000)
  const cells = new MemoryCells()
  const all = ['a', 'b', 'c'].map(
    (owner) => new SharedBulkhead({ limit: 5, cell: cells.cell(), clock, now: () => clock.now(), owner }),
  )
  let [running, most] = [0, 0]
  const counts = new Map<SharedBulkhead, number>()
  const stop = new AbortController()
  const runner = async (bulkhead: SharedBulkhead): Promise<void> => {
    while (!stop.signal.aborted) {
      const wait = bulkhead.wait()
      if (wait !== undefined) {
        await wait
        continue
      }
      bulkhead.entered()
      most = Math.max(most, (running += 1))
      await clock.sleep(10)
      running -= 1
      bulkhead.left()
      counts.set(bulkhead, (counts.get(bulkhead) ?? 0) + 1)
    }
  }
  const ends = all.flatMap((bulkhead) => Array.from({ length: 4 }, () => runner(bulkhead)))
  await pass(clock, 2_000)
  stop.abort()
  for (const bulkhead of all) await bulkhead.stop()
  await pass(clock, 100)
  await Promise.all(ends)
  assert.is(most, 5)
  const sum = [...counts.values()].reduce((a, b) => a + b, 0)
  assert.ok(sum > 800, `${sum} runs of 1,000`)
  assert.ok(Math.min(...counts.values()) > 80, [...counts.values()].join(' '))
})

test('keys have rates of their own, and as many are known as are allowed', async () => {
  const clock = new VirtualClock(1_000)
  const cells = new Map<string, MemoryCells>()
  const rates = new KeyRates({
    handler: 'h',
    rules: { limit: 2, per: 1_000, burst: 2 },
    keyOf: ({ key }) => key ?? '',
    cellOf: (name) => {
      let found = cells.get(name)
      if (found === undefined) cells.set(name, (found = new MemoryCells()))
      return found.cell()
    },
    clock,
    now: () => clock.now(),
    log: silentLog,
  })
  const through = async (key: string): Promise<void> => {
    for (let wait = rates.wait(event(key)); wait !== undefined; wait = rates.wait(event(key))) await wait
    rates.pass(event(key))
  }
  const began = clock.now()
  const ended = new Map<string, number>()
  const all = ['a', 'b'].map(async (key) => {
    for (let n = 0; n < 6; n++) await through(key)
    ended.set(key, clock.now() - began)
  })
  await pass(clock, 10_000)
  await Promise.all(all)
  for (const time of ended.values()) assert.ok(time >= 1_800 && time <= 3_500, String(time))
  for (let n = 0; n < MOST_KEYS + 50; n++) void rates.wait(event(`k${n}`))
  assert.is(rates.size, MOST_KEYS)
  rates.stop()
  await settled()
})

test('DP3 who waits behind some that have gone has his turn, on a quiet stream too', async () => {
  for (const gone of [1, 2, 3, 5]) {
    const { clock, all } = limiters(1, { limit: 10, per: 1_000, burst: 1 })
    const limiter = all[0] as SharedLimiter
    const first = limiter.take(1)
    await pass(clock, 10)
    await first
    const left = new AbortController()
    const went = Array.from({ length: gone }, () => limiter.take(1, left.signal).catch(() => 0))
    let taken = 0
    for (let nth = 0; nth < 5; nth++) void limiter.take(1).then(() => (taken += 1))
    await pass(clock, 1)
    left.abort(new Error('gone'))
    await Promise.all(went)
    await pass(clock, 3_000)
    assert.is(taken, 5, `behind ${gone}`)
    await limiter.stop()
  }
})

test.run()
