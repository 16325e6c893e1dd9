// An outbox in a database of its own, a stream, and relays between them.
import { Pool } from 'pg'
import postgres from 'postgres'
import { z } from 'zod'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration, StreamOptions } from '../../src/broker/define-stream.ts'
import { defineEvent, type DraftOf } from '../../src/event/contract.ts'
import { silentLog } from '../../src/observe/log.ts'
import { defineOutbox } from '../../src/outbox/define-outbox.ts'
import type { OutboxDeclaration, OutboxOptions } from '../../src/outbox/outbox-options.ts'
import { migrate, outboxSql } from '../../src/outbox/outbox-schema.ts'
import { Relay } from '../../src/outbox/relay.ts'
import { pgClient } from '../../src/sql/pg-client.ts'
import { postgresClient } from '../../src/sql/postgres-client.ts'
import type { SqlClient } from '../../src/sql/sql-client.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { readAll } from '../support/events.ts'

export const Placed = defineEvent('order.placed', {
  data: z.object({ n: z.number(), key: z.string(), at: z.number(), pad: z.string().optional() }),
  key: ({ key }) => key,
})

let count = 0

export type Sql = ReturnType<typeof postgres>

export function openSql(url: string, max = 8): Sql {
  const sql = postgres(url, {
    onnotice: () => undefined,
    max,
    connect_timeout: 30,
    idle_timeout: 20,
    backoff: () => 0.1,
  })
  atEnd(() => sql.end({ timeout: 1 }))
  return sql
}

/** Of the driver that outlives a server that is killed while it writes. */
function openPg(url: string, max: number): SqlClient {
  const pool = new Pool({ connectionString: url, max, connectionTimeoutMillis: 30_000 })
  pool.on('error', () => undefined) // connections that nobody uses when the server ends
  atEnd(() => pool.end())
  return pgClient(pool)
}

export interface FreshOutbox {
  readonly connection: Connection
  readonly stream: StreamDeclaration
  readonly table: string
  readonly sql: Sql
  /** Of writers. */
  readonly client: SqlClient
  readonly outbox: OutboxDeclaration<[typeof Placed]>
  /** @param own its connection, when it is to be cut */
  relay(own?: Connection): Relay
}

export interface FreshOptions extends Partial<OutboxOptions<[typeof Placed]>> {
  /** What the relay does with its client. */
  readonly wrap?: (client: SqlClient) => SqlClient
  /** Default postgres. */
  readonly driver?: 'postgres' | 'pg'
  /** Of writers. Default 8. */
  readonly connections?: number
  readonly streamOptions?: Partial<StreamOptions>
}

/** An outbox with a table, made in the database. */
export async function freshOutbox(url: string, options: FreshOptions = {}): Promise<FreshOutbox> {
  const { wrap = (client: SqlClient): SqlClient => client, streamOptions, connections = 8, driver, ...rest } = options
  const open = (max: number): SqlClient => (driver === 'pg' ? openPg(url, max) : postgresClient(openSql(url, max)))
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { storage: 'memory', ...streamOptions })
  const table = `outbox_${process.pid}_${(count += 1)}`
  const sql = openSql(url, driver === 'pg' ? 1 : connections)
  const own = driver === 'pg' ? open(connections) : postgresClient(sql)
  const client = (): SqlClient => wrap(open(4))
  const events: [typeof Placed] = [Placed]
  const outbox = defineOutbox({ name: `o${count}`, stream: stream.name, events, table, client, ...rest })
  await migrate(own, outboxSql(table))
  const relay = (own: Connection = connection): Relay => relayOf(own, stream, outbox)
  return { connection, stream, table, sql, client: own, outbox, relay }
}

function relayOf(connection: Connection, stream: StreamDeclaration, declaration: OutboxDeclaration): Relay {
  const relay = Relay.start({
    connection,
    clock: systemClock,
    log: silentLog,
    declaration,
    stream,
    owner: 'test',
    newId: systemId,
  })
  atEnd(() => relay.stop())
  return relay
}

/** The data of what is in the stream, in order. */
export async function relayed({ connection, stream }: FreshOutbox): Promise<{ n: number; key: string; at: number }[]> {
  const messages = await readAll(connection, stream.name, [`${stream.root}.>`])
  return messages.map(({ data }) => JSON.parse(Buffer.from(data).toString()) as { n: number; key: string; at: number })
}

/** Waits until so many events are in the stream, and a little longer, so that more would be seen. */
export async function untilRelayed(box: FreshOutbox, expected: number, limitMs = 60_000): ReturnType<typeof relayed> {
  const messages = async (): Promise<number> => (await relayed(box)).length
  await eventually(`${expected} are relayed`, async () => ((await messages()) >= expected ? true : undefined), limitMs)
  await new Promise((resolve) => setTimeout(resolve, 300))
  return relayed(box)
}

/** An event; its key is `k` unless another one is said. */
export function placed(n: number, key = 'k', pad?: string): DraftOf<typeof Placed> {
  return Placed({ n, key, at: 0, ...(pad === undefined ? {} : { pad }) })
}

/** Adds events in a transaction of their own. */
export function add({ sql, outbox }: FreshOutbox, ...events: readonly DraftOf<typeof Placed>[]): Promise<unknown> {
  return sql.begin((tx) => outbox.add(tx, events))
}
