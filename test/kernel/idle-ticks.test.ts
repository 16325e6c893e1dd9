import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IdleTicks } from '../../src/kernel/idle-ticks.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const test = suite('time that passes while nothing comes')

const MARGIN = 25

/** Something whose timers are due at these times; each tick fires those up to its time. */
function waiting(due: number[], now = 0) {
  const clock = new VirtualClock(now)
  const taken: (readonly [tick: number, at: number])[] = []
  const target = {
    quiet: true,
    idle: (): boolean => target.quiet,
    ahead: 0,
    now: (): number => clock.now() + target.ahead,
    due: (): number => due[0] ?? Number.POSITIVE_INFINITY,
    tick: (time: number): void => {
      taken.push([time, clock.now()])
      while ((due[0] ?? Infinity) <= time) due.shift()
    },
  }
  return { clock, taken, target, ticks: new IdleTicks(clock, target) }
}

test('a tick is taken at the time that is due, when that is past by a margin for messages on their way', async () => {
  const { clock, taken, ticks } = waiting([1_000, 1_010, 5_000])
  ticks.arm()
  await clock.pass(1_000 + MARGIN - 1)
  assert.equal(taken, [])
  await clock.pass(100)
  assert.equal(taken, [
    [1_000, 1_000 + MARGIN],
    [1_010, 1_010 + MARGIN],
  ])
  await clock.pass(10_000)
  assert.equal(taken.at(-1), [5_000, 5_000 + MARGIN])
  assert.is(clock.armed, 0)
})

test('what is long past is taken at once, each at its own time', async () => {
  const { clock, taken, ticks } = waiting([10, 20, 20, 30], 1_000_000)
  ticks.arm()
  await clock.pass(0)
  assert.equal(
    taken.map(([tick]) => tick),
    [10, 20, 30],
  )
})

test('nothing is taken while a message waits or a step is open, and it is as soon as none is', async () => {
  const { clock, taken, target, ticks } = waiting([100])
  ticks.arm()
  target.quiet = false
  await clock.pass(500)
  assert.equal(taken, [])
  ticks.arm()
  await clock.pass(500)
  assert.is(clock.armed, 0, 'it does not even look')
  target.quiet = true
  ticks.arm()
  await clock.pass(0)
  assert.equal(taken, [[100, 1_000]])
})

test('when a tick keeps the target from being idle, the others wait', async () => {
  const { clock, taken, target, ticks } = waiting([10, 20, 30], 1_000)
  const { tick } = target
  target.tick = (time) => {
    tick(time)
    target.quiet = time !== 20
  }
  ticks.arm()
  await clock.pass(1_000)
  assert.is(taken.length, 2)
  target.quiet = true
  ticks.arm()
  await clock.pass(0)
  assert.is(taken.length, 3)
})

test('something due sooner comes first, something put off comes later', async () => {
  const due = [1_000]
  const { clock, taken, ticks } = waiting(due)
  ticks.arm()
  due.unshift(500)
  ticks.arm()
  await clock.pass(600)
  assert.equal(taken, [[500, 500 + MARGIN]])
  due[0] = 2_000
  ticks.arm()
  await clock.pass(1_000)
  assert.is(taken.length, 1)
  await clock.pass(1_000)
  assert.equal(taken.at(-1), [2_000, 2_000 + MARGIN])
})

test('time is what the server says, and when that turns out to be another one, timers follow', async () => {
  const { clock, taken, target, ticks } = waiting([10_000])
  target.ahead = 6_000
  ticks.arm()
  await clock.pass(1_000)
  target.ahead = 2_000
  ticks.moved()
  await clock.pass(4_000 + MARGIN)
  assert.equal(taken, [], 'not when it had been due by what was known before')
  target.ahead = 4_000
  ticks.moved()
  await clock.pass(999)
  assert.equal(taken, [[10_000, 6_000 + MARGIN]].slice(0, taken.length))
  await clock.pass(1_000)
  assert.equal(taken, [[10_000, 6_000 + MARGIN]])
})

test('a timer that is due in a year waits for a year', async () => {
  const year = 365 * 24 * 3_600_000
  const { clock, taken, ticks } = waiting([year])
  ticks.arm()
  await clock.pass(year)
  assert.equal(taken, [])
  await clock.pass(MARGIN)
  assert.equal(taken, [[year, year + MARGIN]])
})

test('ten thousand of them do not hold up everything else', async () => {
  const { clock, taken, ticks } = waiting(
    Array.from({ length: 10_000 }, (_, at) => at),
    1_000_000,
  )
  let others = 0
  const other = (): void => {
    if (taken.length > 0) others += 1
    if (taken.length < 10_000) setImmediate(other)
  }
  ticks.arm()
  other()
  await clock.pass(0)
  assert.is(taken.length, 10_000)
  assert.ok(others >= 5, `${others} others had their turn`)
})

test('after a stop nothing is taken, not even in the middle', async () => {
  const { clock, taken, target, ticks } = waiting([10, 20, 30], 1_000)
  const { tick } = target
  target.tick = (time) => {
    tick(time)
    if (time === 20) ticks.stop()
  }
  ticks.arm()
  await clock.pass(1_000)
  ticks.arm()
  await clock.pass(1_000)
  assert.is(taken.length, 2)
  assert.is(clock.armed, 0)
})

test.run()
