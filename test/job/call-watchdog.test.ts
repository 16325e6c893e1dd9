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
  assert.equal(ends, ['idle 101'])
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

test.run()
