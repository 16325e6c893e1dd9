// What a worker is at, when the server has given it to somebody else.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredMessage } from '../../../src/broker/stored-message.ts'
import { InFlight } from '../../../src/delivery/held.ts'
import { LAST_READ_MS, RunningJobs } from '../../../src/job/worker/running-jobs.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const test = suite('running jobs')

const ACK_WAIT = 1_000
const message = { sequence: 7, reply: 'reply' } as StoredMessage

async function frozen() {
  const clock = new VirtualClock()
  const inFlight = new InFlight(clock, ACK_WAIT)
  const held = inFlight.take(0, message, 1)
  assert.ok(held)
  const jobs = new RunningJobs()
  const { call } = jobs.begin(held)
  await clock.pass(ACK_WAIT)
  jobs.lose(clock, (one) => inFlight.lapsed(one))
  return { clock, inFlight, jobs, signal: call.signal }
}

test('JW6 the call of a job that was lost reads for a moment, and is ended', async () => {
  const { clock, signal } = await frozen()
  await clock.pass(LAST_READ_MS - 1)
  assert.not(signal.aborted)
  await clock.pass(1)
  assert.ok(signal.aborted)
})

test('JW6 the call of a job that was lost and has come back to the same process goes on, until it is lost again', async () => {
  const { clock, inFlight, jobs, signal } = await frozen()
  assert.is(inFlight.take(0, message, 2), undefined)
  await clock.pass(LAST_READ_MS)
  assert.not(signal.aborted, 'it is ours')
  await clock.pass(ACK_WAIT)
  jobs.lose(clock, (one) => inFlight.lapsed(one))
  await clock.pass(LAST_READ_MS)
  assert.ok(signal.aborted, 'it is not')
})

test.run()
