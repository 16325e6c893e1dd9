import { fault } from '../error/millrace-error.js'
import type { SqlQuery, SqlRow } from '../sql/sql-client.js'
import { lsnOf, type RelayPlace, type Sample } from './relay-place.js'

/** A row as it is in the table; times in ms since the Unix epoch. */
export interface OutboxRow {
  readonly lsn: string
  readonly position: string
  readonly id: string
  readonly type: string
  readonly version: number
  readonly key: string | undefined
  readonly source: string | undefined
  readonly time: number | undefined
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  /** JSON, as it was written. */
  readonly attributes: string | undefined
  /** JSON; undefined with `bytes` above what was asked for: it was left there. */
  readonly data: string | undefined
  readonly bytes: number
  readonly createdAt: number
}

/**
 * Whether there is a row that can be seen and is not relayed.
 * @throws OUTBOX_NUMBERS_WENT_BACK
 */
export async function hasRows(query: SqlQuery, table: string, place: RelayPlace): Promise<boolean> {
  const [found] = await query(
    `select pg_current_wal_insert_lsn()::text as lsn,
       exists (select 1 from ${table} where (lsn, position) > ($1::text::pg_lsn, $2::text::bigint)) as more`,
    [place.lsn, place.position],
  )
  const lsn = String(found?.['lsn'])
  if (lsnOf(lsn) < lsnOf(place.lsn))
    throw fault('OUTBOX_NUMBERS_WENT_BACK', `${table}: ${place.lsn} was relayed, the log is at ${lsn}`)
  return found?.['more'] === true
}

/**
 * Looks where the log is, and behind that which transactions go on. It takes a number itself: the end of a snapshot is
 * only behind the last transaction that has ended, and one that goes on may have a higher number.
 */
export async function takeSample(query: SqlQuery): Promise<Sample> {
  const [log] = await query('select pg_current_wal_insert_lsn()::text as lsn')
  const [found] = await query(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as lowest, pg_current_xact_id()::text as most',
  )
  return { lsn: String(log?.['lsn']), lowest: String(found?.['lowest']), end: String(found?.['most']) }
}

/**
 * The rows that come next, in order, and no more than fit.
 * @param below an lsn; see Horizon
 * @param most rows; `bytes` of data in all, which the last row may go beyond; `largest`: data of more than so many
 *   bytes is left in the database
 */
export async function readRows(
  query: SqlQuery,
  table: string,
  place: RelayPlace,
  below: string,
  { most, bytes, largest }: { readonly most: number; readonly bytes: number; readonly largest: number },
): Promise<readonly OutboxRow[]> {
  const rows = await query(
    `select * from (
       select position::text, lsn::text as lsn_text, id, type, version, key, source, correlation_id, causation_id,
         (extract(epoch from time) * 1000)::float8 as time, (extract(epoch from created_at) * 1000)::float8 as created,
         attributes::text as attributes, octet_length(data::text) as bytes,
         case when octet_length(data::text) <= $5::int then data::text end as data,
         coalesce(sum(least(octet_length(data::text), $5::int))
           over (order by lsn, position rows between unbounded preceding and 1 preceding), 0) as before
       from (select * from ${table}
         where (lsn, position) > ($1::text::pg_lsn, $2::text::bigint) and lsn < $3::text::pg_lsn
         order by lsn, position limit $4::int) as next
     ) as sized where before < $6::int order by lsn_text::pg_lsn, position::bigint`,
    [place.lsn, place.position, below, most, largest, bytes],
  )
  return rows.map(rowOf)
}

function rowOf(row: SqlRow): OutboxRow {
  return {
    lsn: String(row['lsn_text']),
    position: String(row['position']),
    id: String(row['id']),
    type: String(row['type']),
    version: Number(row['version']),
    key: textOf(row['key']),
    source: textOf(row['source']),
    time: numberOf(row['time']),
    correlationId: textOf(row['correlation_id']),
    causationId: textOf(row['causation_id']),
    attributes: textOf(row['attributes']),
    data: textOf(row['data']),
    bytes: Number(row['bytes'] ?? 0),
    createdAt: Math.floor(Number(row['created'])),
  }
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value)
}

function numberOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Math.floor(Number(value))
}

/** Keeps with a row why it became a dead letter; it is not cleaned up then. */
export async function markRow(query: SqlQuery, table: string, row: OutboxRow, error: string): Promise<void> {
  await query(
    `update ${table} set error = $3, attempts = attempts + 1 where lsn = $1::text::pg_lsn and position = $2::text::bigint`,
    [row.lsn, row.position, error],
  )
}

const CLEAN_AT_ONCE = 5_000

/** Deletes rows that are relayed, the oldest first, some at a time. @param keep in ms. @returns whether there may be more */
export async function cleanUp(query: SqlQuery, table: string, place: RelayPlace, keep: number): Promise<boolean> {
  const gone = await query(
    `with oldest as (select lsn, position, created_at from ${table}
       where (lsn, position) <= ($1::text::pg_lsn, $3::text::bigint) and error is null
       order by lsn, position limit ${CLEAN_AT_ONCE}),
     gone as (delete from ${table} using oldest
       where ${table}.lsn = oldest.lsn and ${table}.position = oldest.position
         and oldest.created_at < clock_timestamp() - $2::float8 * interval '1 ms' returning 1)
     select count(*)::int as count from gone`,
    [place.lsn, keep, place.position],
  )
  return Number(gone[0]?.['count']) === CLEAN_AT_ONCE
}
