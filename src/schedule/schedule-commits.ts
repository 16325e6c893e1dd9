// ScheduleCommits
//
// What the run of a schedule stores: the events of a tick, and in the same atomic batch how far the schedule is then, on
// condition that nobody else has written that meanwhile.
//
// Invariants (tests cite them):
//   SC1  The events of a nominal time are stored once, whoever runs it, however often and however late.
//   SC2  Who was replaced stores nothing more.
import { asFault, outcomeUnknown } from '../broker/api-error.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { decodeRecord, encodeRecord, type ScheduleRecord } from './schedule-record.js'

/** Where the record of one schedule is, and the events beside it. */
export interface ScheduleStore {
  /** The last record as the leader of the stream has it. @throws errors of the broker */
  read(): Promise<{ readonly data: Uint8Array; readonly sequence: number } | undefined>
  /**
   * Stores messages and behind them the record, all or nothing, when the last record is still the one with sequence
   * `expected` (0: none). @returns the sequence of the new one @throws SEQUENCE_CONFLICT and errors of the broker
   */
  write(messages: readonly WireMessage[], record: Uint8Array, expected: number): Promise<number>
  /** What the clock of the server says, in ms since the Unix epoch; -Infinity: not known yet. */
  time(): number
  /** Stores a dead letter, once. @throws errors of the broker */
  writeLetter(letter: WireMessage): Promise<void>
}

export interface ScheduleCommitsOptions {
  readonly store: ScheduleStore
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Storing does not succeed, and is tried again. */
  readonly onStall: (error: MillraceError) => void
  /** The schedule, for errors. */
  readonly name: string
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000

export class ScheduleCommits {
  readonly #options: ScheduleCommitsOptions
  #sequence = 0
  #record: ScheduleRecord | undefined

  constructor(options: ScheduleCommitsOptions) {
    this.#options = options
  }

  get record(): ScheduleRecord | undefined {
    return this.#record
  }

  /** Reads how far the schedule is. @throws errors of the broker, SCHEDULE_RECORD_INVALID */
  async read(): Promise<ScheduleRecord | undefined> {
    const { store, name } = this.#options
    const found = await store.read()
    this.#sequence = found?.sequence ?? 0
    this.#record = found === undefined ? undefined : decodeRecord(found.data, name)
    return this.#record
  }

  /**
   * Stores messages and the record behind them, however long that takes.
   * @param next its count is set here
   * @throws PROCESSOR_FENCED another run was here; what the stream refuses for good: nothing is stored then
   */
  async store(messages: readonly WireMessage[], next: ScheduleRecord): Promise<void> {
    const record = { ...next, count: (this.#record?.owner === next.owner ? this.#record.count : 0) + 1 }
    const data = encodeRecord(record)
    await this.#persist(async (problem) => {
      if (problem !== undefined && (await this.#isStored(record, problem))) return
      this.#sequence = await this.#options.store.write(messages, data, this.#sequence)
    })
    this.#record = record
  }

  /** Stores a dead letter, however long that takes. @throws what the stream refuses for good */
  storeLetter(letter: WireMessage): Promise<void> {
    return this.#persist(() => this.#options.store.writeLetter(letter))
  }

  /** @param attempt is told why the one before it did not succeed, when it may have been stored all the same */
  async #persist(attempt: (problem: MillraceError | undefined) => Promise<void>): Promise<void> {
    const { clock, signal, onStall } = this.#options
    let problem: MillraceError | undefined
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS))
      try {
        return await attempt(problem)
      } catch (error) {
        const known = asFault(error, `storing a tick of ${this.#options.name}`)
        const unsure = outcomeUnknown(known) || known.code === 'SEQUENCE_CONFLICT'
        if (!unsure && known.code !== 'STREAM_FULL') throw known
        if (unsure) problem = known
        if (known.code === 'SEQUENCE_CONFLICT') continue // what was stored says why
        onStall(known)
        await clock.sleep(wait, signal)
      }
  }

  /** @returns false: nothing was stored, and it may be tried again. @throws PROCESSOR_FENCED */
  async #isStored(record: ScheduleRecord, problem: MillraceError): Promise<boolean> {
    const { store, name } = this.#options
    const last = await store.read()
    if ((last?.sequence ?? 0) === this.#sequence) return false
    const found = last === undefined ? undefined : decodeRecord(last.data, name)
    if (last === undefined || found?.owner !== record.owner || found.count !== record.count)
      throw fault('PROCESSOR_FENCED', `schedule ${name}, by ${found?.owner ?? 'nobody: its record is gone'}`, {
        cause: problem,
      })
    this.#sequence = last.sequence
    return true
  }
}
