import type { SqlClient } from '../sql/sql-client.js'
import { besideTable } from './outbox-schema.js'
import type { RelayPlace } from './relay-place.js'

/**
 * Numbers rows anew that are not relayed, in their order, after a database was restored into a cluster that counts its
 * transactions from the beginning; rows that are relayed are deleted, since nothing tells them from others any more.
 * Nothing may write to the table meanwhile, and no relay run.
 * @param place how far the relay had come, by the former numbers
 * @returns how many are left
 */
export function renumber(client: SqlClient, table: string, name: string, place: RelayPlace): Promise<number> {
  return client.transaction(async (query) => {
    await query(`lock table ${table} in access exclusive mode`)
    const { lsn, position } = place
    await query(
      `delete from ${table} where error is null and (lsn, position) <= ($1::text::pg_lsn, $2::text::bigint)`,
      [lsn, position],
    )
    const columns =
      'id, type, version, key, source, time, correlation_id, causation_id, attributes, data, created_at, attempts'
    // written anew, they are numbered as any row is
    const [left] = await query(
      `with moved as (delete from ${table} where error is null returning *),
       written as (insert into ${table} (${columns}) select ${columns} from moved order by lsn, position returning 1)
       select count(*)::int as count from written`,
    )
    await query(`update ${besideTable(table, 'millrace_outboxes')} set place = null where name = $1`, [name])
    return Number(left?.['count'] ?? 0)
  })
}
