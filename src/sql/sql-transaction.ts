import { queryOfPg, type PgQueries } from './pg-client.js'
import { queryOfPostgres, type PostgresSql } from './postgres-client.js'
import type { SqlQuery } from './sql-client.js'

/** A transaction of a user: `sql` of postgres, a client of pg, or a SqlQuery. */
export type SqlTransaction = PostgresSql | PgQueries | SqlQuery

/** How to ask in a user’s own transaction; undefined when it is nothing that is known. */
export function queryIn(transaction: SqlTransaction): SqlQuery | undefined {
  if (typeof transaction !== 'function' && (typeof transaction !== 'object' || transaction === null)) return undefined
  if ('unsafe' in transaction && typeof transaction.unsafe === 'function') return queryOfPostgres(transaction)
  if ('query' in transaction && typeof transaction.query === 'function') return queryOfPg(transaction)
  return typeof transaction === 'function' ? (transaction as SqlQuery) : undefined
}
