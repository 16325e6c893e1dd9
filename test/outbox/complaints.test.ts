// PEERS F, 42: backlogs that nobody sees, that nobody takes over, and tables that only grow. Each with the one that has it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTo, eventually } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { sharedPostgres } from '../support/postgres.ts'
import { claimRelay } from './naive/claim-relay.ts'
import { markRelay } from './naive/mark-relay.ts'
import { add, freshOutbox, placed, relayed, untilRelayed, type FreshOutbox } from './outboxes.ts'

const test = suite('complaints about relays')

const { url } = await sharedPostgres()
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const inTable = async ({ sql, table }: FreshOutbox, where = 'true'): Promise<number> =>
  Number((await sql.unsafe(`select count(*)::int as count from ${table} where ${where}`))[0]?.['count'])

test('OX6 42 rows that wait for an older transaction are told, and who it is', async () => {
  const box = await freshOutbox(url)
  const relay = box.relay()
  const late = await box.sql.reserve()
  await late`begin`
  await box.outbox.add(late, placed(0))
  await add(box, placed(1), placed(2))
  const lag = await eventually('both are told', () => {
    const told = relay.status.lag
    return told?.rows === 2 && told.holder !== undefined ? told : undefined
  })
  assert.ok(lag?.holder?.query?.includes('insert into'), JSON.stringify(lag))
  assert.ok((lag?.holder?.pid ?? 0) > 0)
  const mayGo = 'error is null and xid < pg_snapshot_xmin(pg_current_snapshot())'
  assert.is(await inTable(box, mayGo), 0, 'who counts what it may relay, as a naive one, sees no backlog')
  await late`rollback`
  late.release()
  await untilRelayed(box, 2)
  await eventually('nothing waits', () => relay.status.lag?.rows === 0 || undefined)
})

test('42 rows that were relayed are deleted after a while, and no others', async () => {
  const box = await freshOutbox(url, { keep: 1 })
  await add(box, placed(0), placed(1))
  await box.sql.unsafe(`insert into ${box.table} (type, data) values ('order.unknown', '{}')`)
  const relay = box.relay()
  await untilRelayed(box, 2)
  await relay.stop()
  await pause(50)
  await add(box, placed(2)) // of another set
  box.relay()
  await untilRelayed(box, 3)
  await eventually('they are gone', async () => (await inTable(box)) <= 2 || undefined, 30_000)
  assert.is(await inTable(box, `error is not null and type = 'order.unknown'`), 1)
  const naive = await freshOutbox(url, { keep: 1 })
  await add(naive, placed(0), placed(1))
  const marking = markRelay(naive, () => false)
  await untilRelayed(naive, 2)
  await add(naive, placed(2))
  await untilRelayed(naive, 3)
  await marking.stop()
  assert.is(await inTable(naive), 3, 'the naive relay keeps them for ever')
})

test('42 the next relay goes on at once behind one that was stopped', async () => {
  const box = await freshOutbox(url, { takeover: 1_500 })
  const first = box.relay()
  await add(box, placed(0))
  await untilRelayed(box, 1)
  const second = box.relay()
  await eventually('it stands by', () => second.status.state === 'standby' || undefined)
  await first.stop()
  await add(box, placed(1))
  await untilRelayed(box, 2)
  assert.is(second.status.state, 'relaying')
})

test('42 what a relay that died had before it is relayed by the next one', async () => {
  const box = await freshOutbox(url, { takeover: 1_000 })
  const dying = await connectTo((await sharedServer()).url)
  const first = box.relay(dying)
  await add(box, placed(0))
  await untilRelayed(box, 1)
  await dying.close()
  await add(box, placed(1))
  box.relay()
  await untilRelayed(box, 2)
  await first.stop()
  const naive = await freshOutbox(url)
  const dead = claimRelay(naive, 'first', () => true)
  await add(naive, placed(0))
  await eventually('it is claimed', async () => (await inTable(naive, `error = 'first'`)) === 1 || undefined)
  await dead.stop()
  const next = claimRelay(naive, 'next', () => false)
  await add(naive, placed(1))
  await untilRelayed(naive, 1)
  await next.stop()
  assert.equal(
    (await relayed(naive)).map(({ n }) => n),
    [1],
    'the naive relay leaves it to who is dead',
  )
})

test.run()
