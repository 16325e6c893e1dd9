// Writers that do to an outbox whatever writers do: hold inserts, roll back, wait for each other, take long.
import type { Seeded } from '../../src/time/seeded.ts'
import { eventually } from '../support/broker.ts'
import type { SqlClient } from '../../src/sql/sql-client.ts'
import { placed, relayed, type FreshOutbox } from './outboxes.ts'

export interface Written {
  /** By key: what was committed, in the order in which its lock was had. */
  readonly byKey: Map<string, number[]>
  /** Transactions of which the connection was lost while they committed: nobody can say. */
  readonly unsure: Set<number>
  total(): number
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Keys that writers lock before they add for them, as they do with the rows that events tell of. */
export async function makeKeys({ client, table }: FreshOutbox, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, at) => `k${at}`)
  await client.query(`create table ${table}_keys (key text primary key, n int not null default 0)`)
  for (const key of keys) await client.query(`insert into ${table}_keys (key) values ($1)`, [key])
  return keys
}

/** For writing as much as is asked for, where the machine is slow. */
const PATIENCE_MS = 120_000

/** Runs writers until the time is over and so many events are written; each event says how many its key had before it. */
export async function write(
  box: FreshOutbox,
  keys: readonly string[],
  random: Seeded,
  { writers, ms, atLeast }: { readonly writers: number; readonly ms: number; readonly atLeast: number },
): Promise<Written> {
  const end = performance.now() + ms
  const written: Written = {
    byKey: new Map(keys.map((key) => [key, []])),
    unsure: new Set(),
    total: () => [...written.byKey.values()].reduce((sum, { length }) => sum + length, 0),
  }
  const writer = async (): Promise<void> => {
    while (performance.now() < end || (written.total() < atLeast && performance.now() < end + PATIENCE_MS))
      await transaction(box, keys, random, written).catch(async () => {
        await pause(50) // rolled back, a deadlock, or the database is away: it is somebody else's turn
      })
  }
  await Promise.all(Array.from({ length: writers }, writer))
  return written
}

async function transaction(
  { client, outbox, table }: FreshOutbox,
  keys: readonly string[],
  random: Seeded,
  written: Written,
): Promise<void> {
  const one = <T>(all: readonly T[]): T => all[Math.floor(random.random() * all.length)] as T
  const own: (readonly [string, number])[] = []
  await client.transaction(async (query) => {
    if (random.random() < 0.3) await query('select pg_current_xact_id()::text') // a number before it has a lock
    if (random.random() < 0.1) await pause(random.random() * 300)
    // in one order of keys, or most of the time goes into deadlocks
    const some = Array.from({ length: 1 + Math.floor(random.random() * 4) }, () => one(keys)).sort()
    for (const key of some) {
      const [row] = await query(`update ${table}_keys set n = n + 1 where key = $1 returning n`, [key])
      const n = Number(row?.['n'])
      if (random.random() < 0.1) await pause(random.random() * 50)
      await outbox.add(query, placed(n, key))
      own.push([key, n])
    }
    if (random.random() < 0.1) await pause(random.random() * 200)
    if (random.random() < 0.15) throw new Error('rolled back')
  })
  for (const [key, n] of own) written.byKey.get(key)?.push(n)
}

/** What the database says was committed: each key's count is in the transaction of its events. */
export async function committed(client: SqlClient, table: string): Promise<Map<string, number>> {
  const rows = await client.query(`select key, n from ${table}_keys`)
  return new Map(rows.map((row) => [String(row['key']), Number(row['n'])]))
}

/** Waits until everything that was committed is in the stream. @returns by key, in the order of the stream */
export async function allRelayed(box: FreshOutbox, limitMs: number): Promise<Map<string, number[]>> {
  const counts = await eventually(
    'the database answers',
    () => committed(box.client, box.table).catch(() => undefined),
    limitMs,
  )
  const expected = [...counts.values()].reduce((sum, n) => sum + n, 0)
  await eventually(`${expected} are relayed`, async () => (await relayed(box)).length >= expected || undefined, limitMs)
  await pause(500)
  const byKey = new Map<string, number[]>([...counts.keys()].map((key) => [key, []]))
  for (const { key, n } of await relayed(box)) byKey.get(key)?.push(n)
  return byKey
}
