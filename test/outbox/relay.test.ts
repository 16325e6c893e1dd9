// A relay between a real PostgreSQL and a real stream: what peers' relays are known for does not happen here, and does
// with the naive ones beside.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineEvent } from '../../src/event/contract.ts'
import { eventually } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { sharedPostgres } from '../support/postgres.ts'
import { cursorRelay } from './naive/cursor-relay.ts'
import { horizonRelay } from './naive/horizon-relay.ts'
import { markRelay } from './naive/mark-relay.ts'
import { add, freshOutbox, placed, type Placed, relayed, untilRelayed, type FreshOutbox } from './outboxes.ts'

const test = suite('relay')

const { url } = await sharedPostgres()
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const numbers = async (box: FreshOutbox): Promise<number[]> => (await relayed(box)).map(({ n }) => n)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

test('OX1 what was committed is relayed in order, what was rolled back is not', async () => {
  const box = await freshOutbox(url)
  box.relay()
  for (let n = 0; n < 20; n++) await add(box, placed(2 * n), placed(2 * n + 1))
  const failing = box.sql.begin(async (tx) => {
    await box.outbox.add(tx, placed(99))
    throw new Error('not this one')
  })
  await failing.catch(() => undefined)
  assert.equal(
    (await untilRelayed(box, 40)).map(({ n }) => n),
    upTo(40),
  )
})

/** The first row is made before the second, and commits after it was relayed, or could have been. */
async function heldInsert(box: FreshOutbox, passed: () => Promise<unknown> = () => pause(300)): Promise<void> {
  const late = await box.sql.reserve()
  await late`begin`
  await box.outbox.add(late, placed(0))
  await add(box, placed(1))
  await passed()
  await late`commit`
  late.release()
  await add(box, placed(2))
}

test('OX1 40 a row whose transaction commits late is not passed over', async () => {
  const box = await freshOutbox(url)
  box.relay()
  await heldInsert(box)
  assert.equal((await untilRelayed(box, 3)).map(({ n }) => n).sort(), upTo(3))
  const naive = await freshOutbox(url)
  const relay = cursorRelay(naive)
  const has = (count: number) =>
    eventually(`it has relayed ${count}`, async () => (await numbers(naive)).length >= count || undefined)
  await heldInsert(naive, () => has(1))
  await has(2)
  await pause(300)
  await relay.stop()
  assert.equal(await numbers(naive), [1, 2], 'the naive relay has passed it over')
})

test('OX1 40 a row of a transaction with a higher number than any that has ended is not passed over', async () => {
  const box = await freshOutbox(url)
  const [lower, higher] = [await box.sql.reserve(), await box.sql.reserve()]
  await lower`begin`
  await lower`select pg_current_xact_id()::text`
  await higher`begin`
  await box.outbox.add(higher, placed(0))
  await box.outbox.add(lower, placed(1))
  await lower`commit` // a snapshot ends behind this one now, and does not know of the other
  box.relay()
  await pause(500)
  await higher`commit`
  lower.release()
  higher.release()
  assert.equal((await untilRelayed(box, 2)).map(({ n }) => n).sort(), upTo(2))
})

/** The transaction with the lower number waits for the key that the other one has. */
async function turnedRound(box: FreshOutbox): Promise<void> {
  await box.sql`create table if not exists ${box.sql(`${box.table}_keys`)} (key text primary key)`
  await box.sql`insert into ${box.sql(`${box.table}_keys`)} values ('k')`
  const [first, second] = [await box.sql.reserve(), await box.sql.reserve()]
  await first`begin`
  await first`select pg_current_xact_id()::text`
  await second`begin`
  await second`select * from ${box.sql(`${box.table}_keys`)} where key = 'k' for update`
  const waiting = (async () => {
    await first`select * from ${box.sql(`${box.table}_keys`)} where key = 'k' for update`
    await box.outbox.add(first, placed(1))
    await first`commit`
  })()
  await box.outbox.add(second, placed(0))
  await second`commit`
  await waiting
  first.release()
  second.release()
}

test('OX2 41 the order of a key is that of its transactions, whichever number they have, whatever sequences cache', async () => {
  const box = await freshOutbox(url)
  await box.sql.unsafe(`alter sequence ${box.table}_position_seq cache 50`)
  box.relay()
  for (let round = 0; round < 5; round++) await turnedRound(await withoutKeys(box))
  assert.equal(
    (await untilRelayed(box, 10)).map(({ n }) => n),
    [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
  )
  const naive = await freshOutbox(url)
  const relay = horizonRelay(naive)
  await turnedRound(naive)
  await eventually('both are relayed', async () => (await numbers(naive)).length >= 2 || undefined)
  await relay.stop()
  assert.equal(await numbers(naive), [1, 0], 'the naive relay turns them round')
})

async function withoutKeys(box: FreshOutbox): Promise<FreshOutbox> {
  await box.sql`drop table if exists ${box.sql(`${box.table}_keys`)}`
  return box
}

test('OX4 42 rows that cannot be published become dead letters, with why; the others go on', async () => {
  const box = await freshOutbox(url)
  const { sql, table } = box
  await add(box, placed(0))
  await sql.unsafe(`insert into ${table} (type, data) values ('order.unknown', '{}')`)
  await sql.unsafe(`insert into ${table} (type, data) values ('order.placed', '{"n": "text"}')`)
  await sql.unsafe(`insert into ${table} (type, key, data) values ('order.placed', '', '{"n":1,"key":"k","at":0}')`)
  await sql.unsafe(
    `insert into ${table} (type, attributes, data) values ('order.placed', '[]', '{"n":1,"key":"k","at":0}')`,
  )
  await add(box, placed(1, 'k', 'x'.repeat(3_000_000)))
  await add(box, placed(1))
  const relay = box.relay()
  assert.equal(
    (await untilRelayed(box, 2)).map(({ n }) => n),
    [0, 1],
  )
  const letters = await eventually('letters', async () => {
    const found = await readAll(box.connection, 'DEAD_LETTERS', [`millrace.dead.outbox-${box.outbox.name}.>`])
    return found.length >= 5 ? found : undefined
  })
  const codes = letters.map(({ headers }) => headers.get('Millrace-Dead-Code'))
  assert.equal(codes, [
    'OUTBOX_ROW_INVALID',
    'EVENT_DATA_INVALID',
    'SUBJECT_INVALID',
    'OUTBOX_ROW_INVALID',
    'OUTBOX_ROW_INVALID',
  ])
  assert.is(letters.at(-1)?.headers.get('Millrace-Dead-Payload-Left-Out'), '3000033')
  await eventually('they are counted', () => relay.status.letters === 5 || undefined)
  const marked = `select count(*)::int as count from ${table} where error is not null`
  await eventually('they are marked', async () => (await sql.unsafe(marked))[0]?.['count'] === 5 || undefined)
  const naive = await freshOutbox(url)
  await add(naive, placed(0))
  await naive.sql.unsafe(`insert into ${naive.table} (type, data) values ('order.placed', '{"n": "text"}')`)
  const stuck = markRelay(naive, () => false)
  await pause(300)
  await stuck.stop()
  assert.equal(await numbers(naive), [], 'the naive relay is wedged')
})

test('OX4 a key that cannot be taken from the data, and one that no subject has room for, hold nothing up', async () => {
  const Sent = defineEvent('order.placed', {
    data: z.object({ n: z.number(), key: z.string().optional() }),
    key: ({ key }) => (key as string).toUpperCase(),
  })
  const box = await freshOutbox(url, { events: [Sent] as unknown as [typeof Placed] })
  const insert = `insert into ${box.table} (type, key, data) values ('order.placed', $1, $2::text::json)`
  await box.sql.unsafe(insert, [null, '{"n":0}'])
  await box.sql.unsafe(insert, ['k'.repeat(5_000), '{"n":1}'])
  await box.sql.unsafe(insert, [null, '{"n":2,"key":"k"}'])
  const relay = box.relay()
  await untilRelayed(box, 1)
  assert.equal(await numbers(box), [2])
  await eventually('both are counted', () => relay.status.letters === 2 || undefined)
  const errors = await box.sql.unsafe(`select error from ${box.table} where error is not null order by position`)
  assert.match(String(errors[0]?.['error']), /^EVENT_DATA_INVALID: order.placed: its key cannot be taken/)
  assert.match(String(errors[1]?.['error']), /^SUBJECT_INVALID: order.placed: a key of 5000 bytes/)
})

test('OX3 41 a row whose id the stream has already is passed, and those beside it are relayed', async () => {
  const box = await freshOutbox(url)
  const { sql, table } = box
  const relay = box.relay()
  for (const n of [0, 1, 1, 2])
    await sql.unsafe(
      `insert into ${table} (id, type, data) values ('id-${n}', 'order.placed', '{"n":${n},"key":"k","at":0}')`,
    )
  assert.equal(
    (await untilRelayed(box, 3)).map(({ n }) => n),
    upTo(3),
  )
  await eventually('it is counted', () => relay.status.duplicates === 1 || undefined)
})

test('OX3 41 two that relay against each other store each row once, long after the stream has forgotten its ids', async () => {
  // neither ever hears that it is not its turn, as one that was stopped and goes on
  const wrap: NonNullable<Parameters<typeof freshOutbox>[1]>['wrap'] = (client) => ({
    ...client,
    query: (text, values) => (text.includes('as held') ? Promise.resolve([{ name: '' }]) : client.query(text, values)),
  })
  const box = await freshOutbox(url, { wrap, batch: 7, streamOptions: { duplicateWindow: 100 } })
  const relays = [box.relay(), box.relay(), box.relay()]
  for (let n = 0; n < 300; n++) await add(box, placed(n))
  assert.equal(
    (await untilRelayed(box, 300)).map(({ n }) => n),
    upTo(300),
  )
  await Promise.all(relays.map((relay) => relay.stop()))
})

test('OX3 41 killed between publishing and marking, none is there twice, long after the stream has forgotten its ids', async () => {
  let marks = 0
  const box = await freshOutbox(url, {
    streamOptions: { duplicateWindow: 100 },
    // what a relay says to the database behind its commits is lost
    wrap: (client) => ({
      ...client,
      query: (text, values) => {
        if (!text.includes('set place')) return client.query(text, values)
        marks += 1
        return Promise.resolve([])
      },
    }),
  })
  for (let round = 0; round < 3; round++) {
    const relay = box.relay()
    for (let n = 0; n < 10; n++) await add(box, placed(10 * round + n))
    await eventually('they are relayed', async () => (await numbers(box)).length === 10 * (round + 1) || undefined)
    await relay.stop()
    await pause(150)
  }
  assert.equal(await numbers(box), upTo(30))
  assert.ok(marks > 0)
  const naive = await freshOutbox(url, { streamOptions: { duplicateWindow: 100 } })
  await add(naive, placed(0))
  const relay = markRelay(naive, () => true)
  await eventually('the naive relay has sent it again', async () => (await numbers(naive)).length > 1 || undefined)
  await relay.stop()
})

test('OX3 42 a stream that has lost the position is not filled again from rows that are kept', async () => {
  const box = await freshOutbox(url)
  const first = box.relay()
  await add(box, placed(0), placed(1))
  await untilRelayed(box, 2)
  await eventually('it is marked', async () => {
    const [row] = await box.sql.unsafe(`select relayed::int as relayed from millrace_outboxes where name = $1`, [
      box.outbox.name,
    ])
    return row?.['relayed'] === 2 || undefined
  })
  await first.stop()
  await box.connection.manager.streams.purge(box.stream.name)
  box.relay()
  await add(box, placed(2))
  assert.equal(
    (await untilRelayed(box, 1)).map(({ n }) => n),
    [2],
  )
})

test.run()
