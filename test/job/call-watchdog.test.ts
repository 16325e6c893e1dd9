import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CallWatchdog } from '../../src/job/call-watchdog.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const test = suite('the watchdog of a call')

function watched(idle: number, most: number) {
  const clock = new VirtualClock(5_000)
  const ends: string[] = []
  const watchdog = new CallWatchdog(clock, { idle, most }, (reason) =>
    ends.push(`${reason} ${clock.monotonic() - 5_000}`),
  )
  return { clock, ends, watchdog }
}

test('silence ends a call once, a moment after its time', async () => {
  const { clock, ends } = watched(100, 10_000)
  await clock.pass(50_000)
  assert.equal(ends, ['idle 350'])
})

test('signs of life keep it up to its longest time, and no longer', async () => {
  const { clock, ends, watchdog } = watched(100, 1_000)
  for (let i = 0; i < 30; i++) {
    watchdog.alive()
    await clock.pass(50)
  }
  assert.equal(ends, ['timeout 1000'])
})

test('a sign that had come while the process was busy counts', async () => {
  const { clock, ends, watchdog } = watched(100, 1_000)
  // the timer is due; what has arrived is read right after it
  clock.after(100, watchdog.alive)
  await clock.pass(150)
  assert.equal(ends, [])
  watchdog.stop()
  await clock.pass(5_000)
  assert.equal([ends, clock.armed], [[], 0])
})

test('time in which the process stood still does not count, also where it ended before the call might have', async () => {
  const { clock, ends, watchdog } = watched(20_000, 80_000)
  await clock.pass(900)
  clock.stand(60_000)
  await clock.pass(19_000)
  clock.stand(15_000)
  await clock.pass(19_000)
  assert.equal(ends, [], 'it woke up less than 20 s ago')
  await clock.pass(2_000)
  assert.is(ends.length, 1)
  assert.match(ends[0] ?? '', /^idle /)
  watchdog.stop()
  const busy = watched(10_000, 50_000)
  for (let i = 0; i < 60; i++) {
    if (i % 10 === 5) busy.clock.stand(8_000)
    busy.watchdog.alive()
    await busy.clock.pass(1_000)
    if (i === 38) assert.equal(busy.ends, [])
  }
  assert.is(busy.ends.length, 1)
  assert.match(busy.ends[0] ?? '', /^timeout /)
})

test.run()
