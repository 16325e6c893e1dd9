// What Millrace asks of a client for PostgreSQL, of each driver that it takes, on a real server.
import { Pool } from 'pg'
import postgres from 'postgres'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pgClient } from '../../src/sql/pg-client.ts'
import { postgresClient } from '../../src/sql/postgres-client.ts'
import type { SqlClient } from '../../src/sql/sql-client.ts'
import { eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { startPostgres } from '../support/postgres.ts'

const server = await startPostgres()

function withPostgres(): SqlClient {
  const sql = postgres(server.url, { onnotice: () => undefined, max: 3, connect_timeout: 30 })
  atEnd(() => sql.end({ timeout: 1 }))
  return postgresClient(sql)
}

function withPg(): SqlClient {
  const pool = new Pool({ connectionString: server.url, max: 3 })
  pool.on('error', () => undefined) // connections that nobody uses when the server ends
  atEnd(() => pool.end())
  return pgClient(pool)
}

for (const [driver, open] of Object.entries({ postgres: withPostgres, pg: withPg })) {
  const test = suite(`PostgreSQL by the package ${driver}`)
  const client = open()
  const numbers = async (): Promise<number[]> =>
    (await client.query('select n from numbers order by n')).map(({ n }) => Number(n))

  test.before.each(async () => {
    await client.query('drop table if exists numbers')
    await client.query('create table numbers (n int primary key)')
  })

  test('a transaction is there as a whole, or not at all', async () => {
    const kept = await client.transaction(async (query) => {
      await query('insert into numbers values ($1)', [1])
      await query('insert into numbers values ($1)', [2])
      return 'kept'
    })
    assert.is(kept, 'kept')
    const thrown = await client
      .transaction(async (query) => {
        await query('insert into numbers values ($1)', [3])
        throw new Error('no')
      })
      .catch((error: unknown) => error)
    assert.is((thrown as Error).message, 'no')
    const refused = await client
      .transaction((query) => query('insert into numbers values ($1)', [1]))
      .catch((error: unknown) => error)
    assert.is((refused as { code: string }).code, '23505')
    assert.equal(await numbers(), [1, 2])
  })

  test('who listens is notified until it stops', async () => {
    let times = 0
    const stop = await client.listen?.('own_channel', () => (times += 1))
    await client.query('notify own_channel')
    await eventually('it is notified', () => times === 1 || undefined)
    await stop?.()
    await client.query('notify own_channel')
    await client.query('select 1')
    assert.is(times, 1)
  })

  for (const moment of ['before it asks again', 'while it asks'])
    test(`a server that is killed ${moment} in a transaction rejects it, and ends nothing else`, async () => {
      const waits = client.transaction(async (query) => {
        await query('insert into numbers values (7)')
        const asks = moment === 'while it asks' ? query('select pg_sleep(30)') : undefined
        asks?.catch(() => undefined)
        await server.kill()
        await (asks ?? query('insert into numbers values (8)'))
      })
      const thrown = await waits.then(
        () => 'done',
        (error: unknown) => error,
      )
      assert.instance(thrown, Error)
      await server.restart()
      const after = open() // a connection that broke is the driver’s to mend
      const found = await eventually(
        'it answers',
        () => after.query('select n from numbers').catch(() => undefined),
        30_000,
      )
      assert.is(found.length, 0)
    })

  test.run()
}
