import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { readStatus } from '../../src/cli/status/read-status.ts'
import { silentLog } from '../../src/observe/log.ts'
import { migrate, outboxSql } from '../../src/outbox/outbox-schema.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { postgresClient } from '../../src/sql/postgres-client.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'
import { sharedPostgres } from '../support/postgres.ts'

const test = suite('outboxes of a deployment')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-outbox', import.meta.url))

test('are found, wait for their tables with a code, are relayed then, and told of in the status', async () => {
  const sql = postgres((await sharedPostgres()).url, { onnotice: () => undefined, max: 4 })
  atEnd(() => sql.end({ timeout: 1 }))
  const client = postgresClient(sql)
  Object.assign(globalThis, { outboxClient: client })
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  const [outbox] = deployment.outboxes ?? []
  assert.is(outbox?.declaration.name, 'orders')
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  assert.is((await readStatus(connection, systemClock, deployment)).outboxes[0]?.state, 'never run')
  const runtime = await createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'test' })
  await eventually('it says why', () => runtime.outboxes[0]?.stall?.code === 'OUTBOX_SCHEMA_MISSING' || undefined)
  await migrate(client, outboxSql('millrace_outbox'))
  await migrate(client, outboxSql('millrace_outbox')) // again, which changes nothing
  const place = deployment.registry.get('order.placed')
  await sql.begin((tx) => outbox?.declaration.add(tx, place?.({ orderId: 'a' }) as never))
  await eventually('relayed', async () => (await readAll(connection, 'SHOP', ['shop.>'])).length === 1 || undefined)
  const told = await eventually('told', async () => {
    const [one] = (await readStatus(connection, systemClock, deployment)).outboxes
    return one?.state === 'relaying' && one.relayed === 1 && one.lag?.rows === 0 ? one : undefined
  })
  assert.is(told.lag?.rows, 0)
  await runtime.stop()
})

test.run()
