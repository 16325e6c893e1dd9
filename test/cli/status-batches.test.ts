// What millrace status says of batches.
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { printJobs, readJobs } from '../../src/cli/status/read-jobs.ts'
import { readModels } from '../../src/job/models-config.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { batching } from '../job/batch/batching.ts'
import { atEnd } from '../support/cleanup.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { cliContext } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('cli: status of batches')

test('BA6 says how many batches are open, with how many jobs, and since when; they are no jobs that wait', async () => {
  const began = Date.now()
  const connection = await sharedConnection()
  let ends = false
  const { request, lane, job, until } = await batching()
  await request(['a', 'b', 'c', 'd'])
  await lane({
    // two batches, however long the jobs take to come: none is sent for its age
    rules: { size: 2, age: 600_000 },
    client: (client) => ({
      ...client,
      find: async (id, signal) => {
        const found = await client.find(id, signal)
        return ends || found === undefined ? found : { ...found, endedAt: undefined }
      },
    }),
  })
  const read = async () => {
    const [row] = await readJobs(connection, systemClock, [job])
    assert.ok(row)
    return row
  }
  // a batch is open before the messages of its jobs are gone, and a look counts those one after another
  const row = await eventually('both are open, and nothing waits', async () => {
    const found = await read()
    const { later, inHand, waiting, batches } = found
    return batches.open === 2 && batches.jobs === 4 && later + inHand + waiting.batch === 0 ? found : undefined
  })
  assert.equal([row.batches.jobs, row.waiting.batch], [4, 0])
  const { oldestAt } = row.batches
  assert.ok(oldestAt !== null && oldestAt >= began - 1_000 && oldestAt <= Date.now() + 1_000)
  const context = cliContext()
  printJobs(context.out, [row], (oldestAt ?? 0) + 7_200_000)
  assert.match(context.out.text(), `${job.queue.name}: 2 batches with 4 jobs, the oldest since 2h`)
  ends = true
  for (const id of ['a', 'b', 'c', 'd']) await until(id, 'decided')
  await eventually('none is open', async () => (await read()).batches.open === 0 || undefined)
  assert.equal((await read()).batches, { open: 0, jobs: 0, oldestAt: null })
})

test('BA6 JOBS_WAIT a credential that is refused when a batch is created is said, as it is for calls', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const models = readModels({ batches: { jobs: 1 } })
  const deployment = {
    ...(await discover(fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url)))),
    models,
  }
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const server = await startModelServer({
    batches: { refused: [modelAnswers.error('authentication_error', { message: 'invalid x-api-key' })] },
  })
  atEnd(() => server.stop())
  const settings: Record<string, string> = { MILLRACE_MODEL_URL: server.url, MILLRACE_BATCHES: 'on' }
  const setting = (name: string): string | undefined => settings[name]
  const own = { connection, clock: systemClock, log: silentLog, owner: 'test', setting }
  const runtime = await createRuntime({ ...own, deployment })
  const draft = deployment.registry.get('summary.requested')?.({ text: 'long' }, { id: 's1', source: '/test' })
  await publishAll(connection, deployment.streams[0] as never, [draft as never])
  const row = await eventually('it is said', async () => {
    const [found] = await readJobs(connection, systemClock, deployment.jobs)
    return found?.waitsFor.length === 1 ? found : undefined
  })
  assert.match(row.waitsFor.join(), /JOBS_WAIT, batches: authentication: .*invalid x-api-key/)
  await runtime.stop()
})

test.run()
