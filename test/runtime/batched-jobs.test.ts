// A deployment whose jobs of the lane batch are put together, by the settings of its process.
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { readModels } from '../../src/job/models-config.ts'
import { silentLog } from '../../src/observe/log.ts'
import { collectsBatches } from '../../src/runtime/batches-at-work.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { jobPorts } from '../../src/runtime/open-job.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('batches of a deployment')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))

test('BA4 jobs of the lane batch are asked in batches, the others one by one', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const models = readModels({ batches: { jobs: 2, wait: '1h' } })
  const deployment = { ...(await discover(FOLDER)), models }
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const server = await startModelServer({ batches: { polls: 0 } })
  atEnd(() => server.stop())
  const settings: Record<string, string> = { MILLRACE_MODEL_URL: server.url, MILLRACE_BATCHES: 'on' }
  const setting = (name: string): string | undefined => settings[name]
  const shared = { connection, clock: systemClock, log: silentLog, owner: 'test', setting }
  const runtime = await createRuntime({ ...shared, deployment })
  const publish = (type: string, data: object, id: string): Promise<unknown> => {
    const draft = deployment.registry.get(type)?.(data, { id, source: '/test' })
    return publishAll(connection, deployment.streams[0] as never, [draft as never])
  }
  for (const id of ['s1', 's2']) await publish('summary.requested', { text: id }, id)
  await publish('triage.requested', { orderId: 'a', amount: 5, note: 'fast' }, 't1')
  const [job] = deployment.jobs ?? []
  const { log } = jobPorts(job as never, { connection, clock: systemClock })
  for (const id of ['s1', 's2', 't1'])
    await eventually(`${id} is decided`, async () => (await log.read(id)).state.kind === 'decided' || undefined, 60_000)
  const batched = server.calls.map(({ request: { customId } }) => customId?.split('-')[0])
  assert.equal([batched.length, batched.filter((one) => one === undefined).length], [3, 1])
  assert.is(new Set(batched).size, 2, 'one batch, and what was asked by itself')
  await runtime.stop()
})

test('batches are made where the provider itself is asked, unless it is said otherwise', () => {
  const collects = (settings: Record<string, string>): boolean => collectsBatches((name) => settings[name])
  assert.ok(collects({ ANTHROPIC_API_KEY: 'k' }))
  for (const name of ['ANTHROPIC_BASE_URL', 'MILLRACE_MODEL_URL']) assert.not.ok(collects({ [name]: 'http://x' }))
  assert.ok(collects({ ANTHROPIC_BASE_URL: 'http://x', MILLRACE_BATCHES: 'on' }))
  assert.not.ok(collects({ ANTHROPIC_API_KEY: 'k', MILLRACE_BATCHES: 'off' }))
  assert.throws(
    () => collects({ MILLRACE_BATCHES: 'yes' }),
    (error: unknown) => isFault(error, 'SETTING_INVALID'),
  )
})

test.run()
