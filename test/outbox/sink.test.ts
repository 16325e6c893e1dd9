// A sink and an inbox in a real PostgreSQL.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRegistry } from '../../src/event/registry.ts'
import { silentLog } from '../../src/observe/log.ts'
import { definePostgresSink, upsert, type PostgresSinkOptions } from '../../src/outbox/define-postgres-sink.ts'
import { inboxSql, migrate } from '../../src/outbox/outbox-schema.ts'
import { PostgresSinkRun } from '../../src/outbox/postgres-sink.ts'
import { sqlInbox } from '../../src/outbox/sql-inbox.ts'
import { postgresClient } from '../../src/sql/postgres-client.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { publishAll, readAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { sharedPostgres } from '../support/postgres.ts'
import { openSql, Placed, placed } from './outboxes.ts'

const test = suite('sink')

const { url } = await sharedPostgres()
const sql = openSql(url)
const client = postgresClient(sql)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
let count = 0

async function freshSink(more: Partial<PostgresSinkOptions<[typeof Placed]>> = {}) {
  const id = (count += 1)
  const table = `orders_${process.pid}_${id}`
  await sql.unsafe(`create table ${table} (key text primary key, n int, times int not null default 0)`)
  const shared = await sharedConnection()
  const stream = await freshStream(shared, { storage: 'memory' })
  const events: [typeof Placed] = [Placed]
  const options: PostgresSinkOptions<[typeof Placed]> = {
    name: `s${id}`,
    from: { stream: stream.name, events },
    client: () => postgresClient(openSql(url, 2)),
    write: (query, { data }) =>
      query(
        `insert into ${table} as own values ($1, $2::int, 1) on conflict (key) do update set n = excluded.n, times = own.times + 1`,
        [data.key, data.n],
      ),
    table: `sinks_${process.pid}`,
    takeover: 1_000,
    batch: 7,
    ...more,
  }
  const start = (connection = shared, changed: object = {}): PostgresSinkRun => {
    const run = PostgresSinkRun.start({
      connection,
      registry: createRegistry([Placed]),
      clock: systemClock,
      log: silentLog,
      declaration: definePostgresSink({ ...options, ...changed }),
      stream,
      owner: 'test',
      newId: systemId,
    })
    atEnd(() => run.stop())
    return run
  }
  return { stream, table, start }
}

const rows = (table: string) => sql.unsafe(`select key, n, times from ${table} order by key`)

test('OX7 each event is written once, in order, though processes are killed and two run at once', async () => {
  const { stream, table, start } = await freshSink()
  const { url: nats } = await sharedServer()
  const publishing = publishAll(
    await sharedConnection(),
    stream,
    Array.from({ length: 1_000 }, (_, n) => placed(n, `k${n % 5}`)),
  )
  for (let round = 0; round < 4; round++) {
    const connection = await connectTo(nats)
    const run = start(connection)
    await pause(250)
    await connection.close()
    if (round % 2 === 0) await run.stop()
  }
  await publishing
  const runs = [start(), start()]
  const all = async (): Promise<boolean | undefined> =>
    Number((await sql.unsafe(`select coalesce(sum(times), 0)::int as times from ${table}`))[0]?.['times']) >= 1_000 ||
    undefined
  await eventually('all are written', all, 90_000)
  assert.equal(
    [...(await rows(table))],
    [0, 1, 2, 3, 4].map((at) => ({ key: `k${at}`, n: 995 + at, times: 200 })),
  )
  await Promise.all(runs.map((run) => run.stop()))
})

test('an event that cannot be written is a dead letter, and those beside it are written; or the sink stands before it', async () => {
  const write: PostgresSinkOptions<[typeof Placed]>['write'] = (query, { data }) => {
    if (data.n === 2) throw new Error('not this one')
    return query(`insert into ${place.table} (key, n) values ($1, $2::int)`, [String(data.n), data.n])
  }
  const place = { table: '' }
  const made = await freshSink({ write })
  place.table = made.table
  await publishAll(
    await sharedConnection(),
    made.stream,
    [0, 1, 2, 3].map((n) => placed(n)),
  )
  const stopping = made.start(undefined, { onError: 'stop' })
  await eventually('it stands', () => stopping.status.stall?.code === 'SINK_WRITE_FAILED' || undefined)
  assert.equal(
    (await rows(made.table)).map(({ key }) => key),
    ['0', '1'],
  )
  await stopping.stop()
  made.start()
  await eventually('it goes on', async () => (await rows(made.table)).length === 3 || undefined)
  const shared = await sharedConnection()
  const letters = await eventually('a letter', async () => {
    const found = await readAll(shared, 'DEAD_LETTERS', [`millrace.dead.${made.stream.name}.>`])
    return found.length > 0 ? found : undefined
  })
  assert.is(letters[0]?.headers.get('Millrace-Dead-Code'), 'SINK_WRITE_FAILED')
})

test('OX7 an error of Millrace’s own that `write` throws is one of its event', async () => {
  const made = await freshSink({
    write: (query, { data }) => {
      Placed({ ...data, n: data.n === 1 ? Number.NaN : data.n }) // EVENT_DATA_INVALID
      return query(`insert into ${place.table} (key, n) values ($1, $2::int)`, [String(data.n), data.n])
    },
  })
  const place = made
  await publishAll(
    await sharedConnection(),
    made.stream,
    [0, 1, 2].map((n) => placed(n)),
  )
  const run = made.start()
  await eventually('the others are written', async () => (await rows(made.table)).length === 2 || undefined, 10_000)
  assert.is(run.status.letters, 1)
  assert.is(run.status.stall, undefined)
})

test('a new version begins anew, and the former one writes no more', async () => {
  const { stream, table, start } = await freshSink()
  await publishAll(
    await sharedConnection(),
    stream,
    [0, 1, 2].map((n) => placed(n, `k${n}`)),
  )
  const former = start()
  await eventually('it is there', async () => (await rows(table)).length === 3 || undefined)
  const write = upsert(table, ['key'], ({ data }) => {
    const { key, n } = data as { key: string; n: number }
    return { key, n: n * 10 }
  })
  start(undefined, { version: 2, write, reset: (query: typeof client.query) => query(`truncate ${table}`) })
  await eventually('it is made anew', async () => (await rows(table))[2]?.['n'] === 20 || undefined)
  await publishAll(await sharedConnection(), stream, [placed(3, 'k3')])
  await eventually('it goes on', async () => (await rows(table))[3]?.['n'] === 30 || undefined)
  await pause(500)
  assert.is((await rows(table))[3]?.['n'], 30)
  await eventually('the former one says why', () => former.status.stall?.code === 'SINK_FENCED' || undefined)
})

test('OX7 where its stream was made again, a sink passes over nothing: it says so, and its next version begins anew', async () => {
  // a table that former code made, which did not say when its stream was made
  const positions = `sinks_before_${process.pid}`
  const columns = "stream text not null, version int default 1, generation bigint default 0, owner text default ''"
  const more = "until timestamptz default '-infinity', position bigint default 0, updated_at timestamptz"
  await sql.unsafe(`create table ${positions} (name text primary key, ${columns}, ${more})`)
  const { stream, table, start } = await freshSink({ table: positions })
  const shared = await sharedConnection()
  const { streams } = shared.manager
  const { config } = await streams.info(stream.name)
  await publishAll(
    shared,
    stream,
    [0, 1, 2].map((n) => placed(n, `k${n}`)),
  )
  const former = start()
  await eventually('they are written', async () => (await rows(table)).length === 3 || undefined)
  await former.stop()
  await streams.delete(stream.name)
  await streams.add(config)
  await publishAll(
    shared,
    stream,
    [3, 4, 5, 6, 7].map((n) => placed(n, `k${n}`)),
  )
  const same = start()
  await eventually('it says so', () => same.status.stall?.code === 'STREAM_REPLACED' || undefined)
  assert.is((await rows(table)).length, 3)
  start(undefined, { version: 2 })
  await eventually('all are written', async () => (await rows(table)).length === 8 || undefined)
})

test('an inbox knows a message again, unless its transaction was rolled back', async () => {
  const table = `inbox_${process.pid}`
  await migrate(client, inboxSql(table))
  const inbox = sqlInbox({ name: 'mail', table })
  const once = (id: string): Promise<boolean> => sql.begin((tx) => inbox.once(tx, id)) as Promise<boolean>
  const failing = sql.begin(async (tx) => {
    assert.ok(await inbox.once(tx, 'a'))
    throw new Error('rolled back')
  })
  await failing.catch(() => undefined)
  assert.equal([await once('a'), await once('a'), await once('b')], [true, false, true])
  const both = await Promise.all([once('c'), once('c'), once('c')])
  assert.is(both.filter((first) => first).length, 1)
  assert.is(await sqlInbox({ name: 'other', table }).forget(client, 0), 0)
  await pause(5)
  assert.is(await inbox.forget(client, 1), 3)
  assert.ok(await once('a'))
})

test.run()
