import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { costCommand, type CostFlags } from '../../src/cli/job/cost-command.ts'
import { dayOrAll } from '../../src/cli/option-values.ts'
import { fault } from '../../src/error/millrace-error.ts'
import { CostCounters, dayOf } from '../../src/job/costs/cost-counters.ts'
import { NO_COST } from '../../src/job/costs/cost-tally.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo } from '../support/broker.ts'
import { cliContext } from '../support/cli-context.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('cli: job cost')
const models = { prices: { version: '1', currency: 'EUR', models: {} } }

test('says what was used and cost by day, tenant and job, and what of it has no price', async () => {
  const now = Date.now()
  const today = dayOf(now)
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const run = async (flags: CostFlags, { json = false, folder = true } = {}) => {
    const context = {
      ...cliContext({ json }),
      clock: { ...systemClock, now: () => now }, // else another day may begin meanwhile
      connect: async () => connection,
      deployment: async () => {
        if (!folder) throw fault('STREAMS_FOLDER_MISSING', 'x')
        return { models } as unknown as Deployment
      },
    }
    await costCommand(context, flags)
    return { out: context.out.text(), err: context.err.text() }
  }
  assert.is((await run({})).out, `no calls were counted on ${today}\n`)
  const counters = await CostCounters.open({ connection, clock: systemClock, replicas: 1 })
  const call = { ...NO_COST, calls: 1, input: 1_000, cached: 400, output: 200, nanos: 2_500_000, saved: 1_000_000 }
  const told = [
    [{ day: today, tenant: 'b', name: 'triage' }, call],
    [{ day: today, tenant: 'a', name: 'triage' }, call],
    [
      { day: today, tenant: 'a', name: 'summary' },
      { ...call, nanos: 0, saved: 0, unpriced: 1 },
    ],
    [{ day: '2020-02-02', tenant: 'a', name: 'triage' }, call],
  ] as const
  for (const [at, [key, tally]] of told.entries()) await counters.count(key, `j${at}`, 1, tally)

  const gone = { ...NO_COST, unknown: 1, unknownTokens: 1_200 }
  for (const _ of [1, 2]) await counters.count({ day: today, tenant: 'a', name: 'triage' }, 'j1', 1, gone, ':unknown')
  const { out, err } = await run({})
  const lines = out.split('\n')
  assert.match(lines[0] ?? '', /^DAY +TENANT +JOB +CALLS +HITS +TOKENS IN +CACHED +OUT +COST +SAVED$/)
  assert.match(lines[2] ?? '', new RegExp(`^${today} +a +triage +1 +0 +1,000 +400 +200 +0\\.0025 +0\\.001$`))
  assert.equal([lines[1]?.includes('summary'), lines[3]?.includes(' b ')], [true, true])
  assert.is(lines[5], '3 calls, 0.005 EUR, 0.002 saved by batches and the cache of prompts')
  assert.match(out, 'calls whose bill is not known: 1, 1,200 tokens at most; no answer came\n')
  assert.is(err, '1 call without a price cost more than is said here\n')

  const json = JSON.parse((await run({ day: 'all', tenant: 'a', job: 'triage' }, { json: true })).out)
  assert.equal([json.currency, json.total.calls, json.costs.length], ['EUR', 2, 2])
  assert.equal(json.costs[0], { day: '2020-02-02', tenant: 'a', name: 'triage', ...call })
  assert.match((await run({ day: '2020-02-02' }, { folder: false })).out, /1 call, 0\.0025, 0\.001 saved/)
})

test('a day is written as one', () => {
  assert.equal(['2026-01-31', 'all'].map(dayOrAll), ['2026-01-31', 'all'])
  for (const wrong of ['2026-13-01', 'today', '26-01-01']) assert.throws(() => dayOrAll(wrong), /like 2026-01-31/)
})

test.run()
