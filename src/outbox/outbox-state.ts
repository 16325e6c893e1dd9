import type { SqlQuery } from '../sql/sql-client.js'
import { besideTable } from './outbox-schema.js'
import { isPlace, type RelayPlace } from './relay-place.js'

/** The row of an outbox in the table of outboxes: who relays, until when, and how far it had come. */
export class OutboxState {
  readonly #table: string
  readonly #name: string
  readonly #owner: string
  readonly #takeover: number

  /** @param takeover in ms, by the clock of the database */
  constructor(table: string, name: string, owner: string, takeover: number) {
    this.#table = besideTable(table, 'millrace_outboxes')
    this.#name = name
    this.#owner = owner
    this.#takeover = takeover
  }

  /**
   * Takes the turn, or keeps it. What fences is the stream; this only saves two relays from working against each other.
   * @returns who has it when it is somebody else
   */
  async hold(query: SqlQuery): Promise<string | undefined> {
    const held = await query(
      `insert into ${this.#table} as held (name, owner, generation, until)
       values ($1, $2, 1, clock_timestamp() + $3::float8 * interval '1 ms')
       on conflict (name) do update set owner = excluded.owner, until = excluded.until,
         generation = held.generation + (held.owner <> excluded.owner)::int
       where held.owner = excluded.owner or held.until < clock_timestamp() returning name`,
      [this.#name, this.#owner, this.#takeover],
    )
    if (held.length > 0) return undefined
    const [other] = await query(`select owner from ${this.#table} where name = $1`, [this.#name])
    return String(other?.['owner'] ?? '')
  }

  /** Lets another one have it at once. */
  async release(query: SqlQuery): Promise<void> {
    await query(`update ${this.#table} set until = '-infinity' where name = $1 and owner = $2`, [
      this.#name,
      this.#owner,
    ])
  }

  async place(query: SqlQuery): Promise<RelayPlace | undefined> {
    const [found] = await query(`select place::text as place from ${this.#table} where name = $1`, [this.#name])
    const text = found?.['place']
    if (typeof text !== 'string') return undefined
    const place: unknown = JSON.parse(text)
    return isPlace(place) ? place : undefined
  }

  /** Says in the database how far it is, for who looks there and for the day on which the stream has lost it. */
  async mark(query: SqlQuery, place: RelayPlace, relayed: number): Promise<void> {
    await query(
      `update ${this.#table} set place = $2::text::json, relayed = $3::float8::bigint, updated_at = clock_timestamp()
       where name = $1 and owner = $4`,
      [this.#name, JSON.stringify(place), relayed, this.#owner],
    )
  }
}
