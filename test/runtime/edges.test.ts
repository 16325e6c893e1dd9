import { appendFile, cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { pauseCommand } from '../../src/cli/pause/pause-command.ts'
import { resumeCommand } from '../../src/cli/pause/resume-command.ts'
import { enableSink, listSinks } from '../../src/cli/sinks/sink-commands.ts'
import { statusCommand } from '../../src/cli/status/status-command.ts'
import { readStatus } from '../../src/cli/status/read-status.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime, type Runtime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { pgClient } from '../../src/sql/pg-client.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { receiver, SECRETS } from '../edge/receiving.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { cliContext } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'
import { startPostgres } from '../support/postgres.ts'

const test = suite('sinks and sources of a deployment')
// of its own: modules of the fixture that this process has loaded before would keep what they were given then
const FOLDER = join(await temporaryDirectory(), 'streams')
await cp(fileURLToPath(new URL('../fixtures/streams-edges', import.meta.url)), FOLDER, { recursive: true })

test('sinks are found, run, paused and told of; a database that was away, and an endpoint that was gone, miss nothing', async () => {
  const database = await startPostgres()
  const pool = new Pool({ connectionString: database.url, max: 4, connectionTimeoutMillis: 30_000 })
  pool.on('error', () => undefined) // connections that nobody uses when the server ends
  atEnd(() => pool.end())
  await pool.query('create table sensors (sensor text primary key, n int)')
  const folder = await mkdtemp(join(tmpdir(), 'millrace-edges-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  atEnd(() => rm(`${folder}.ndjson`, { force: true }))
  Object.assign(globalThis, { sinkClient: pgClient(pool), sinkFolder: folder, sourceFile: `${folder}.ndjson` })
  let gone = false
  const to = await receiver(() => (gone ? 410 : 200))
  const connection = await connectTo((await startTestServer()).url)
  const deployment = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const context = () => ({ ...cliContext({ streams: FOLDER }), connect: () => Promise.resolve(connection) })
  const setting = (name: string): string | undefined =>
    name === 'PARTNER_URL' ? to.url : name === 'PARTNER_SECRET' ? SECRETS['NEW'] : undefined
  const options = { connection, deployment, clock: systemClock, log: silentLog, owner: 'test' }
  const missing = await createRuntime({ ...options, setting: () => undefined }).then(String, (error: Error) => error)
  assert.is((missing as { code?: string }).code, 'WEBHOOK_SETTING_INVALID')
  const runtime: Runtime = await createRuntime({ ...options, setting })
  atEnd(() => runtime.stop())
  const contract = deployment.registry.get('sensor.measured')
  const measure = (...numbers: number[]): Promise<void> =>
    publishAll(
      connection,
      deployment.streams[0] as never,
      numbers.map((n) => contract?.({ n, sensor: `s${n}` }) as never),
    )
  const rows = async (): Promise<number[]> =>
    (await pool.query<{ n: number }>('select n from sensors order by n')).rows.map(({ n }) => n)
  const lines = async (): Promise<number> => {
    const texts = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')))
    return texts.join('').split('\n').length - 1
  }
  // one whose answer was late comes again
  const posts = (): number => new Set(to.received.map(({ body }) => body)).size
  await measure(0, 1)
  await eventually('rows', async () => (await rows()).length === 2 || undefined, 30_000)
  await eventually('lines', async () => (await lines()) === 2 || undefined, 30_000)
  await eventually('posts', () => posts() === 2 || undefined)

  const pausing = context()
  await pauseCommand(pausing, 'archive', { wait: 30_000, group: 'millrace' })
  assert.match(pausing.out.text(), /sink-archive {2}paused/)
  await database.kill()
  gone = true
  await measure(2, 3)
  await eventually('the database is missed', () => {
    const rowsSink = runtime.edges.find(({ edge }) => edge === 'sink-rows')
    return rowsSink?.stall?.code === 'OUTBOX_DATABASE_UNREACHABLE' || undefined
  })
  const told = await eventually('told', async () => {
    const { edges, handlers } = await readStatus(connection, systemClock, deployment)
    const [sink] = edges.filter(({ edge }) => edge === 'sink-rows')
    const waits = handlers[0]?.waitsFor.some((why) => why.includes('answered 410'))
    return sink?.state === 'stalled' && waits === true ? sink : undefined
  })
  assert.is(told.lag, 2)
  const [status, list] = [context(), context()]
  await statusCommand(status, undefined)
  assert.match(status.out.text(), /sink-rows: stands still: OUTBOX_DATABASE_UNREACHABLE/)
  await listSinks(list)
  assert.match(list.out.text(), /partner +webhook +PLANT +disabled/)
  assert.is(await lines(), 2)

  await database.restart()
  gone = false
  const enabling = context()
  await enableSink(enabling, 'partner')
  assert.match(enabling.out.text(), /is called again/)
  await resumeCommand(context(), 'sink-archive', { group: 'millrace' })
  await eventually('rows', async () => (await rows().catch(() => [])).length === 4 || undefined, 30_000)
  await eventually('lines', async () => (await lines()) === 4 || undefined)
  await eventually('posts', () => posts() === 4 || undefined)

  // sources
  assert.ok(deployment.streams.some(({ name }) => name === 'PLANT_CAPTURE_sensors'))
  await appendFile(join(folder, '..', `${basename(folder)}.ndjson`), '{"n":4,"sensor":"s4"}\n')
  connection.nats.publish('sensors.a', '{"n":5,"sensor":"s5"}')
  const url = await eventually('it listens', () => runtime.edges.find(({ edge }) => edge === 'source-http')?.position)
  const answer = await fetch(String(url), {
    method: 'POST',
    body: '{"n":6,"sensor":"s6"}',
    headers: { 'content-type': 'application/json' },
  })
  assert.is(answer.status, 202)
  await eventually('rows', async () => (await rows()).length === 7 || undefined)
  const { edges } = await eventually('told', async () => {
    const read = await readStatus(connection, systemClock, deployment)
    const sources = read.edges.filter(({ edge, state }) => edge.startsWith('source-') && state === 'working')
    return sources.length === 3 && sources.every((one) => one.state === 'working' && one.done === 1) ? read : undefined
  })
  assert.is(edges.length, 5)
  await runtime.stop()
})

test.run()
