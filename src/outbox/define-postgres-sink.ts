import { fault } from '../error/millrace-error.js'
import type { EventContract, EventOf } from '../event/contract.js'
import type { StoredEvent } from '../event/event.js'
import type { SqlClient, SqlQuery } from '../sql/sql-client.js'
import { parseDuration } from '../time/duration.js'
import { isTableName } from './outbox-schema.js'

/** An event of one of the contracts, as a sink gets it. */
export type SinkEvent<Events extends readonly EventContract[]> = {
  readonly [At in keyof Events]: StoredEvent<Events[At]['type'], EventOf<Events[At]>['data']>
}[number]

export interface PostgresSinkOptions<Events extends readonly EventContract[]> {
  /** Letters, digits, _ and -, at most 64; unique among sinks. */
  readonly name: string
  /** With the next whole number the sink begins again from the first event, after `reset`. Default 1. */
  readonly version?: number
  readonly from: { readonly stream: string; readonly events: Events }
  readonly client: () => SqlClient
  /** Writes one event, with nothing but `query`: what it does is kept together with how far the sink is, or undone. */
  readonly write: (query: SqlQuery, event: SinkEvent<Events>) => Promise<unknown>
  /** Empties what a former version has written. */
  readonly reset?: (query: SqlQuery) => Promise<unknown>
  /** About an event that `write` throws at. `stop` stands before it and tries again; default `dead-letter`. */
  readonly onError?: 'dead-letter' | 'stop'
  /** Where positions are. Default `millrace_sinks`; sinks share it. It is made when it is not there. */
  readonly table?: string
  /** Most messages in one transaction. Default 500. */
  readonly batch?: number
  /** After how long without a sign of the process at work another one takes over. Default 10 s. */
  readonly takeover?: string | number
}

/** A declared sink. */
export interface PostgresSinkDeclaration {
  readonly kind: 'postgres-sink'
  readonly name: string
  readonly version: number
  readonly from: { readonly stream: string; readonly events: readonly EventContract[] }
  readonly client: () => SqlClient
  readonly write: (query: SqlQuery, event: StoredEvent) => Promise<unknown>
  readonly reset: ((query: SqlQuery) => Promise<unknown>) | undefined
  readonly onError: 'dead-letter' | 'stop'
  readonly table: string
  readonly batch: number
  /** In ms. */
  readonly takeover: number
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Declares a sink: events of a stream written into tables of PostgreSQL, in order, each once: what `write` does and how far
 * the sink is are of one transaction.
 *
 * @example
 * export default definePostgresSink({
 *   name: 'orders', from: { stream: 'ORDERS', events: [OrderPlaced] }, client: () => pgClient(new Pool({ connectionString: url })),
 *   write: upsert('orders', ['id'], ({ data }) => ({ id: data.orderId, total: data.total })),
 * })
 * @throws SINK_INVALID, DURATION_INVALID
 */
export function definePostgresSink<const Events extends readonly EventContract[]>(
  options: PostgresSinkOptions<Events>,
): PostgresSinkDeclaration {
  if (typeof options !== 'object' || options === null) throw fault('SINK_INVALID', 'definePostgresSink takes an object')
  const { name, version = 1, from, client, write, reset, onError = 'dead-letter' } = options
  const { table = 'millrace_sinks', batch = 500 } = options
  const invalid = (detail: string): never => {
    throw fault('SINK_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (!Number.isSafeInteger(version) || version < 1) invalid(`version ${version} must be a whole number from 1`)
  if (typeof from?.stream !== 'string') invalid('from.stream is missing')
  if (!Array.isArray(from.events) || from.events.length === 0) invalid('from.events is empty')
  if (typeof client !== 'function') invalid('client is missing')
  if (typeof write !== 'function') invalid('write is missing')
  if (onError !== 'dead-letter' && onError !== 'stop') invalid(`onError ${JSON.stringify(onError)} is not known`)
  if (!isTableName(table)) invalid(`table ${JSON.stringify(table)} may have lower-case letters, digits and _`)
  if (!Number.isInteger(batch) || batch < 1) invalid(`batch ${batch} must be a whole number from 1`)
  return Object.freeze<PostgresSinkDeclaration>({
    kind: 'postgres-sink',
    name,
    version,
    from: { stream: from.stream, events: Object.freeze([...from.events]) },
    client,
    write: write as PostgresSinkDeclaration['write'],
    reset,
    onError,
    table,
    batch,
    takeover: parseDuration(options.takeover ?? '10s'),
  })
}

/**
 * For `write`: has the table have one row for each key, as the last event of it says.
 * @param row its columns; undefined: the event is none of the table’s; null is written as null
 */
export function upsert<E extends StoredEvent>(
  table: string,
  keys: readonly string[],
  row: (event: E) => Readonly<Record<string, string | number | boolean | null>> | undefined,
): (query: SqlQuery, event: E) => Promise<void> {
  const names: readonly string[] = [table, ...keys]
  if (keys.length === 0 || !names.every((name) => isTableName(name)))
    throw fault('SINK_INVALID', `upsert into ${table} by ${keys.join(', ')}`)
  return async (query, event) => {
    const columns = row(event)
    if (columns === undefined) return
    const names = Object.keys(columns)
    if (!names.every((name) => isTableName(name)))
      throw fault('SINK_INVALID', `columns ${names.join(', ')} of ${table}`)
    const others = names.filter((name) => !keys.includes(name)).map((name) => `${name} = excluded.${name}`)
    // the table says what type each of them is of
    await query(
      `insert into ${table} (${names.join(', ')})
       select ${names.join(', ')} from json_populate_record(null::${table}, $1::text::json)
       on conflict (${keys.join(', ')}) do ${others.length === 0 ? 'nothing' : `update set ${others.join(', ')}`}`,
      [JSON.stringify(columns)],
    )
  }
}
