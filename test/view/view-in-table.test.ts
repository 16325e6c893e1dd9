// Views whose rows are in PostgreSQL, on a real one.
import { Pool } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { pgClient } from '../../src/sql/pg-client.ts'
import type { SqlClient } from '../../src/sql/sql-client.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { publishAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { startPostgres } from '../support/postgres.ts'
import { course, expected, PATIENT, readerOf, runView, sorted, stopAll, type Row } from './sample-view.ts'

const test = suite('a view in a table')

const server = await startPostgres()
const pool = new Pool({ connectionString: server.url, max: 6, options: '-c TimeZone=UTC' })
pool.on('error', () => undefined) // connections that nobody uses when the server ends
atEnd(() => pool.end())
const client = pgClient(pool)
// who looks from within a transaction must not wait for a connection that other transactions hold which look as well
const besidePool = new Pool({ connectionString: server.url, max: 1 })
besidePool.on('error', () => undefined)
atEnd(() => besidePool.end())
const beside = pgClient(besidePool)
let count = 0

function tableOf(wrap: (client: SqlClient) => SqlClient = (own) => own) {
  const name = `machines_${(count += 1)}`
  const own = wrap(client)
  return (stream: string) => ({ bucket: `MACHINES_${stream}`, table: { name, client: () => own } })
}

async function rowsIn(table: string): Promise<Record<string, Row>> {
  const rows = await client.query(`select key, row::text as row from ${table}`)
  return sorted(rows.map(({ key, row }) => [String(key), JSON.parse(String(row)) as Row] as const))
}

const run = (connection: Connection, stream: StreamDeclaration, to: ReturnType<typeof tableOf>, more = {}) =>
  runView(connection, stream, { to: to(stream.name), memory: { rows: 7 }, ...more })

test('VW1 VW2 its table has what the events make of the rows, and the position of each unit', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { storage: 'memory' })
  const to = tableOf()
  const events = course(400)
  await publishAll(connection, stream, events)
  const { reader, runs } = await run(connection, stream, to)
  await reader.whenCaughtUp(undefined, PATIENT)
  const { name } = to('').table
  assert.equal(await eventually('it shows', () => rowsIn(name).catch(() => undefined)), expected(events))
  const positions = await client.query(`select position::text as position from ${name}_v1_positions`)
  assert.is(positions.length, 4)
  const error = await reader.get('m').catch((thrown: unknown) => thrown)
  assert.ok(isFault(error, 'VIEW_IN_TABLE'), String(error))
  await stopAll(runs)
})

test('VW6 what fails between the rows and the position leaves neither, and is done again', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { storage: 'memory' })
  let failed = 0
  const seen: unknown[] = []
  const to = tableOf((own) => ({
    query: own.query,
    transaction: (work) =>
      own.transaction((query) =>
        work(async (text, values) => {
          if (text.includes('_positions as stored') && failed < 3) {
            failed += 1
            throw Object.assign(new Error('the connection is gone'), { code: '08006' })
          }
          const { name } = to('').table
          const there =
            failed < 3 ? await beside.query(`select count(*)::int as n from ${name}_v1`).catch(() => []) : []
          if (failed < 3) seen.push(...there) // else another unit may have stored its position meanwhile
          return query(text, values)
        }),
      ),
  }))
  const events = course(50)
  await publishAll(connection, stream, events)
  const { reader, runs } = await run(connection, stream, to)
  await reader.whenCaughtUp(undefined, PATIENT)
  assert.is(failed, 3)
  assert.ok(
    seen.every((one) => (one as { n: number }).n === 0),
    'nothing was there before a position was',
  )
  assert.equal(await eventually('it shows', () => rowsIn(to('').table.name).catch(() => undefined)), expected(events))
  await stopAll(runs)
})

test('VW2 VW3 each event is in its row once, though the view is killed and the database is away', async () => {
  const { url } = await sharedServer()
  const stream = await freshStream(await sharedConnection(), { storage: 'memory' })
  const to = tableOf()
  const events = course(1_500, 3)
  const publishing = publishAll(await sharedConnection(), stream, events)
  // the driver itself does not outlive a server that is killed while it writes, so it is away when the view begins
  await server.kill()
  for (let round = 0; round < 3; round++) {
    const connection = await connectTo(url)
    const began = run(connection, stream, to)
    if (round === 0) await server.restart()
    await began
    await new Promise((resolve) => setTimeout(resolve, 200))
    await connection.close() // it ends where it stands
  }
  await publishing
  const { reader, runs } = await run(await sharedConnection(), stream, to)
  await reader.whenCaughtUp(undefined, PATIENT)
  assert.equal(await eventually('it shows', () => rowsIn(to('').table.name).catch(() => undefined)), expected(events))
  await stopAll(runs)
})

test('VW4 a new version is made beside the live one and replaces it as a whole; the former one is dropped', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { storage: 'memory' })
  const to = tableOf()
  const { name } = to('').table
  const events = course(200)
  await publishAll(connection, stream, events)
  const first = await run(connection, stream, to, { keepFormer: 1 })
  await first.reader.whenCaughtUp(undefined, PATIENT)
  const fold = (row: Row | undefined): Row => ({ count: (row?.count ?? 0) + 1, sum: -1, trail: 0 })
  const second = await run(connection, stream, to, { version: 2, fold, keepFormer: 1 })
  const shown = await eventually(
    'it is replaced',
    async () => {
      const rows = Object.values((await rowsIn(name).catch(() => ({}))) as Record<string, Row>)
      return rows.length > 0 && rows.every(({ sum }) => sum === -1) ? rows : undefined
    },
    30_000,
  )
  assert.is(
    shown.reduce((sum, row) => sum + row.count, 0),
    events.length,
  )
  await readerOf(connection, stream).whenCaughtUp(undefined, PATIENT)
  await stopAll([...first.runs, ...second.runs].filter(({ failures }) => failures.length === 0))
})

test.run()
