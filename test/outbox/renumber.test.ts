// A database that was restored into a cluster which counts its transactions from the beginning.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { START } from '../../src/outbox/relay-place.ts'
import { renumber } from '../../src/outbox/renumber.ts'
import { postgresClient } from '../../src/sql/postgres-client.ts'
import { eventually } from '../support/broker.ts'
import { sharedPostgres } from '../support/postgres.ts'
import { add, freshOutbox, placed, untilRelayed } from './outboxes.ts'

const test = suite('renumber')

test('OX1 numbers of another cluster stop the relay with a code; renumbered, what was not relayed is, once and in order', async () => {
  const box = await freshOutbox((await sharedPostgres()).url)
  const { sql, table, outbox, stream, connection } = box
  const first = box.relay()
  await add(box, placed(0), placed(1))
  await untilRelayed(box, 2)
  await first.stop()
  await add(box, placed(2), placed(3), placed(4))
  // as if those of the former cluster had been far higher
  await sql.unsafe(`update ${table} set lsn = lsn + 1000000000000`)
  const subject = `millrace.${stream.name}.relay.${outbox.name}`
  const last = await connection.manager.streams.getMessage(stream.name, { last_by_subj: subject })
  const store = (one: object) =>
    publishOnce(connection, { subject, headers: [], data: Buffer.from(JSON.stringify(one)) })
  const record = JSON.parse(Buffer.from(last?.data ?? '').toString())
  const high = await sql.unsafe('select ($1::text::pg_lsn + 1000000000000)::text as lsn', [record.place.lsn])
  record.place.lsn = high[0]?.['lsn']
  await store(record)
  await sql.unsafe(`update millrace_outboxes set place = $2::text::json where name = $1`, [
    outbox.name,
    JSON.stringify(record.place),
  ])
  const stuck = box.relay()
  await eventually('it says so', () => stuck.status.stall?.code === 'OUTBOX_NUMBERS_WENT_BACK' || undefined)
  await stuck.stop()
  assert.is(await renumber(postgresClient(sql), table, outbox.name, record.place), 3)
  await store({ ...record, place: START })
  box.relay()
  assert.equal(
    (await untilRelayed(box, 5)).map(({ n }) => n),
    [0, 1, 2, 3, 4],
  )
})

test.run()
