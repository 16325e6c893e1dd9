// Jobs of a deployment with a models.yaml, done by two processes against the stand-in.
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { readCosts } from '../../src/job/costs/cost-counters.ts'
import { readModels } from '../../src/job/models-config.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import type { DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { discover } from '../../src/runtime/discover.ts'
import { jobPorts } from '../../src/runtime/open-job.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'
import { timeBeforeMidnight } from '../support/same-day.ts'

const test = suite('jobs of a deployment with models.yaml')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))
const models = readModels({
  prices: {
    version: '1',
    currency: 'USD',
    models: { 'claude-*': { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2 } },
  },
  classes: {
    small: { models: ['claude-haiku*'], perMinute: { requests: 60_000, inputTokens: 9e6, outputTokens: 9e6 } },
  },
  budgets: { default: { hard: 100 }, tenants: { b: { hard: 0.000_01 } } },
})

test('AD1 CO1 what calls have cost is on their logs and in the counters, and who has no budget is told until when', async () => {
  await timeBeforeMidnight(120_000) // costs and budgets are those of a day
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = { ...(await discover(FOLDER)), models }
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const server = await startModelServer({
    answers: Array.from({ length: 40 }, () => modelAnswers.json({ fraud: true })),
  })
  atEnd(() => server.stop())
  const setting = (name: string) => (name === 'MILLRACE_MODEL_URL' ? server.url : undefined)
  const own = { deployment, clock: systemClock, log: silentLog, setting }
  const [one, other] = [
    await createRuntime({ ...own, connection, owner: 'one' }),
    await createRuntime({ ...own, connection: await connectTo(url), owner: 'other' }),
  ]
  const requested = Array.from({ length: 24 }, (_, at) => ({ id: `j${at}`, tenant: at % 6 === 0 ? 'b' : 'a' }))
  const drafts = requested.map(({ id, tenant }) =>
    deployment.registry.get('triage.requested')?.(
      { orderId: `${tenant}1`, amount: 5, note: 'x' },
      { id, source: '/t' },
    ),
  )
  await publishAll(connection, deployment.streams[0] as never, drafts as never)
  const job = deployment.jobs?.find(({ declaration }) => declaration.name === 'triage') as DeployedJob
  const { log } = jobPorts(job, { connection, clock: systemClock })
  const states = await eventually(
    'all are over',
    async () => {
      const all = await Promise.all(requested.map(async ({ id }) => (await log.read(id)).state))
      return all.every(({ kind }) => kind === 'decided' || kind === 'dead') ? all : undefined
    },
    60_000,
  )
  let nanos = 0
  for (const [at, state] of states.entries()) {
    if (state.kind === 'decided') ({ nanos } = { nanos: nanos + state.account.nanos })
    assert.is(state.kind, requested[at]?.tenant === 'a' ? 'decided' : 'dead')
    if (state.kind === 'dead') assert.match(state.reason, /b has used up its budget; it begins anew at .*T00:00:00/)
  }
  assert.ok(nanos > 0)
  const costs = await readCosts(connection, systemClock, {})
  assert.equal(
    costs.map(({ tenant, name, tally }) => [tenant, name, tally.calls, tally.nanos]),
    [['a', 'triage', 20, nanos]],
  )
  assert.is(server.totals().calls, 20)
  await Promise.all([one.stop(), other.stop()])
})

test.run()
