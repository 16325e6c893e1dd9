// A process that does nothing but jobs.
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { takeRequest } from '../../src/job/take-request.ts'
import type { DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { discover } from '../../src/runtime/discover.ts'
import { jobPorts } from '../../src/runtime/open-job.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'
import { startCli } from './support.ts'

const test = suite('cli: run --only jobs')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))

test('run --only jobs does jobs that are in their queues, and takes no requests', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const server = await startModelServer({ answers: () => modelAnswers.json({ short: 'no' }) })
  atEnd(() => server.stop())
  const job = deployment.jobs?.find(({ declaration: { name } }) => name === 'summary') as DeployedJob
  const ports = jobPorts(job, { connection, clock: systemClock })
  const draft = (id: string) =>
    deployment.registry.get('summary.requested')?.({ text: 'long' }, { id, source: '/test' }) as never
  await takeRequest(ports, job.declaration, draft('queued'))
  await publishAll(connection, deployment.streams[0] as never, [draft('published')])
  const cwd = await temporaryDirectory()
  await cp(FOLDER, join(cwd, 'streams'), { recursive: true })
  const args = ['run', '--only', 'jobs', '-s', url, '--ready-file', join(cwd, 'ready.json')]
  const run = startCli(args, { cwd, env: { MILLRACE_MODEL_URL: server.url } })
  await Promise.race([
    eventually('it is ready', () => readFile(join(cwd, 'ready.json'), 'utf8').catch(() => undefined)),
    run.done.then(({ stderr }) => assert.unreachable(stderr)),
  ])
  const state = async (id: string) => (await ports.log.read(id)).state.kind
  await eventually('it is decided', async () => (await state('queued')) === 'decided' || undefined)
  assert.is(await state('published'), 'none')
  const consumers = await connection.manager.consumers.list('SHOP').next()
  assert.equal(
    consumers.map(({ name }) => name),
    [],
    'nobody reads the stream',
  )
  run.signal('SIGTERM')
  assert.is((await run.done).code, 0)
})

test.run()
