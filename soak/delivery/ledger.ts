// Where handlers of the soak make their effects: rows of PostgreSQL in one transaction with an inbox, or, where there is
// none, and for what is to be seen twice when it is made twice, lines of a file that all processes append to.
import { appendFileSync } from 'node:fs'
import { pgClient, sqlInbox, type SqlClient } from 'millrace'
import { Pool } from 'pg'
import { untilAborted } from './errand.js'

/** One effect, and of which event. */
export interface Entry {
  readonly handler: string
  readonly id: string
  readonly key: string
  readonly n: number
}

/** An effect as it was found. */
export interface Effect extends Entry {
  readonly at: number
  /** The process that made it. */
  readonly pid: number
  /** Made in such a way that there can be no second one. */
  readonly exact: boolean
}

export const EFFECTS_TABLE = 'soak_effects'
const URL = process.env['SOAK_POSTGRES'] ?? ''
const FILE = process.env['SOAK_LEDGER'] ?? ''

let client: SqlClient | undefined

/** A pool that comes back when its server does. */
export function openPool(url: string, max = 8): Pool {
  const pool = new Pool({ connectionString: url, max, connectionTimeoutMillis: 2_000, idleTimeoutMillis: 20_000 })
  pool.on('error', () => undefined) // connections that nobody uses when the server ends
  return pool
}

/** What is to be entered, and its idempotency key. */
export type Entered = Entry & { readonly idempotencyKey: string }

/** Makes effects, all or none of them, each once; where there is no database, each at least once. */
export async function enter(entries: readonly Entered[], signal: AbortSignal): Promise<void> {
  if (URL === '') return note(entries)
  client ??= pgClient(openPool(URL))
  const one = client.transaction(async (query) => {
    for (const { handler, id, key, n, idempotencyKey } of entries) {
      signal.throwIfAborted() // it may have waited for its connection for longer than the run lasts
      if (!(await sqlInbox({ name: handler }).once(query, idempotencyKey))) continue
      await query(`insert into ${EFFECTS_TABLE} (handler, id, key, n, pid, at) values ($1, $2, $3, $4, $5, $6)`, [
        handler,
        id,
        key,
        n,
        process.pid,
        Date.now(),
      ])
    }
    signal.throwIfAborted()
  })
  await Promise.race([one, untilAborted(signal)])
}

/** Lines of the file: who makes an effect twice is seen. */
export function note(entries: readonly Entry[]): void {
  const lines = entries.map(({ handler, id, key, n }) =>
    JSON.stringify({ handler, id, key, n, at: Date.now(), pid: process.pid }),
  )
  appendFileSync(FILE, `${lines.join('\n')}\n`)
}
