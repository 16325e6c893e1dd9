// PostgresSink
//
// Writes the events of a stream into a database, in their order. One process of a sink works at a time, the others stand by.
//
//   stream -> PostgresSink:     messages in order, from behind the position
//   PostgresSink -> database:   what `write` does for a batch of them, and the position, in one transaction
//
// Invariants (tests cite them):
//   OX7  What an event does to the database is there once, in order, however often processes or the database are killed.
import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { Feed } from '../broker/feed.js'
import { publishOnce } from '../broker/publish-once.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { decodeEvents } from '../event/decode-event.js'
import type { StoredEvent } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import { deadLetterMessage } from '../kernel/dead-letter.js'
import type { Log } from '../observe/log.js'
import type { SqlClient } from '../sql/sql-client.js'
import { sureClient } from '../sql/sure-client.js'
import { passes, sqlCodeOf } from '../sql/sql-error.js'
import type { Clock } from '../time/clock.js'
import type { PostgresSinkDeclaration } from './define-postgres-sink.js'
import { asOutboxFault } from './outbox-fault.js'
import { migrate, sinkSql } from './outbox-schema.js'
import { SinkPosition, type SinkTurn } from './sink-position.js'

export interface PostgresSinkRunOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  readonly declaration: PostgresSinkDeclaration
  readonly stream: StreamDeclaration
  readonly owner: string
  readonly newId: () => string
}

/** How a sink is in this process. */
export interface SinkStatus {
  readonly sink: string
  readonly state: 'starting' | 'writing' | 'standby' | 'stalled'
  /** Since when: in ms since the Unix epoch. */
  readonly stall: { readonly code: string; readonly detail: string; readonly since: number } | undefined
  readonly position: number
  /** Events given to `write`, and dead letters, of this process. */
  readonly written: number
  readonly letters: number
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
/** How long the database may take for an answer, at least, in ms. */
const LEAST_DEADLINE_MS = 5_000

export class PostgresSinkRun {
  readonly #options: PostgresSinkRunOptions
  readonly #client: SqlClient
  readonly #types: ReadonlySet<string>
  readonly #position: SinkPosition
  readonly #end = new AbortController()
  readonly #running: Promise<void>
  #status: SinkStatus
  #prepared = false

  private constructor(options: PostgresSinkRunOptions) {
    const { declaration, owner, newId } = options
    this.#options = options
    this.#client = sureClient(declaration.client, options.clock, Math.max(3 * declaration.takeover, LEAST_DEADLINE_MS))
    this.#types = new Set(declaration.from.events.map(({ type }) => type))
    this.#position = new SinkPosition(declaration, `${owner} ${newId()}`)
    const none = { stall: undefined, position: 0, written: 0, letters: 0 }
    this.#status = { sink: declaration.name, state: 'starting', ...none }
    this.#running = this.#run()
  }

  /** Begins at once, whether the database answers or not. */
  static start(options: PostgresSinkRunOptions): PostgresSinkRun {
    return new PostgresSinkRun(options)
  }

  get status(): SinkStatus {
    return this.#status
  }

  /** Finishes the transaction that it is in, and lets another process go on at once. Never rejects. */
  async stop(): Promise<void> {
    this.#end.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, log, declaration } = this.#options
    const { signal } = this.#end
    let wait = FIRST_WAIT_MS
    while (!signal.aborted)
      try {
        const turn = await this.#take()
        if (turn === undefined) {
          this.#status = { ...this.#status, state: 'standby', stall: undefined }
          await clock.sleep(declaration.takeover / 3, signal)
        } else {
          wait = FIRST_WAIT_MS
          await this.#write(turn)
        }
      } catch (error) {
        if (signal.aborted) break
        const { code, detail } = asOutboxFault(error)
        if (this.#status.stall?.code !== code)
          log.warn({ sink: declaration.name, code, detail }, 'the sink stands still')
        const since = this.#status.stall?.since ?? clock.now()
        this.#status = { ...this.#status, state: 'stalled', stall: { code, detail, since } }
        await clock.sleep(wait, signal).catch(() => undefined)
        wait = Math.min(2 * wait, LONGEST_WAIT_MS)
      }
    // when the database does not answer, the others wait until the turn is over
    if (this.#prepared) await this.#position.release(this.#client.query).catch(() => undefined)
  }

  async #take(): Promise<SinkTurn | undefined> {
    const { connection, stream } = this.#options
    if (connection.state.kind !== 'connected') throw fault('BROKER_UNREACHABLE', 'there is no connection')
    if (!this.#prepared) await migrate(this.#client, sinkSql(this.#options.declaration.table))
    this.#prepared = true
    const { created } = await readStreamIdentity(connection, stream.name)
    return this.#client.transaction((query) => this.#position.hold(query, created))
  }

  /** Reads from behind the position and writes, until something is in the way. @throws what that is */
  async #write(first: SinkTurn): Promise<void> {
    const { connection, clock, stream, declaration } = this.#options
    const { signal } = this.#end
    const arrived: StoredMessage[] = []
    let failure: MillraceError | undefined
    let wake = (): void => undefined
    const feed = new Feed(connection, {
      stream: stream.name,
      filters: [`${stream.root}.>`],
      start: { kind: 'sequence', sequence: first.position + 1 },
      clock,
      onMessages: (messages) => {
        arrived.push(...messages)
        wake()
      },
      onFailure: (error) => {
        failure = error
        wake()
      },
    })
    const stop = (): void => wake()
    signal.addEventListener('abort', stop)
    let turn = first
    try {
      this.#status = { ...this.#status, state: 'writing', stall: undefined, position: turn.position }
      for (;;) {
        if (signal.aborted) return
        if (failure !== undefined) throw failure
        if (connection.state.kind === 'closed') throw fault('BROKER_UNREACHABLE', 'the connection was closed')
        const batch = arrived.splice(0, declaration.batch)
        if (batch.length > 0) {
          turn = await this.#store(turn, batch)
          this.#status = { ...this.#status, position: turn.position }
          feed.release(batch.length)
          continue
        }
        // an idle sink says that it is there
        const cancel = clock.after(declaration.takeover / 3, () => wake())
        await new Promise<void>((resolve) => (wake = resolve))
        cancel()
        if (arrived.length === 0)
          await this.#client.transaction((query) => this.#position.advance(query, turn, turn.position))
      }
    } finally {
      signal.removeEventListener('abort', stop)
      feed.stop()
    }
  }

  /** All of them, or, when one is refused, one after the other. */
  async #store(turn: SinkTurn, batch: readonly StoredMessage[]): Promise<SinkTurn> {
    try {
      return await this.#transaction(turn, batch)
    } catch (error) {
      // what `write` throws may be of Millrace too
      if (isFault(error, 'SINK_FENCED') || passes(error) || (isFault(error) && error.disposition === 'retry'))
        throw error
      if (batch.length === 1) return this.#refused(turn, batch[0] as StoredMessage, error)
    }
    let reached = turn
    for (const message of batch) reached = await this.#store(reached, [message])
    return reached
  }

  async #transaction(turn: SinkTurn, batch: readonly StoredMessage[], skip = false): Promise<SinkTurn> {
    const { declaration } = this.#options
    const position = batch.at(-1)?.sequence ?? turn.position
    let written = 0
    await this.#client.transaction(async (query) => {
      written = 0 // a client may try again
      await this.#position.advance(query, turn, position)
      if (skip) return
      for (const message of batch)
        for (const event of this.#eventsOf(message)) {
          await declaration.write(query, event)
          written += 1
        }
    })
    this.#status = { ...this.#status, written: this.#status.written + written }
    return { ...turn, position }
  }

  /** What breaks its contract is none of the sink’s: who minds the contracts has made a dead letter of it. */
  #eventsOf(message: StoredMessage): StoredEvent[] {
    const { registry, stream } = this.#options
    const { sequence, storedAt } = message
    return decodeEvents(registry, message, { stream: stream.name, sequence, storedAt }).flatMap((one) =>
      one.kind === 'event' && this.#types.has(one.event.type) ? [one.event] : [],
    )
  }

  async #refused(turn: SinkTurn, message: StoredMessage, error: unknown): Promise<SinkTurn> {
    const { connection, declaration, stream } = this.#options
    const detail = `${declaration.name} at ${stream.name} ${message.sequence}: ${messageOf(error)}`
    if (declaration.onError === 'stop') throw fault('SINK_WRITE_FAILED', detail, { cause: error })
    const more = sqlCodeOf(error) === '' ? '' : ` (${sqlCodeOf(error)})`
    const reason = {
      processor: `sink-${declaration.name}`,
      code: 'SINK_WRITE_FAILED',
      detail: `${messageOf(error)}${more}`,
    }
    const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}
    const { maxPayload } = connection.server
    const letter = deadLetterMessage(stream.name, message, { ...reason, issues: [], ...stack }, maxPayload)
    await publishOnce(connection, letter).catch((thrown: unknown) => {
      if (!isFault(thrown, 'SEQUENCE_CONFLICT')) throw thrown // else it is there already
    })
    this.#status = { ...this.#status, letters: this.#status.letters + 1 }
    return this.#transaction(turn, [message], true)
  }
}
