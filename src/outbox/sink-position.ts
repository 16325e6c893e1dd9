import { fault } from '../error/millrace-error.js'
import type { SqlQuery } from '../sql/sql-client.js'
import type { PostgresSinkDeclaration } from './define-postgres-sink.js'

/** Whose turn it is, and how far the sink is. */
export interface SinkTurn {
  readonly generation: string
  readonly position: number
}

/** The row of a sink in the table of sinks. */
export class SinkPosition {
  readonly #sink: PostgresSinkDeclaration
  readonly #owner: string

  constructor(sink: PostgresSinkDeclaration, owner: string) {
    this.#sink = sink
    this.#owner = owner
  }

  /**
   * Takes the turn with a generation of its own, or keeps it. With a newer version everything begins anew.
   * @param created when the server made its stream
   * @returns undefined: it is another process’s turn
   * @throws SINK_FENCED a newer version runs; STREAM_REPLACED its position is one in another stream
   */
  async hold(query: SqlQuery, created: string): Promise<SinkTurn | undefined> {
    const { name, version, table, takeover, reset, from } = this.#sink
    await query(`insert into ${table} (name, stream, version) values ($1, $2, $3::int) on conflict (name) do nothing`, [
      name,
      from.stream,
      version,
    ])
    const [found] = await query(
      `select owner, version, stream, stream_created, until < clock_timestamp() as free
       from ${table} where name = $1 for update`,
      [name],
    )
    if (Number(found?.['version']) > version)
      throw fault('SINK_FENCED', `version ${String(found?.['version'])} of ${name} runs, this is version ${version}`)
    const anew = Number(found?.['version']) < version
    // a version that is to be replaced is not waited for: its next transaction finds that it is
    if (!anew && found?.['free'] !== true && found?.['owner'] !== this.#owner) return undefined
    if (anew) await reset?.(query)
    else this.#requireSame(found, created)
    const [held] = await query(
      `update ${table} set generation = generation + (owner <> $2 or $5::int = 1)::int, owner = $2, version = $3::int,
         stream = $6, stream_created = $7,
         position = case when $5::int = 1 then 0 else position end,
         until = clock_timestamp() + $4::float8 * interval '1 ms'
       where name = $1 returning generation::text as generation, position::text as position`,
      [name, this.#owner, version, takeover, anew ? 1 : 0, from.stream, created],
    )
    return { generation: String(held?.['generation']), position: Number(held?.['position']) }
  }

  /** A table of before does not say when its stream was made: it is believed to be this one. */
  #requireSame(found: Readonly<Record<string, unknown>> | undefined, created: string): void {
    const { name, from } = this.#sink
    const [stream, made] = [String(found?.['stream']), String(found?.['stream_created'])]
    if (stream === from.stream && (made === '' || made === created)) return
    const now = `now it is to write those of ${from.stream}, made at ${created}`
    const before = `${name} has written events of ${stream}${made === '' ? '' : `, made at ${made}`}`
    throw fault('STREAM_REPLACED', `${before}; ${now}: with its next \`version\` it begins at the first of them`)
  }

  /** Moves on, in the transaction of what was written. @throws SINK_FENCED */
  async advance(query: SqlQuery, { generation, position }: SinkTurn, to: number): Promise<void> {
    const { name, table, takeover } = this.#sink
    const moved = await query(
      `update ${table} set position = $4::text::bigint, updated_at = clock_timestamp(),
         until = clock_timestamp() + $5::float8 * interval '1 ms'
       where name = $1 and generation = $2::text::bigint and position = $3::text::bigint returning name`,
      [name, generation, String(position), String(to), takeover],
    )
    if (moved.length === 0) throw fault('SINK_FENCED', name)
  }

  async release(query: SqlQuery): Promise<void> {
    const { name, table } = this.#sink
    await query(`update ${table} set until = '-infinity' where name = $1 and owner = $2`, [name, this.#owner])
  }
}
