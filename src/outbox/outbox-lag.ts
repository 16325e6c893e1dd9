import type { SqlQuery } from '../sql/sql-client.js'
import type { RelayPlace } from './relay-place.js'

/** How far a relay is behind the table. */
export interface OutboxLag {
  /** Rows that were committed and are not relayed. `atLeast`: there are more, and nobody counted on. */
  readonly rows: number
  readonly atLeast: boolean
  /** Age of the oldest of them, in s; 0 when there is none. */
  readonly seconds: number
  /** The oldest transaction that goes on and has written, when rows wait: those made since it began wait for it. */
  readonly holder: HorizonHolder | undefined
}

export interface HorizonHolder {
  /** Undefined: a prepared transaction, or one of a session that has ended by now. */
  readonly pid: number | undefined
  /** What it has run for, in s. */
  readonly seconds: number | undefined
  /** Its statement, as far as the user may see it; at most 200 characters. */
  readonly query: string | undefined
  readonly state: string | undefined
  readonly application: string | undefined
  /** Name of a prepared transaction. */
  readonly prepared: string | undefined
}

/** Nobody counts a million rows every few seconds. */
const COUNTED = 100_000

export async function readLag(query: SqlQuery, table: string, place: RelayPlace): Promise<OutboxLag> {
  const [found] = await query(
    `with waiting as (
       select created_at from ${table} where (lsn, position) > ($1::text::pg_lsn, $2::text::bigint)
       limit ${COUNTED})
     select count(*)::int as rows,
       coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as seconds,
       pg_snapshot_xmin(pg_current_snapshot())::text as horizon
     from waiting`,
    [place.lsn, place.position],
  )
  const rows = Number(found?.['rows'] ?? 0)
  const holder = rows > 0 ? await readHolder(query, String(found?.['horizon'])) : undefined
  return {
    rows,
    atLeast: rows === COUNTED,
    seconds: Math.max(0, Number(found?.['seconds'] ?? 0)),
    holder,
  }
}

/** Transactions are named by the lower 32 bits of their number where sessions are told of. */
async function readHolder(query: SqlQuery, horizon: string): Promise<HorizonHolder | undefined> {
  const short = String(BigInt(horizon) & 0xffff_ffffn)
  const [session] = await query(
    `select pid, extract(epoch from clock_timestamp() - xact_start)::float8 as seconds, left(query, 200) as query, state,
       application_name as application
     from pg_stat_activity where backend_xid::text = $1 and pid <> pg_backend_pid()`,
    [short],
  )
  if (session !== undefined)
    return {
      pid: Number(session['pid']),
      seconds: session['seconds'] === null ? undefined : Number(session['seconds']),
      query: textOf(session['query']),
      state: textOf(session['state']),
      application: textOf(session['application']),
      prepared: undefined,
    }
  const [prepared] = await query(
    `select gid, extract(epoch from clock_timestamp() - prepared)::float8 as seconds
     from pg_prepared_xacts where transaction::text = $1`,
    [short],
  )
  if (prepared === undefined) return undefined
  const none = { pid: undefined, query: undefined, state: 'prepared', application: undefined }
  return { ...none, seconds: Number(prepared['seconds']), prepared: String(prepared['gid']) }
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined || value === '' ? undefined : String(value)
}
