// RelayCommits
//
// What a relay stores in the stream: rows as messages, and in the same atomic batch how far it is then, on condition that
// nobody else has written that meanwhile. So a row is in the stream and behind the position, or neither; whoever goes on
// after a crash reads the position and begins behind it; and a relay that has been replaced without having noticed can
// store nothing more.
//
// Invariants (tests cite them):
//   OX3  A row is stored once, however often relays crash, hang or run beside each other, and however long that takes.
//   OX4  A row that cannot be stored becomes a dead letter, which is stored before the position passes it.
import { asFault, outcomeUnknown } from '../broker/api-error.js'
import { batchQueueOf } from '../broker/batch-queue.js'
import { expectLastSequence, NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { encodeRecord, type RelayPlace, type RelayRecord } from './relay-place.js'

export interface RelayCommitsOptions<Place> {
  readonly connection: Connection
  readonly clock: Clock
  readonly stream: string
  readonly subject: string
  /** Unique among all relays that ever run. */
  readonly owner: string
  readonly signal: AbortSignal
  /** @throws when it is no record of this kind */
  readonly decode: (data: Uint8Array, where: string) => RelayRecord<Place>
  /** What is thrown when somebody else has gone on. */
  readonly fenced: 'OUTBOX_FENCED' | 'EDGE_FENCED'
  /** Storing does not succeed, and is tried again. */
  readonly onStall: (error: MillraceError) => void
}

/** A row as it is to be stored, and where the relay is behind it. */
export interface Outgoing<Place = RelayPlace> {
  readonly message: WireMessage
  readonly place: Place
}

/** What a commit counts beside its messages. */
export interface Counted {
  readonly letters: number
  readonly duplicates: number
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000
const CLAIM_ATTEMPTS = 50
const NONE: Counted = { letters: 0, duplicates: 0 }

export class RelayCommits<Place = RelayPlace> {
  readonly #options: RelayCommitsOptions<Place>
  #record: RelayRecord<Place> | undefined
  #sequence = 0
  /** Of commits that were begun: what is on its way is never taken for another one. */
  #count = 0

  constructor(options: RelayCommitsOptions<Place>) {
    this.#options = options
  }

  /** The last record; undefined: the stream has none. */
  get record(): RelayRecord<Place> | undefined {
    return this.#record
  }

  /** Reads how far the relays have come. @throws errors of the broker, and of `decode` */
  async takeUp(): Promise<RelayRecord<Place> | undefined> {
    const { connection, stream, subject } = this.#options
    const last = await readLast(connection, stream, subject)
    this.#sequence = last?.sequence ?? 0
    this.#record = last === undefined ? undefined : this.#options.decode(last.data, subject)
    return this.#record
  }

  /**
   * Takes up what is stored and stores it as its own, so that who was at it before can store nothing more.
   * @throws as `store`, where others are quicker again and again; errors of the broker, and of `decode`
   */
  async claim(beginning: Place): Promise<Place> {
    for (let attempt = 1; ; attempt++) {
      const place = (await this.takeUp())?.place ?? beginning
      try {
        await this.store([], place)
        return place
      } catch (error) {
        // the other one has gone on between the two
        if (attempt === CLAIM_ATTEMPTS || !isFault(error, this.#options.fenced)) throw error
      }
    }
  }

  /** @throws as `fenced` says, when another one has taken over; errors of the broker */
  async requireOwn(): Promise<void> {
    const { connection, stream, subject, fenced } = this.#options
    const last = await readLast(connection, stream, subject)
    if ((last?.sequence ?? 0) !== this.#sequence) throw fault(fenced, 'somebody else has taken over')
  }

  /**
   * Stores messages and the place behind them.
   * @throws OUTBOX_FENCED, EDGE_FENCED another one was here; what the stream refuses: nothing is stored then
   */
  async store(messages: readonly WireMessage[], place: Place, counted: Counted = NONE): Promise<void> {
    const { connection, stream, owner, onStall, clock, signal } = this.#options
    const { relayed = 0, letters = 0, duplicates = 0 } = this.#record ?? {}
    const record: RelayRecord<Place> = {
      place,
      owner,
      count: (this.#count += 1),
      relayed: relayed + messages.length,
      letters: letters + counted.letters,
      duplicates: duplicates + counted.duplicates,
    }
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        const headers = [expectLastSequence(this.#sequence), ROLLUP_SUBJECT, NEVER_EXPIRES]
        const position = { subject: this.#options.subject, headers, data: encodeRecord(record) }
        this.#sequence = await batchQueueOf(connection, stream).publish([...messages, position])
        this.#record = record
        return
      } catch (error) {
        const known = asFault(error, 'relaying')
        const unsure = outcomeUnknown(known) || known.code === 'SEQUENCE_CONFLICT'
        if (!unsure && known.code !== 'STREAM_FULL') throw known
        if (unsure && (await this.#isStored(record, known))) return
        onStall(known)
        await clock.sleep(wait, signal)
      }
    }
  }

  /** @returns false: nothing was stored, and it may be tried again. @throws as `fenced` says */
  async #isStored(record: RelayRecord<Place>, problem: MillraceError): Promise<boolean> {
    const { connection, stream, subject, clock, signal, onStall, decode, fenced } = this.#options
    for (;;)
      try {
        const last = await readLast(connection, stream, subject)
        if ((last?.sequence ?? 0) === this.#sequence) return false
        const found = last === undefined ? undefined : decode(last.data, subject)
        if (last === undefined || found?.owner !== record.owner || found.count !== record.count)
          throw fault(fenced, `by ${found?.owner ?? 'nobody: its record is gone'}`, { cause: problem })
        this.#sequence = last.sequence
        this.#record = record
        return true
      } catch (error) {
        const known = asFault(error, 'reading back')
        if (!outcomeUnknown(known) || connection.state.kind === 'closed') throw known
        onStall(known)
        await clock.sleep(LONGEST_WAIT_MS / 10, signal)
      }
  }

  /**
   * Stores rows in their order; those that the stream refuses are told one by one, and the rest is stored.
   * @param refused resolves when the row at that place may be passed over; says what it counts as then
   */
  async storeAll(
    rows: readonly Outgoing<Place>[],
    refused: (at: number, error: MillraceError) => Promise<Counted>,
  ): Promise<void> {
    const part = async (from: number, to: number): Promise<void> => {
      const last = rows[to - 1]
      if (last === undefined) return
      try {
        await this.store(
          rows.slice(from, to).map(({ message }) => message),
          last.place,
        )
      } catch (error) {
        if (!isFault(error, 'BATCH_REFUSED', 'MESSAGE_TOO_LARGE', 'MESSAGE_INVALID')) throw error
        if (to - from > 1) {
          const middle = (from + to) >> 1
          await part(from, middle)
          return part(middle, to)
        }
        await this.#requireOpen()
        await this.store([], last.place, await refused(from, error))
      }
    }
    await part(0, rows.length)
  }

  /** Whether the stream takes anything of this relay: what it refuses then is to blame for it. */
  async #requireOpen(): Promise<void> {
    if (this.#record !== undefined) await this.store([], this.#record.place)
  }

  /** Stores a dead letter, however often it takes; one that is there already stays as it is. */
  async storeLetter(letter: WireMessage): Promise<void> {
    const { connection, clock, signal, onStall } = this.#options
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS))
      try {
        await publishOnce(connection, letter)
        return
      } catch (error) {
        if (isFault(error, 'SEQUENCE_CONFLICT')) return
        const known = asFault(error, 'storing a dead letter')
        if ((!outcomeUnknown(known) && known.code !== 'STREAM_FULL') || connection.state.kind === 'closed') throw known
        onStall(known)
        await clock.sleep(wait, signal)
      }
  }
}
