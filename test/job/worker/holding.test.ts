// What a worker has in hand: no more than it may, for as long as it lives, and free for others when it stops or is frozen.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AdmissionVerdict, AskedCall } from '../../../src/job/admission.ts'
import { LocalAdmission } from '../local-admission.ts'
import type { Clock } from '../../../src/time/clock.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer, type ModelServerOptions } from '../../../src/testing/model-server/model-server.ts'
import { atEnd } from '../../support/cleanup.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { LAST_READ_MS } from '../../../src/job/worker/running-jobs.ts'
import { admissionOf } from '../limits/admissions.ts'
import { jobContext, work } from './working-jobs.ts'

const test = suite('what a worker of jobs has in hand')

async function model(options: ModelServerOptions = {}) {
  const server = await startModelServer(options)
  atEnd(() => server.stop())
  return server
}

const good = (details = {}) => modelAnswers.json({ verdict: 'fine' }, details)
const slow = (ms: number) => good({ delay: ms })

test('JW5 as many are begun as there are places', async () => {
  const context = await jobContext(await sharedConnection())
  const server = await model({ answers: () => slow(150) })
  // one of three is kept for what is urgent
  const rules = { least: 3, most: 3, cut: 0.5 }
  const admission = new LocalAdmission({ clock: systemClock, now: () => Date.now(), rules })
  const ids = Array.from({ length: 8 }, (_, n) => `j${n}`)
  for (const id of ids) await context.request(id)
  const worker = await work(context, server.url, { admission })
  let most = 0
  const stop = systemClock.every(5, () => (most = Math.max(most, worker.status.running)))
  await Promise.all(ids.map((id) => context.over(id)))
  stop()
  assert.is(most, 2)
  assert.is(server.totals().calls, 8)
})

test('JW6 a call that takes much longer than the server waits is not begun by another one', async () => {
  const context = await jobContext(await sharedConnection())
  const server = await model({ answers: () => slow(10_000) })
  // and longer than a busy machine stands still
  const [one, other] = [
    await work(context, server.url, { ackWait: 4_500 }),
    await work(context, server.url, { ackWait: 4_500 }),
  ]
  await context.request('a')
  const state = await context.over('a')
  assert.equal([state.kind, state.account.begun], ['decided', 1])
  assert.is(one.status.held + other.status.held <= 1, true)
})

/** A clock whose regular work stands still for a while, as that of a process that is frozen. */
class Freezing implements Clock {
  frozen = false
  now = (): number => systemClock.now()
  monotonic = (): number => systemClock.monotonic()
  sleep = (ms: number, signal?: AbortSignal): Promise<void> => systemClock.sleep(ms, signal)
  after = (ms: number, fn: () => void): (() => void) => systemClock.after(ms, fn)
  every = (ms: number, fn: () => void): (() => void) => systemClock.every(ms, () => (this.frozen ? undefined : fn()))
}

test('JW6 JB2 the job of one that was frozen is done by another; its own call is ended, and decides nothing', async () => {
  const context = await jobContext(await sharedConnection())
  let asked = 0
  const server = await model({ answers: () => ((asked += 1) === 1 ? slow(60_000) : good()) })
  const clock = new Freezing()
  const frozen = await work(context, server.url, { clock, ackWait: 4_000, owner: 'frozen' })
  await context.request('a')
  await eventually('it is asked', () => asked === 1 || undefined)
  clock.frozen = true
  await work(context, server.url, { ackWait: 4_000, owner: 'other' })
  const state = await context.over('a')
  assert.equal([state.kind, state.account.begun], ['decided', 2])
  clock.frozen = false
  await eventually('the call of the first is ended', () => (server.totals().ended.aborted ?? 0) === 1 || undefined)
  await eventually('it has nothing in hand', () => frozen.status.held === 0 || undefined)
  assert.is((await context.ports.log.read('a')).state.kind, 'decided')
})

/** And whose next look at what a lost call still reads comes when it is told. */
class Waking extends Freezing {
  readonly #onLost: () => Promise<void>
  constructor(onLost: () => Promise<void>) {
    super()
    this.#onLost = onLost
  }
  override after = (ms: number, fn: () => void): (() => void) => {
    if (ms === LAST_READ_MS) void this.#onLost().then(fn, fn)
    return ms === LAST_READ_MS ? () => undefined : systemClock.after(ms, fn)
  }
}

test('JW6 JB3 an answer that had come when a frozen process woke up is billed, though its job was lost', async () => {
  const context = await jobContext(await sharedConnection())
  let asked = 0
  let comes = (): void => undefined
  const coming = new Promise<void>((resolve) => (comes = resolve))
  const server = await model({
    answers: async () => {
      if ((asked += 1) === 1) await coming
      return good()
    },
  })
  const { log } = context.ports
  const bills = async (): Promise<readonly number[]> => (await context.over('a')).account.billed
  const clock = new Waking(async () => {
    comes()
    await eventually('both are billed', async () => (await bills()).length === 2 || undefined)
  })
  await work(context, server.url, { clock, ackWait: 8_000, owner: 'frozen' })
  await context.request('a')
  await eventually('it is asked', () => asked === 1 || undefined)
  clock.frozen = true
  await work(context, server.url, { ackWait: 8_000, owner: 'other' })
  assert.is((await context.over('a')).account.begun, 2)
  clock.frozen = false
  await eventually('both are billed', async () => (await bills()).length === 2 || undefined)
  assert.equal((await log.read('a')).state.kind, 'decided')
})

/** The first call waits for ever, and is slow to see that it is to end. */
class Waits extends LocalAdmission {
  waited = 0
  readonly #onEnd: () => Promise<void>
  constructor(onEnd: () => Promise<void>) {
    super({ clock: systemClock, now: () => Date.now() })
    this.#onEnd = onEnd
  }
  override admit(call: AskedCall, signal?: AbortSignal): Promise<AdmissionVerdict> {
    if ((this.waited += 1) > 1) return super.admit(call)
    return new Promise((_, reject) => {
      const end = (): void => reject(signal?.reason as Error)
      signal?.addEventListener('abort', () => void this.#onEnd().then(end, end))
    })
  }
}

test('JW6 a job that was lost while it waited, and comes back to the same process as it is ended, goes on at once', async () => {
  const context = await jobContext(await sharedConnection())
  const server = await model({ answers: () => good() })
  const { consumers } = context.connection.manager
  const own = [context.job.queue.name, 'jobs-standard'] as const
  const waiting = (ms: number) => consumers.update(...own, { ack_wait: ms * 1e6 })
  const ackWait = 120_000
  const admission = new Waits(async () => {
    await eventually('the server gives it to him again', async () => {
      await waiting(100)
      return (await consumers.info(...own)).delivered.consumer_seq > 1
    })
    await waiting(ackWait) // and to nobody within the time of this test, if it is not handed back
  })
  const clock = new Freezing()
  clock.every = (ms, fn) => systemClock.every(ms === ackWait / 3 ? 200 : ms, fn)
  await work(context, server.url, { clock, ackWait, admission })
  await context.request('a')
  await eventually('it waits', () => admission.waited === 1 || undefined)
  clock.monotonic = () => systemClock.monotonic() + ackWait
  assert.is((await context.over('a')).kind, 'decided')
})

test('JW7 a stop hands back what has not begun and ends calls; none of it is an attempt', async () => {
  const context = await jobContext(await sharedConnection())
  let quick = false
  const server = await model({ answers: () => (quick ? good() : slow(60_000)) })
  // one of three is kept for what is urgent
  const rules = { least: 3, most: 3, cut: 0.5 }
  const admission = new LocalAdmission({ clock: systemClock, now: () => Date.now(), rules })
  const ids = Array.from({ length: 6 }, (_, n) => `j${n}`)
  for (const id of ids) await context.request(id)
  const worker = await work(context, server.url, { admission, stopGraceMs: 200 })
  await eventually('two run', () => worker.status.running === 2 || undefined)
  await eventually('both are on the log', async () => {
    const states = await Promise.all(ids.map((id) => context.state(id)))
    return states.filter(({ kind }) => kind === 'running').length === 2 || undefined
  })
  await worker.stop()
  assert.equal([worker.status.running, worker.status.held], [0, 0])
  const states = await Promise.all(ids.map((id) => context.state(id)))
  assert.ok(states.every(({ kind }) => kind === 'waiting'))
  assert.ok(states.every((state) => state.kind === 'waiting' && state.account.counted === 0))
  quick = true
  await work(context, server.url)
  const ended = await Promise.all(ids.map((id) => context.over(id, 60_000)))
  assert.ok(ended.every(({ kind, account }) => kind === 'decided' && account.counted === 0))
})

test('JW7 a stop hands back what waits for the limits of its model, and begins no call that it would end', async () => {
  const connection = await sharedConnection()
  const context = await jobContext(connection, { model: 'm' })
  let asked = 0
  const server = await model({ answers: () => ((asked += 1), slow(60_000)) })
  // three at once, and another one each second and a half
  const models = { classes: { slow: { models: ['m'], perMinute: { requests: 40 } } } }
  const admission = await admissionOf({ connection, models })
  const worker = await work(context, server.url, { admission, stopGraceMs: 4_000 })
  const ids = Array.from({ length: 12 }, (_, n) => `j${n}`)
  for (const id of ids) await context.request(id)
  await eventually('some are asked, and others wait', () => (worker.status.running === 7 && asked >= 3) || undefined)
  const before = asked
  await worker.stop()
  // one may have had its turn by then
  assert.ok(asked <= before + 1, `${before} calls, then ${asked}`)
  assert.equal([worker.status.running, worker.status.held], [0, 0])
})

test('what every call would be refused for has all wait, and one ask now and then; then they go on', async () => {
  const context = await jobContext(await sharedConnection())
  let bad = true
  const server = await model({
    answers: () => (bad ? modelAnswers.error('authentication_error') : good()),
  })
  let skew = 0
  const now = (): number => Date.now() + skew
  const rules = { least: 1, most: 1, cut: 0.5 }
  const worker = await work(context, server.url, {
    now,
    admission: new LocalAdmission({ clock: systemClock, now, rules }),
  })
  for (const id of ['a', 'b', 'c']) await context.request(id)
  const { detail } = await eventually('it says why', () => worker.status.stall)
  assert.match(detail, 'authentication')
  await eventually('nothing runs', () => worker.status.running === 0 || undefined)
  assert.is(server.totals().calls, 1)
  const states = await Promise.all(['a', 'b', 'c'].map((id) => context.state(id)))
  assert.equal(
    states.map((state) => state.kind === 'waiting' && state.account.counted),
    [0, 0, 0],
  )
  await worker.stop()
  bad = false
  skew = 60_000
  await work(context, server.url, { now })
  await Promise.all(['b', 'c'].map((id) => context.over(id)))
  assert.is((await context.state('a')).kind, 'waiting', 'it comes back when the server says')
})

test.run()
