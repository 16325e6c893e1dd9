import { fault } from '../error/millrace-error.js'
import type { SqlClient } from '../sql/sql-client.js'
import { queryIn, type SqlTransaction } from '../sql/sql-transaction.js'
import { inboxSql, isTableName, migrate } from './outbox-schema.js'

export interface SqlInboxOptions {
  /** Whose messages: each name has ids of its own. The name of the handler, as a rule. */
  readonly name: string
  /** Default `millrace_inbox`; inboxes share it. */
  readonly table?: string
}

/** What a consumer has handled, in its own database. */
export interface SqlInbox {
  /**
   * Whether a message is here for the first time. It is remembered with the rest of the transaction: when that is rolled
   * back, the message is new again. Of two transactions with one message the second waits for the first.
   * @param id such as `ctx.idempotencyKey` of a handler
   * @throws OUTBOX_TRANSACTION_UNKNOWN; what the database says
   */
  once(transaction: SqlTransaction, id: string): Promise<boolean>
  /** Forgets what is older than so many ms: longer than a message may be delivered or redriven again. @returns how many */
  forget(client: SqlClient, olderThan: number): Promise<number>
  /** Makes the table, when it is not there. */
  prepare(client: SqlClient): Promise<void>
}

/**
 * An inbox in a table: with it, the effect of a message in a database is there once, however often it is delivered.
 * @example
 * handle: (event, { idempotencyKey }) => sql.begin(async (tx) => {
 *   if (await inbox.once(tx, idempotencyKey)) await tx`update accounts …`
 * })
 * @throws SINK_INVALID
 */
export function sqlInbox({ name, table = 'millrace_inbox' }: SqlInboxOptions): SqlInbox {
  if (typeof name !== 'string' || name === '') throw fault('SINK_INVALID', 'an inbox has no name')
  if (!isTableName(table)) throw fault('SINK_INVALID', `table ${JSON.stringify(table)} of inbox ${name}`)
  return Object.freeze<SqlInbox>({
    once: async (transaction, id) => {
      const query = queryIn(transaction)
      if (query === undefined) throw fault('OUTBOX_TRANSACTION_UNKNOWN', name)
      const rows = await query(`insert into ${table} (name, id) values ($1, $2) on conflict do nothing returning id`, [
        name,
        id,
      ])
      return rows.length > 0
    },
    forget: async (client, olderThan) => {
      const [gone] = await client.query(
        `with gone as (delete from ${table} where name = $1
           and created_at < clock_timestamp() - $2::float8 * interval '1 ms' returning 1)
         select count(*)::int as count from gone`,
        [name, olderThan],
      )
      return Number(gone?.['count'] ?? 0)
    },
    prepare: (client) => migrate(client, inboxSql(table)),
  })
}
