import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CostCounters, COST_STREAM, readCosts } from '../../../src/job/costs/cost-counters.ts'
import { NO_COST, type CostTally } from '../../../src/job/costs/cost-tally.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually } from '../../support/broker.ts'
import { ownServer, startTestServer } from '../../support/nats.ts'

const test = suite('cost counters')
const clock = systemClock
const call: CostTally = { ...NO_COST, calls: 1, input: 1_000, output: 200, nanos: 2_500_000_000 }

test('CO1 whoever tells of an attempt how often: it is counted once, with all of it', async () => {
  const { url } = await startTestServer()
  const [one, other] = [await connectTo(url), await connectTo(url)]
  assert.equal(await readCosts(one, clock, {}), [], 'nothing was counted yet')
  const all = await Promise.all([one, other].map((connection) => CostCounters.open({ connection, clock, replicas: 1 })))
  const [first, second] = all as [CostCounters, CostCounters]
  const key = { day: '2026-11-22', tenant: 'ärger & co. *', name: 'triage' }
  const told = Array.from({ length: 20 }, (_, at) => at)
  const sums = await Promise.all(
    told.flatMap((at) => [first.count(key, 'j 1', 1 + (at % 10), call), second.count(key, 'j 1', 1 + (at % 10), call)]),
  )
  assert.is(Math.max(...sums.map(({ calls }) => calls)), 10)
  await first.count({ ...key, name: 'other' }, 'j 1', 1, call) // another job, though of one id
  await first.count({ ...key, day: '2026-11-23' }, 'j3', 1, call)
  await first.count({ ...key, tenant: 'b' }, 'j4', 1, call)
  const day = await readCosts(one, clock, { day: key.day })
  assert.equal(day.map(({ tenant, name, tally }) => [tenant, name, tally.calls, tally.nanos]).toSorted(), [
    ['b', 'triage', 1, 2_500_000_000],
    [key.tenant, 'other', 1, 2_500_000_000],
    [key.tenant, 'triage', 10, 25_000_000_000],
  ])
  assert.is((await readCosts(one, clock, { tenant: key.tenant })).length, 3)
})

test('CO1 what could not be told because the server was away is told when it is back', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const counters = await CostCounters.open({ connection, clock, replicas: 1 })
  const key = { day: '2026-11-22', tenant: 'a', name: 'triage' }
  await counters.count(key, 'j1', 1, call)
  await server.stop()
  const telling = counters.count(key, 'j2', 1, call)
  await server.restart()
  assert.is((await telling).calls, 2)
  await connection.manager.streams.delete(COST_STREAM)
  await eventually('it is made again', async () => (await counters.count(key, 'j5', 1, call)).calls === 1)
})

test('CO1 what is told over a connection that was closed is refused at once: it does not come back', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const until: number[] = []
  const counters = await CostCounters.open({
    connection,
    clock: { ...clock, sleep: async (ms) => void until.push(ms) },
    replicas: 1,
  })
  await connection.close()
  const key = { day: '2026-11-22', tenant: 'a', name: 'triage' }
  const error = await counters.count(key, 'j1', 1, call).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(isFault(error, 'BROKER_UNREACHABLE'), String(error))
  assert.equal(until, [], 'it does not wait for it')
})

test.run()
