import { NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import { publishOnce } from '../broker/publish-once.js'
import { relayStatusSubject } from '../broker/system-subject.js'
import { isFault, type MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { SqlQuery } from '../sql/sql-client.js'
import type { Clock } from '../time/clock.js'
import type { OutboxDeclaration } from './outbox-options.js'
import { readLag, type OutboxLag } from './outbox-lag.js'
import type { RelayPlace, RelayRecord } from './relay-place.js'

export interface RelayStatus {
  readonly outbox: string
  readonly stream: string
  readonly table: string
  readonly owner: string
  readonly state: 'starting' | 'relaying' | 'standby' | 'stalled'
  /** Why it stands still, since when in ms since the Unix epoch. */
  readonly stall: { readonly code: string; readonly detail: string; readonly since: number } | undefined
  readonly relayed: number
  readonly letters: number
  readonly duplicates: number
  /** As of `at`; undefined before the first look. */
  readonly lag: OutboxLag | undefined
  /** In ms since the Unix epoch. */
  readonly at: number
}

export interface RelayReportOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly declaration: OutboxDeclaration
  readonly stream: string
  readonly owner: string
}

const TELL_AGAIN_MS = 30_000
/** From when on waiting for a transaction is worth a warning, in s. */
const LONG_HELD = 30

/** Says how a relay is: to who asks this process, to the log, and through the stream to `millrace status`. */
export class RelayReport {
  readonly #options: RelayReportOptions
  #status: RelayStatus
  #warnedAt = Number.NEGATIVE_INFINITY
  #told = ''

  constructor(options: RelayReportOptions) {
    const { declaration, stream, owner, clock } = options
    this.#options = options
    this.#status = {
      outbox: declaration.name,
      stream,
      table: declaration.table,
      owner,
      state: 'starting',
      stall: undefined,
      relayed: 0,
      letters: 0,
      duplicates: 0,
      lag: undefined,
      at: clock.now(),
    }
  }

  get status(): RelayStatus {
    return this.#status
  }

  works(record: RelayRecord | undefined): void {
    const { log, declaration } = this.#options
    if (this.#status.stall !== undefined) log.info({ outbox: declaration.name }, 'the relay goes on')
    const { relayed = 0, letters = 0, duplicates = 0 } = record ?? {}
    this.#status = { ...this.#status, state: 'relaying', stall: undefined, relayed, letters, duplicates }
  }

  standsBy(owner: string): void {
    if (this.#status.state !== 'standby')
      this.#options.log.info(
        { outbox: this.#options.declaration.name, owner },
        'another relay works; this one stands by',
      )
    this.#status = { ...this.#status, state: 'standby', stall: undefined, lag: undefined }
  }

  stalled({ code, detail }: MillraceError): void {
    const { clock, log, declaration } = this.#options
    const since = this.#status.stall?.since ?? clock.now()
    const again = clock.monotonic() - this.#warnedAt > TELL_AGAIN_MS
    if (this.#status.stall?.code !== code || again) {
      this.#warnedAt = clock.monotonic()
      log.warn({ outbox: declaration.name, code, detail }, 'the relay stands still')
    }
    this.#status = { ...this.#status, state: 'stalled', stall: { code, detail, since }, at: clock.now() }
    void this.#publish()
  }

  /** Looks how many rows wait, and what for. */
  async measure(query: SqlQuery, place: RelayPlace): Promise<void> {
    const { clock, log, declaration } = this.#options
    const lag = await readLag(query, declaration.table, place)
    this.#status = { ...this.#status, lag, at: clock.now() }
    const { holder } = lag
    if (holder !== undefined && lag.seconds > LONG_HELD && clock.monotonic() - this.#warnedAt > TELL_AGAIN_MS) {
      this.#warnedAt = clock.monotonic()
      log.warn(
        { outbox: declaration.name, rows: lag.rows, seconds: lag.seconds, holder },
        'rows wait for a transaction',
      )
    }
    await this.#publish()
  }

  /** A status that cannot be stored is told again with the next one. */
  async #publish(): Promise<void> {
    const { connection, stream, declaration } = this.#options
    const { at: _at, ...rest } = this.#status
    const text = JSON.stringify(rest)
    if (text === this.#told || connection.state.kind !== 'connected') return
    const subject = relayStatusSubject(stream, declaration.name)
    const data = Buffer.from(JSON.stringify(this.#status))
    try {
      this.#told = text
      await publishOnce(connection, { subject, headers: [ROLLUP_SUBJECT, NEVER_EXPIRES], data })
    } catch (error) {
      this.#told = ''
      if (!isFault(error)) throw error
      this.#options.log.debug({ outbox: declaration.name, code: error.code }, 'its status was not stored')
    }
  }
}
