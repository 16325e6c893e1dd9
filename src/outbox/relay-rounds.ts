import type { Connection } from '../broker/connection.js'
import { isFault, type MillraceError } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { SqlClient, SqlQuery } from '../sql/sql-client.js'
import type { OutboxDeclaration } from './outbox-options.js'
import { hasRows, markRow, readRows, takeSample, type OutboxRow } from './outbox-rows.js'
import type { Counted, Outgoing, RelayCommits } from './relay-commits.js'
import { Horizon, START, type RelayPlace } from './relay-place.js'
import { letterOfRow } from './row-letter.js'
import { messageOfRow } from './row-message.js'

export interface RelayRoundsOptions {
  readonly connection: Connection
  readonly declaration: OutboxDeclaration
  readonly root: string
  readonly commits: RelayCommits
}

/** Most data of a batch, in bytes; a row beyond it may be as large as a message. */
const BATCH_BYTES = 4 * 1024 * 1024

/** Batch after batch, as far as the horizon is. */
export class RelayRounds {
  readonly #options: RelayRoundsOptions
  readonly #contracts: ReadonlyMap<string, EventContract>
  #horizon = new Horizon()
  #stored: RelayPlace = START
  #known = false

  constructor(options: RelayRoundsOptions) {
    this.#options = options
    this.#contracts = new Map(options.declaration.events.map((contract) => [contract.type, contract]))
  }

  /** How far it is. */
  get stored(): RelayPlace {
    return this.#stored
  }

  begin(place: RelayPlace): void {
    this.#stored = place
    this.#horizon = new Horizon() // the database may be another one
    this.#known = true
  }

  /** Relays one batch. @returns whether there may be more at once */
  async next({ query }: SqlClient): Promise<boolean> {
    const { declaration, connection } = this.#options
    const { table, batch } = declaration
    if (!this.#known) return false
    if (!(await hasRows(query, table, this.#stored))) return false
    const bounds = { most: batch, bytes: BATCH_BYTES, largest: connection.server.maxPayload }
    let rows: readonly OutboxRow[] = []
    // what the first sample could not say the second one can, unless a transaction goes on
    for (let look = 0; look < 2 && rows.length === 0; look++) {
      const below = this.#horizon.next(await takeSample(query))
      if (below !== undefined) rows = await readRows(query, table, this.#stored, below, bounds)
    }
    if (rows.length === 0) return false
    await this.#relay(query, rows)
    return true
  }

  async #relay(query: SqlQuery, rows: readonly OutboxRow[]): Promise<void> {
    const { commits, declaration, connection, root } = this.#options
    const { maxPayload } = connection.server
    const target = { name: declaration.name, events: this.#contracts, root, maxPayload }
    let good: (Outgoing & { readonly row: OutboxRow })[] = []
    const store = async (): Promise<void> => {
      const part = good
      good = []
      await commits.storeAll(part, (at, error) => this.#refused(query, part[at]?.row as OutboxRow, error))
      const last = part.at(-1)
      if (last !== undefined) this.#stored = last.place
    }
    for (const row of rows) {
      const place = { lsn: row.lsn, position: row.position }
      let message
      try {
        message = messageOfRow(row, target)
      } catch (error) {
        if (!isFault(error)) throw error
        await store()
        await commits.store([], place, await this.#refused(query, row, error))
        this.#stored = place
        continue
      }
      good.push({ message, place, row })
    }
    await store()
  }

  /** A row that cannot be published becomes a dead letter; one that is in the stream already is just passed. */
  async #refused(query: SqlQuery, row: OutboxRow, error: MillraceError): Promise<Counted> {
    const { commits, declaration, connection, root } = this.#options
    if (isDuplicate(error)) return { letters: 0, duplicates: 1 }
    const letter = letterOfRow(declaration.name, root, row, error, connection.server.maxPayload)
    await commits.storeLetter(letter)
    await markRow(query, declaration.table, row, `${error.code}: ${error.detail}`.slice(0, 1_000))
    return { letters: 1, duplicates: 0 }
  }
}

/** JetStream error 10201: a batch with a message id that the stream knows. */
function isDuplicate(error: MillraceError): boolean {
  return error.code === 'BATCH_REFUSED' && error.detail.includes('(10201)')
}
