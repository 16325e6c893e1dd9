// Writers, relays and the database, none of which is left in peace: none skipped, none twice, each key in its order.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Seeded } from '../../src/time/seeded.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { startPostgres } from '../support/postgres.ts'
import { allRelayed, committed, makeKeys, write } from './chaos.ts'
import { add, freshOutbox, placed, type FreshOutbox } from './outboxes.ts'

const test = suite('chaos of an outbox')

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const server = await startPostgres()

async function requireEachOnce(box: FreshOutbox, limitMs = 90_000): Promise<number> {
  const stream = await allRelayed(box, limitMs)
  let total = 0
  for (const [key, count] of await committed(box.client, box.table)) {
    assert.equal(
      stream.get(key),
      Array.from({ length: count }, (_, n) => n + 1),
      key,
    )
    total += count
  }
  return total
}

test('OX1 OX2 OX3 40 41 writers that hold, roll back and wait, a sequence that caches, relays that are killed', async () => {
  const box = await freshOutbox(server.url, { batch: 20, takeover: 1_000, streamOptions: { duplicateWindow: 100 } })
  await box.sql.unsafe(`alter sequence ${box.table}_position_seq cache 32`)
  const keys = await makeKeys(box, 6)
  const writing = write(box, keys, new Seeded('outbox 7'), { writers: 8, ms: 8_000, atLeast: 150 })
  const { url } = await sharedServer()
  const ended = new AbortController()
  const killing = (async () => {
    while (!ended.signal.aborted) {
      const connection = await connectTo(url)
      const relay = box.relay(connection)
      await pause(700)
      await connection.close() // in the middle of whatever it does
      void relay.stop()
    }
  })()
  await writing
  ended.abort()
  await killing
  box.relay()
  const total = await requireEachOnce(box)
  assert.ok(total > 100, `${total} events`)
})

test('OX5 OX3 42 the database is killed again and again, and is away for a while', async () => {
  const box = await freshOutbox(server.url, {
    batch: 20,
    takeover: 2_000,
    driver: 'pg',
    streamOptions: { duplicateWindow: 100 },
  })
  const relays = [box.relay(), box.relay()]
  const keys = await makeKeys(box, 6)
  const writing = write(box, keys, new Seeded('outbox 8'), { writers: 6, ms: 9_000, atLeast: 100 })
  for (let round = 0; round < 3; round++) {
    await pause(1_500)
    await server.kill()
    await pause(round === 1 ? 3_000 : 100)
    const told = (): boolean => relays.some(({ status }) => status.stall?.code === 'OUTBOX_DATABASE_UNREACHABLE')
    if (round === 1) await eventually('it is told', () => told() || undefined)
    await server.restart()
  }
  await writing
  const total = await requireEachOnce(box)
  assert.ok(total > 50, `${total} events`)
  await Promise.all(relays.map((relay) => relay.stop()))
})

test('OX3 41 42 a backlog is relayed, each row once', async () => {
  const box = await freshOutbox(server.url)
  const rows = 20_000
  await box.sql.unsafe(
    `insert into ${box.table} (type, key, data) select 'order.placed', 'k' || n % 100,
       json_build_object('n', n, 'key', 'k' || n % 100, 'at', 0) from generate_series(1, ${rows}) as n`,
  )
  await add(box, placed(0))
  const relay = box.relay()
  await eventually('all are relayed', () => relay.status.relayed === rows + 1 || undefined, 180_000)
  const { state } = await box.connection.manager.streams.info(box.stream.name, {
    subjects_filter: `${box.stream.root}.>`,
  })
  const stored = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0)
  assert.is(stored, rows + 1)
})

test.run()
