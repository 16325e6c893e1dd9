// The breaker of a process, by a clock that is not the one that all go by.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SharedBreaker } from '../../../src/delivery/limits/shared-breaker.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { settled, VirtualClock } from '../../support/virtual-clock.ts'
import { MemoryCells } from './memory-cell.ts'

const test = suite('breaker of a process')
const HOUR = 3_600_000
const RULES = { failures: 0.5, of: 4, within: 1_000, open: 100, most: 500, probes: 1 }

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  await clock.pass(ms)
  for (let turn = 0; turn < 4; turn++) await settled()
}

/** One that is open until ten seconds from now, in a process that takes the time to be another one at first. */
async function opened(off: number) {
  const clock = new VirtualClock(10 * HOUR)
  const cell = new MemoryCells().cell()
  await cell.update(() => ({ kind: 'open', until: clock.now() + 10_000, trips: 1, cause: 'x' }))
  const time = { off }
  const now = (): number => clock.now() + time.off
  const breaker = new SharedBreaker({ dependency: 'd', rules: RULES, cell, clock, now, owner: 'p', log: silentLog })
  return { breaker, clock, time }
}

test('DP1 one that was thought to be open for an hour is tried a minute after the time is known, at the latest', async () => {
  const { breaker, clock, time } = await opened(-HOUR)
  await pass(clock, 10_000)
  time.off = 0
  await pass(clock, 50_500) // who has the probe and no event for it lets others have it after a while
  assert.is(breaker.state.kind, 'half-open')
  assert.ok(breaker.admits)
  await breaker.stop()
})

test('DP1 one whose time is set back while it waits is not tried before it is over, and then at once', async () => {
  const { breaker, clock, time } = await opened(0)
  await pass(clock, 5_000)
  time.off = -30_000
  await pass(clock, 34_999)
  assert.is(breaker.state.kind, 'open')
  await pass(clock, 2)
  assert.is(breaker.state.kind, 'half-open')
  await breaker.stop()
})

test.run()
