import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CallWatchdog } from '../../src/job/call-watchdog.ts'
import type { Clock } from '../../src/time/clock.ts'
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

test('time in which the process stood still does not count', async () => {
  const passing = new VirtualClock(5_000)
  let stood = 0
  const clock: Clock = {
    now: () => passing.now() + stood,
    monotonic: () => passing.monotonic() + stood,
    sleep: (ms, signal) => passing.sleep(ms, signal),
    after: (ms, fn) => passing.after(ms, fn),
    every: (ms, fn) => passing.every(ms, fn),
  }
  const ends: string[] = []
  const watchdog = new CallWatchdog(clock, { idle: 1_000, most: 4_000 }, (reason) => ends.push(reason))
  await passing.pass(900)
  stood += 60_000
  await passing.pass(1_000)
  assert.equal(ends, [], 'it woke up 900 ms ago')
  await passing.pass(400)
  assert.equal(ends, ['idle'])
  watchdog.stop()
  const all: string[] = []
  const busy = new CallWatchdog(clock, { idle: 1_000, most: 4_000 }, (reason) => all.push(reason))
  for (let i = 0; i < 60; i++) {
    if (i === 10) stood += 60_000
    busy.alive()
    await passing.pass(100)
    if (i === 38) assert.equal(all, [])
  }
  assert.equal(all, ['timeout'])
})

test.run()
