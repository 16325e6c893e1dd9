// Relay
//
// Takes the rows of an outbox to its stream, for as long as it runs; one relay of an outbox works at a time, the others
// stand by. Nothing ends it but `stop`: what is in its way is told, and it goes on when that is away.
//
//   database -> Relay:   rows in order, when notified or after a while
//   Relay -> stream:     rows and position in one batch; see relay-commits.ts
//   Relay -> database:   its turn, how far it is, rows that are old enough deleted
//
// Invariants (tests cite them):
//   OX5  A database or a stream that does not answer delays rows, and that is told with a code; it loses none.
//   OX6  Rows that wait are told, how many and since when, and the transaction that they wait for.
import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { relaySubject } from '../broker/system-subject.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { SqlClient } from '../sql/sql-client.js'
import { sureClient } from '../sql/sure-client.js'
import type { Clock } from '../time/clock.js'
import { asOutboxFault } from './outbox-fault.js'
import { channelOf } from './outbox-schema.js'
import type { OutboxDeclaration } from './outbox-options.js'
import { OutboxState } from './outbox-state.js'
import { cleanUp } from './outbox-rows.js'
import { RelayCommits } from './relay-commits.js'
import { comparePlaces, decodeRecord, START } from './relay-place.js'
import { RelayRounds } from './relay-rounds.js'
import { RelayReport, type RelayStatus } from './relay-report.js'
import { Wakes } from './wakes.js'

export interface RelayOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly declaration: OutboxDeclaration
  readonly stream: StreamDeclaration
  /** Who runs it, such as host and process. */
  readonly owner: string
  /** A text that no other run has. */
  readonly newId: () => string
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
/** How long the database may take for an answer, at least, in ms. */
const LEAST_DEADLINE_MS = 5_000
const LAG_EVERY_MS = 2_000
const CLEAN_EVERY_MS = 10_000

export class Relay {
  readonly #options: RelayOptions
  readonly #client: SqlClient
  readonly #end = new AbortController()
  readonly #wakes: Wakes
  readonly #state: OutboxState
  readonly #commits: RelayCommits
  readonly #rounds: RelayRounds
  readonly #report: RelayReport
  readonly #running: Promise<void>
  #heldAt = Number.NEGATIVE_INFINITY
  #toldAt = Number.NEGATIVE_INFINITY
  #cleanedAt = Number.NEGATIVE_INFINITY
  #working = false
  #idle = 0

  private constructor(options: RelayOptions) {
    const { connection, clock, declaration, stream, owner, newId } = options
    this.#options = options
    this.#client = sureClient(declaration.client, clock, Math.max(3 * declaration.takeover, LEAST_DEADLINE_MS))
    const own = `${owner} ${newId()}`
    const { signal } = this.#end
    this.#wakes = new Wakes({ client: this.#client, clock, channel: channelOf(declaration.table), signal })
    this.#state = new OutboxState(declaration.table, declaration.name, own, declaration.takeover)
    this.#report = new RelayReport({ connection, clock, log: options.log, declaration, stream: stream.name, owner })
    const subject = relaySubject(stream.name, declaration.name)
    const onStall = (error: MillraceError): void => this.#report.stalled(error)
    const known = { stream: stream.name, subject, owner: own, decode: decodeRecord, fenced: 'OUTBOX_FENCED' as const }
    this.#commits = new RelayCommits({ connection, clock, signal, onStall, ...known })
    this.#rounds = new RelayRounds({ connection, declaration, root: stream.root, commits: this.#commits })
    this.#running = this.#run()
  }

  /** Begins at once, whether the database answers or not. */
  static start(options: RelayOptions): Relay {
    return new Relay(options)
  }

  get status(): RelayStatus {
    return this.#report.status
  }

  /** Finishes the batch that is on its way, lets another relay go on at once, and ends. Never rejects. */
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
        await this.#step()
        wait = FIRST_WAIT_MS
      } catch (error) {
        this.#working = false // what is stored is read anew
        if (signal.aborted) break
        const known = asOutboxFault(error)
        if (known.code === 'OUTBOX_FENCED')
          log.info({ outbox: declaration.name, by: known.detail }, 'another relay has gone on with this outbox')
        else this.#report.stalled(known)
        await clock.sleep(wait, signal).catch(() => undefined)
        wait = Math.min(2 * wait, LONGEST_WAIT_MS)
      }
    await this.#wakes.stop()
    // when the database does not answer, the others wait until the turn is over
    if (this.#heldAt > Number.NEGATIVE_INFINITY) await this.#state.release(this.#client.query).catch(() => undefined)
  }

  async #step(): Promise<void> {
    const { clock, connection, declaration } = this.#options
    const { query } = this.#client
    // who cannot publish lets others have the turn
    if (connection.state.kind !== 'connected') throw fault('BROKER_UNREACHABLE', 'there is no connection')
    await this.#wakes.listen()
    if (clock.monotonic() - this.#heldAt > declaration.takeover / 3) {
      const other = await this.#state.hold(query)
      if (other !== undefined) {
        this.#working = false
        this.#report.standsBy(other)
        return this.#wakes.wait(declaration.takeover / 3)
      }
      this.#heldAt = clock.monotonic()
    }
    if (!this.#working) await this.#takeUp()
    const since = this.#wakes.count
    const moved = await this.#rounds.next(this.#client)
    await this.#tend()
    this.#report.works(this.#commits.record)
    if (moved) this.#idle = 0
    else await this.#wakes.wait(this.#pause(), since)
  }

  /** Rows that were made a moment ago may wait for a transaction that is about to end: soon at first, then less often. */
  #pause(): number {
    const { poll, takeover } = this.#options.declaration
    this.#idle += 1
    return Math.min(poll, takeover / 3, 10 * 2 ** Math.min(this.#idle, 20))
  }

  /** Where to go on: what the stream says, or what the database knows, when the stream knows less. */
  async #takeUp(): Promise<void> {
    const { log, declaration } = this.#options
    const stored = (await this.#commits.takeUp())?.place
    const marked = await this.#state.place(this.#client.query)
    const lost = marked !== undefined && comparePlaces(stored ?? START, marked) < 0
    if (lost && stored === undefined)
      log.warn({ outbox: declaration.name }, 'the stream does not know how far this outbox is; the database does')
    this.#rounds.begin(lost ? marked : (stored ?? START))
    this.#working = true
    log.info({ outbox: declaration.name, stream: declaration.stream }, 'relaying')
  }

  async #tend(): Promise<void> {
    const { clock, declaration } = this.#options
    const { query } = this.#client
    const now = clock.monotonic()
    if (now - this.#toldAt > LAG_EVERY_MS) {
      this.#toldAt = now
      await this.#state.mark(query, this.#rounds.stored, this.#commits.record?.relayed ?? 0)
      await this.#report.measure(query, this.#rounds.stored)
    }
    if (now - this.#cleanedAt > CLEAN_EVERY_MS) {
      const more = await cleanUp(query, declaration.table, this.#rounds.stored, declaration.keep)
      if (!more) this.#cleanedAt = now
    }
  }
}
