// What a worker does on a real server with a job that its tenant should not pay for now, one whose process ended in the middle of a
// call, and an answer that cannot be stored.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCosts } from '../../../src/job/costs/cost-counters.ts'
import type { JobEvent } from '../../../src/job/job-event.ts'
import { laneSubject } from '../../../src/job/job-streams.ts'
import { readJob } from '../../../src/runtime/open-job.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { atEnd } from '../../support/cleanup.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { timeBeforeMidnight } from '../../support/same-day.ts'
import { admissionOf, PRICES } from '../limits/admissions.ts'
import { callOf, NEVER } from '../limits/gates.ts'
import { jobContext, work, type JobContext } from './working-jobs.ts'

const test = suite('jobs that move, and answers that are too large')
// costs and budgets are those of a day
test.before.each(() => timeBeforeMidnight(60_000))

const PROMPT = { id: 'judge', version: 1, hash: 'abcdef0123456789' }
const typesOf = async ({ job, connection }: JobContext, id: string): Promise<string> => {
  const events = await readJob(job.records, { connection, clock: systemClock }, id)
  return events.map(({ type }) => type.slice(4)).join(' ')
}

// ids of their own: counters of the shared server know an attempt by its job
test('BU1 a job of a tenant that has used up what it should goes to the lane batch, once, and is done there', async () => {
  const connection = await sharedConnection()
  const context = await jobContext(connection, { model: 'm' })
  const server = await startModelServer({ answers: () => modelAnswers.json({ verdict: 'fine' }) })
  atEnd(() => server.stop())
  const models = { prices: PRICES, budgets: { default: { soft: 0.000_001 } } }
  const own = async () => ({ admission: await admissionOf({ connection, models }) })
  const by = `soft-${process.pid}`
  await work(context, server.url, { ...(await own()), lanes: ['urgent', 'standard'] })
  await context.request('soft first', 'one', { by })
  await context.over('soft first')
  await context.request('soft second', 'two', { by })
  const { queue } = context.job
  const waiting = async () => {
    const { state } = await connection.manager.streams.info(queue.name, { subjects_filter: '>' })
    return [state.subjects?.[laneSubject(queue.name, 'standard')], state.subjects?.[laneSubject(queue.name, 'batch')]]
  }
  await eventually('it is in the lane batch, and in no other', async () => {
    const [standard, batch] = await waiting()
    return (standard === undefined && batch === 1) || undefined
  })
  assert.is(await typesOf(context, 'soft second'), 'requested demoted')
  await work(context, server.url, { ...(await own()), lanes: ['batch'] })
  const second = await context.over('soft second')
  assert.is(second.account.request.lane, 'batch')
  assert.is(
    await typesOf(context, 'soft second'),
    'requested demoted admitted attempt-started completed validated decided',
  )
  assert.is(server.totals().billed, 2)
})

test('JB5 the call of a process that ended is on the log and in the counters as one whose bill is not known', async () => {
  const connection = await sharedConnection()
  const context = await jobContext(connection, { model: 'm' })
  const server = await startModelServer({ answers: () => modelAnswers.json({ verdict: 'fine' }) })
  atEnd(() => server.stop())
  const by = `gone-${process.pid}`
  await context.request('left', 'one', { by })
  const { log } = context.ports
  const begun: readonly JobEvent[] = [
    { type: 'job.admitted', at: 1, attempt: 1, estimatedTokens: 1_234 },
    { type: 'job.attempt-started', at: 1, attempt: 1, owner: 'gone', model: 'm', prompt: PROMPT, message: 1_000_000 },
  ]
  assert.ok(await log.append('left', 1, begun, { correlationId: undefined, causationId: 'left' }))
  await work(context, server.url, { admission: await admissionOf({ connection, models: { prices: PRICES } }) })
  const { account } = await context.over('left')
  assert.equal([account.begun, account.billed, account.unknown], [2, [2], [{ attempt: 1, tokens: 1_234 }]])
  const [costs] = await readCosts(connection, systemClock, { tenant: by })
  assert.equal([costs?.tally.calls, costs?.tally.unknown, costs?.tally.unknownTokens], [1, 1, 1_234])
})

test('BU1 AD2 a job that dies without being asked holds nothing of its budget, though it was to be in a batch', async () => {
  const connection = await sharedConnection()
  const context = await jobContext(connection, { model: 'm', lane: 'batch', deadline: 10 })
  const server = await startModelServer()
  atEnd(() => server.stop())
  const models = { prices: PRICES, budgets: { default: { hard: 0.01 } } }
  const [admission, other] = [await admissionOf({ connection, models }), await admissionOf({ connection, models })]
  const tenant = `late-${process.pid}`
  // as whoever puts batches together does; then its deadline is near, and it goes to the lane standard
  const held = { context: context.stream.name, name: 'judge', job: 'late', tenant, inputTokens: 0, outputTokens: 3_000 }
  assert.is(await other.batched.admit(callOf(held), NEVER), undefined)
  const next = () => admission.admit(callOf({ tenant, inputTokens: 0, outputTokens: 1_000 }), NEVER)
  assert.is((await next()).kind, 'later')
  await context.request('late', 'one', { by: tenant })
  await systemClock.sleep(30) // it is quick to be asked
  await work(context, server.url, { admission })
  assert.is((await context.over('late')).kind, 'dead')
  await eventually('its letter', () => context.letter(1))
  assert.is((await next()).kind, 'admitted')
})

test('JB3 JW1 an answer that the server cannot store is billed, and its job is a dead letter', async () => {
  const connection = await sharedConnection()
  const context = await jobContext(connection, { model: 'm' })
  const verdict = 'x'.repeat(connection.server.maxPayload)
  const server = await startModelServer({ answers: () => modelAnswers.json({ verdict }, { deltaLength: 100_000 }) })
  atEnd(() => server.stop())
  await work(context, server.url, { admission: await admissionOf({ connection, models: { prices: PRICES } }) })
  await context.request('large')
  const state = await context.over('large')
  assert.is(state.kind === 'dead' && state.code, 'JOB_OUTPUT_INVALID')
  assert.is(await typesOf(context, 'large'), 'requested admitted attempt-started attempt-failed dead-lettered')
  assert.ok(state.account.nanos > 0 && state.account.outputTokens > 100_000, 'what it was billed is known')
  assert.is(server.totals().calls, 1, 'it is not asked again')
  await eventually('it has a letter', async () => (await context.letter(1)) !== undefined || undefined)
})

test.run()
