// SharedCells
//
// What processes know together of the things that their handlers depend on: a key-value bucket, watched by all.
import type { Connection } from '../../broker/connection.js'
import { ensureBucket } from '../../broker/history-bucket.js'
import { messagesFrom } from '../../broker/messages-from.js'
import type { Log } from '../../observe/log.js'
import { BucketCell } from './bucket-cell.js'
import { CellTroubles } from './cell-troubles.js'
import type { Clock } from '../../time/clock.js'
import type { Cell } from './cell.js'

export const DEPENDENCY_BUCKET = 'millrace_dependencies'
/** Rates of keys. */
export const KEY_BUCKET = 'millrace_key_rates'

const STREAM = `KV_${DEPENDENCY_BUCKET}`
const PREFIX = `$KV.${DEPENDENCY_BUCKET}.`
const PAUSE_MS = 200
const LONGEST_YIELD_MS = 64

export interface SharedCellsOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly replicas: number
  /** From 0 to below 1. */
  readonly chance: () => number
}

interface ReadCell {
  readonly cell: BucketCell
  /** The first time. */
  readonly read: Promise<void>
}

export class SharedCells {
  readonly #options: SharedCellsOptions
  /** What cannot be stored. */
  readonly troubles: CellTroubles
  readonly #cells = new Map<string, ReadCell>()
  readonly #end = new AbortController()

  private constructor(options: SharedCellsOptions) {
    this.#options = options
    this.troubles = new CellTroubles(options.clock, options.log)
  }

  /** Makes the bucket where it is not there, and watches it. @throws errors of the broker */
  static async open(options: SharedCellsOptions): Promise<SharedCells> {
    const cells = new SharedCells(options)
    await cells.#ensure()
    void cells.#follow()
    return cells
  }

  /** The value of a key, as it is now. @throws errors of the broker */
  async cell(key: string): Promise<Cell> {
    let known = this.#cells.get(key)
    if (known === undefined) {
      const cell = this.#newCell(key)
      // what is heard while it is read is not missed
      this.#cells.set(key, (known = { cell, read: cell.read() }))
    }
    try {
      await known.read
      return known.cell
    } catch (error) {
      // whoever asks next reads it again: one that was not read would look as if nothing were stored
      if (this.#cells.get(key) === known) this.#cells.delete(key)
      throw error
    }
  }

  #newCell(key: string): BucketCell {
    const { connection } = this.#options
    const [ensure, onOutcome] = [() => this.#ensure(), this.#outcomeOf(key)]
    return new BucketCell({ connection, bucket: DEPENDENCY_BUCKET, key, wait: this.#wait, ensure, onOutcome })
  }

  /**
   * Values of which there may be any number: nobody watches them, and the server forgets those that do not change.
   * @param ttl after what time, in s
   * @throws errors of the broker
   */
  async many(ttl: number): Promise<(key: string) => BucketCell> {
    const { connection } = this.#options
    const ensure = (): Promise<void> => this.#ensure(KEY_BUCKET)
    await ensure()
    const shared = {
      connection,
      bucket: KEY_BUCKET,
      ttl,
      wait: this.#wait,
      ensure,
      onOutcome: this.#outcomeOf(KEY_BUCKET),
    }
    return (key) => new BucketCell({ ...shared, key })
  }

  stop(): void {
    this.#end.abort()
  }

  #outcomeOf(name: string): (error?: unknown) => void {
    return (error) => (error === undefined ? this.troubles.stored(name) : this.troubles.failed(name, error))
  }

  readonly #wait = (attempt: number): Promise<void> => {
    const { clock, chance } = this.#options
    return clock.sleep(chance() * Math.min(LONGEST_YIELD_MS, 2 ** attempt), this.#end.signal)
  }

  #ensure(bucket = DEPENDENCY_BUCKET): Promise<void> {
    const { connection, replicas } = this.#options
    const description = 'Breakers and limits of what handlers depend on'
    return ensureBucket(connection, { bucket, description, replicas, history: 1, expires: bucket === KEY_BUCKET })
  }

  async #follow(): Promise<void> {
    const { connection, clock } = this.#options
    const { signal } = this.#end
    while (!signal.aborted)
      try {
        const place = { stream: STREAM, filter: `${PREFIX}>`, from: 1, clock, signal }
        for await (const message of messagesFrom(connection, place))
          this.#cells.get(message.subject.slice(PREFIX.length))?.cell.heard(message)
      } catch {
        // every update reads what it changes; what is wrong with the server is told by all who work with it
        await clock.sleep(PAUSE_MS, signal).catch(() => undefined)
        await this.#renew()
      }
  }

  /** The bucket may be another one: what was known of its sequences says nothing. */
  async #renew(): Promise<void> {
    try {
      await this.#ensure()
      for (const { cell } of this.#cells.values()) await cell.read()
    } catch {
      // the watch comes back here
    }
  }
}
