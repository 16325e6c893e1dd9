import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Places } from '../../src/delivery/ordered/places.ts'
import { Solo } from '../../src/delivery/solo.ts'
import { silentLog } from '../../src/observe/log.ts'
import { settled, VirtualClock } from '../support/virtual-clock.ts'

const test = suite('one at a time')

test('a suspect whose place another one takes waits for no longer than 5 s in all', async () => {
  const clock = new VirtualClock(1_000)
  const solo = new Solo()
  const { signal } = new AbortController()
  const [first, second, third] = [{}, {}, {}]
  await solo.take(first, clock, signal)
  const begun: string[] = []
  void solo.take(second, clock, signal).then(() => begun.push('second'))
  void solo.take(third, clock, signal).then(() => begun.push('third'))
  await clock.pass(4_000)
  solo.give(first)
  await settled()
  assert.equal(begun, ['second'])
  await clock.pass(1_001)
  assert.equal(begun, ['second', 'third'])
})

test('runs that were left behind are told of while they have all the places, whichever ends first', () => {
  const told: (string | undefined)[] = []
  const places = new Places('h', 2, (stall) => told.push(stall?.code))
  const [first, second] = [places.abandon(silentLog), places.abandon(silentLog)]
  assert.equal(told, ['HANDLER_STUCK'])
  first()
  assert.equal(told, ['HANDLER_STUCK', undefined])
  second()
  assert.equal(told, ['HANDLER_STUCK', undefined])
})

test.run()
