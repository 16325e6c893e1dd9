// A worker that finds the answer of another job: it makes no call, says so on the log, and counts what was not paid for.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BucketAnswers } from '../../../src/job/bucket-answers.ts'
import { readCosts } from '../../../src/job/costs/cost-counters.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { readJob } from '../../../src/runtime/open-job.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { timeBeforeMidnight } from '../../support/same-day.ts'
import { admissionOf, PRICES } from '../limits/admissions.ts'
import { jobContext, work } from './working-jobs.ts'

const test = suite('answers of the past, taken by a worker')

test('AC1 a job that asks what another one has asked makes no call; another tenant does', async () => {
  await timeBeforeMidnight(60_000) // costs are counted by the day
  const connection = await sharedConnection()
  const context = await jobContext(connection, { cache: { ttl: '1h' }, model: 'm' })
  const server = await startModelServer()
  atEnd(() => server.stop())
  const cache = new BucketAnswers({ connection, clock: systemClock, now: () => Date.now(), log: silentLog })
  await cache.prepare(1)
  const admission = await admissionOf({ connection, models: { prices: PRICES } })
  await work(context, server.url, { cache, admission })
  const [tenant, other] = [`a-${process.pid}`, `b-${process.pid}`]
  await context.request('first', 'the same', { by: tenant })
  const first = await context.over('first')
  await context.request('second', 'the same', { by: tenant })
  const second = await context.over('second')
  await context.request('third', 'the same', { by: other })
  await context.over('third')
  assert.is(server.totals().calls, 2)
  assert.is(first.kind === 'decided' && second.kind, 'decided')
  const events = await readJob(context.job.records, { connection, clock: systemClock }, 'second')
  const completed = events.find((event) => event.type === 'job.completed')
  const spared = first.account.inputTokens + first.account.outputTokens
  assert.equal(completed?.cached, { job: 'first', savedTokens: spared })
  assert.is(second.account.nanos, 0)
  const [costs] = await readCosts(connection, systemClock, { tenant })
  assert.equal([costs?.tally.calls, costs?.tally.hits, costs?.tally.spared], [1, 1, spared])
})

test.run()
