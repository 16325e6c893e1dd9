// Rows of a view in tables of PostgreSQL: one for each version, and beside it how far each unit has come, which changes in
// the same transaction as the rows. A SQL view of the name that was declared shows the version that is live.
//
//   <name>_v<version>            key, row, sequence of the last event in it; a row that is null was deleted
//   <name>_v<version>_positions  unit, position
//   <name>                       key, row, sequence of the live version
//   millrace_views               which version each of those shows
//
// Invariants (tests cite them):
//   VW6  Rows and the position of a unit change in one transaction, and no row is replaced by an earlier state of it.
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import { passes, sqlCodeOf } from '../sql/sql-error.js'
import type { Clock } from '../time/clock.js'
import type { RowChange, RowStore, StoredRow, WrittenRow } from './row-store.js'
import type { SqlClient, SqlQuery } from '../sql/sql-client.js'

export interface SqlRowsOptions {
  readonly client: SqlClient
  readonly clock: Clock
  readonly table: string
  readonly version: number
  /** Of the unit: what its position is stored under. */
  readonly unit: string
  readonly prepare: () => Promise<void>
  readonly end: () => void
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000
const NO_TABLE = '42P01'

export class SqlRows implements RowStore {
  readonly #options: SqlRowsOptions
  readonly #table: string
  readonly #end = new AbortController()

  constructor(options: SqlRowsOptions) {
    this.#options = options
    this.#table = versionTable(options.table, options.version)
  }

  async begin(): Promise<{ readonly empty: boolean }> {
    await this.#options.prepare()
    const found = await this.#patiently((client) =>
      client.transaction(async (query) => {
        // two units at once would both find that there is none
        await query('select pg_advisory_xact_lock(hashtext($1))', [this.#table])
        await query(
          `create table if not exists ${this.#table} (key text collate "C" primary key, row jsonb, sequence bigint not null)`,
        )
        await query(
          `create table if not exists ${this.#table}_positions (unit text primary key, position bigint not null)`,
        )
        return query(`select exists (select 1 from ${this.#table})::int as some`)
      }),
    )
    return { empty: Number(found[0]?.['some']) === 0 }
  }

  async load(key: string): Promise<StoredRow> {
    const [found] = await this.#patiently((client) =>
      client.query(`select row::text as row, sequence::text as sequence from ${this.#table} where key = $1`, [key]),
    )
    if (found === undefined) return { row: undefined, sequence: 0, revision: 0 }
    const row: unknown = found['row'] === null ? undefined : JSON.parse(String(found['row']))
    return { row, ...reached(Number(found['sequence'])) }
  }

  async write(changes: readonly RowChange[], position: number): Promise<readonly WrittenRow[]> {
    const rows = JSON.stringify(changes.map(({ key, row = null, sequence }) => ({ key, row, sequence })))
    const further = await this.#patiently((client) =>
      client.transaction(async (query) => {
        const stored = await query(
          `insert into ${this.#table} as stored (key, row, sequence)
           select key, row, sequence from json_to_recordset($1::text::json) as change(key text, row jsonb, sequence bigint)
           on conflict (key) do update set row = excluded.row, sequence = excluded.sequence
             where stored.sequence < excluded.sequence
           returning key`,
          [rows],
        )
        await query(
          `insert into ${this.#table}_positions as stored values ($1, $2)
           on conflict (unit) do update set position = greatest(stored.position, excluded.position)`,
          [this.#options.unit, position],
        )
        return stored.length === changes.length ? [] : this.#sequences(query, rows)
      }),
    )
    const known = new Map(further.map(({ key, sequence }) => [String(key), Number(sequence)]))
    return changes.map(({ key, sequence }) => reached(known.get(key) ?? sequence))
  }

  stop(): void {
    this.#end.abort()
    this.#options.end()
  }

  /** What is stored where it was further already. */
  #sequences(query: SqlQuery, rows: string): ReturnType<SqlQuery> {
    return query(
      `select stored.key, stored.sequence::text as sequence from ${this.#table} as stored
       join json_to_recordset($1::text::json) as change(key text) using (key)`,
      [rows],
    )
  }

  /** Repeats what the database does not answer. @throws VIEW_TABLE_FAILED, VIEW_RETIRED */
  async #patiently<T>(work: (client: SqlClient) => Promise<T>): Promise<T> {
    const { client, clock, table, version } = this.#options
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, 2 * wait))
      try {
        return await work(client)
      } catch (error) {
        if (isFault(error)) throw error
        if (sqlCodeOf(error) === NO_TABLE)
          throw fault('VIEW_RETIRED', `${table}, version ${version}, is gone`, { cause: error })
        if (this.#end.signal.aborted || !passes(error))
          throw fault('VIEW_TABLE_FAILED', `${this.#table}: ${messageOf(error)}`, { cause: error })
        await clock.sleep(wait, this.#end.signal)
      }
  }
}

/** Has the SQL view show a version, unless it shows a later one. */
export async function showVersion(client: SqlClient, table: string, version: number): Promise<void> {
  await client.transaction(async (query) => {
    await query("select pg_advisory_xact_lock(hashtext('millrace_views'))")
    await query('create table if not exists millrace_views (name text primary key, version int not null)')
    const shown = await query(
      `insert into millrace_views as stored values ($1, $2)
       on conflict (name) do update set version = excluded.version where stored.version <= excluded.version
       returning name`,
      [table, version],
    )
    if (shown.length === 0) return
    const rows = `select key, row, sequence from ${versionTable(table, version)} where row is not null`
    await query(`create or replace view ${table} as ${rows}`)
  })
}

export async function dropVersion(client: SqlClient, table: string, version: number): Promise<void> {
  const own = versionTable(table, version)
  await client.transaction((query) => query(`drop table if exists ${own}, ${own}_positions`))
}

function versionTable(table: string, version: number): string {
  return `${table}_v${version}`
}

function reached(sequence: number): WrittenRow {
  return { sequence, revision: sequence }
}
