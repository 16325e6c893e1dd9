import type { StoredMessage } from '../broker/stored-message.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { CommitRecord } from './commit-record.js'
import type { JournalEntry } from './decision.js'
import type { Execution } from './execution.js'
import { FNV_OFFSET } from './hash.js'
import { hashTurn } from './next-commit.js'
import type { Logic, Processor } from './processor.js'
import type { RecordedParking } from './parking/key-parking.js'
import { ReplayedOutputs } from './replayed-outputs.js'
import type { Turn } from './turn.js'

/** Decisions that have to be taken again at their places, each once. */
export class JournalCursor {
  readonly #entries: readonly JournalEntry[]
  readonly #skipped: ReadonlySet<number>
  readonly #parked: ReadonlyMap<number, RecordedParking>
  readonly #until: number
  #taken = 0

  /** @param until sequence up to which the entries tell everything. Default all */
  constructor(entries: readonly JournalEntry[], until = Number.POSITIVE_INFINITY) {
    this.#entries = entries
    this.#until = until
    this.#skipped = new Set(entries.flatMap((entry) => (entry.kind === 'skip' ? [entry.sequence] : [])))
    this.#parked = new Map(
      entries.flatMap((entry): [number, RecordedParking][] => {
        if (entry.kind === 'park') return [[entry.sequence, entry]]
        return entry.kind === 'skip' ? [[entry.sequence, { at: entry.at ?? [], back: false }]] : []
      }),
    )
  }

  /** Whether a message was passed over. */
  skipped(sequence: number): boolean {
    return this.#skipped.has(sequence)
  }

  /** What became of keys with a message; undefined: it was not handled yet. */
  recorded(sequence: number): RecordedParking | undefined {
    return sequence > this.#until ? undefined : (this.#parked.get(sequence) ?? NOT_PARKED)
  }

  /** Decisions that were taken before this message. Infinity: all that are left. */
  before(sequence: number): readonly JournalEntry[] {
    if (this.settled) return NONE
    const from = this.#taken
    while (this.#taken < this.#entries.length && (this.#entries[this.#taken]?.after ?? 0) < sequence) this.#taken += 1
    return this.#entries.slice(from, this.#taken).filter(({ kind }) => kind !== 'skip' && kind !== 'park')
  }

  /** Whether every decision was taken, so that new ones may follow. */
  get settled(): boolean {
    return this.#taken === this.#entries.length
  }
}

const NONE: readonly JournalEntry[] = []
const NOT_PARKED: RecordedParking = { at: [], back: false }

/** What was decided in turns whose outputs are stored in part: they are repeated as they were. */
export function partialCursor({ partial }: Pick<CommitRecord, 'partial'>): JournalCursor {
  return new JournalCursor(partial?.journal ?? [], partial?.sequence ?? 0)
}

/**
 * Replays what a processor did up to its position, dropping what comes out, and tells at the end whether that is what
 * was committed.
 */
export class Recovery {
  readonly #record: CommitRecord
  readonly #execution: Execution
  readonly #journal: JournalCursor
  readonly #compared: boolean
  #hash = FNV_OFFSET
  /** What came out so far. */
  readonly outputs = new ReplayedOutputs()

  /** @param compared false when nothing was committed that the outputs could be compared with: other code made them */
  constructor(record: CommitRecord, execution: Execution, journal: readonly JournalEntry[], compared = true) {
    this.#record = record
    this.#compared = compared
    this.#execution = execution
    this.#journal = new JournalCursor(journal)
  }

  /** Position up to which messages belong to the replay. */
  get until(): number {
    return this.#record.position
  }

  /** @throws faults with disposition `crash` */
  replay(message: StoredMessage): void {
    const { sequence } = message
    this.#decide(sequence)
    const recorded = this.#journal.recorded(sequence)
    if (this.#journal.skipped(sequence)) this.#note(this.#execution.skip(message, 0, recorded))
    else this.#note(this.#execution.handle(message, this.#execution.read(message), recorded))
  }

  /**
   * Takes the decisions that are left, and compares. @returns what is wrong, if anything
   * @throws faults with disposition `crash`
   */
  end(processor: Processor, logic: Logic): MillraceError | undefined {
    this.#decide(Number.POSITIVE_INFINITY)
    const { memory, from } = processor
    const { position, turnsToReplay, processor: id, hash } = this.#record
    if (memory === 'snapshot' || (this.#compared && memory === 'replay')) {
      const replayed = memory === 'snapshot' ? this.#execution.messages : this.#execution.events
      // the count tells a log with holes from a processor that does not repeat itself
      const what = `${id} replayed ${replayed} of ${turnsToReplay} messages of ${from.stream.name} up to ${position}`
      if (replayed !== turnsToReplay) return fault('MESSAGES_GONE', what)
      if (this.#compared && (memory === 'snapshot' ? this.#hash : (logic.hash ?? 0)) !== hash)
        return fault('PROCESSOR_NONDETERMINISTIC', `${id}, replayed up to sequence ${position}`)
    }
    logic.takeRemarks?.() // were made when it was live
    this.#execution.resume(this.#record, this.#compared)
    return undefined
  }

  #decide(sequence: number): void {
    for (const entry of this.#journal.before(sequence)) this.#note(this.#execution.decide(entry))
  }

  #note(turn: Turn): void {
    this.outputs.add(turn)
    if (turn.outputs.length > 0) this.#hash = hashTurn(this.#hash, turn)
  }
}
