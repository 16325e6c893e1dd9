import type { Care } from './careful-start.js'
import type { CommitRecord } from './commit-record.js'
import type { JournalEntry } from './decision.js'
import type { RecordedParking } from './parking/key-parking.js'
import { partialCursor, type JournalCursor } from './recovery.js'

/** How far a processor has come: the last message, and how many outputs it and the decisions after it had so far. */
export interface Place {
  readonly sequence: number
  readonly outputs: number
}

/**
 * What was stored ahead of the position. It is done again as it was, with the decisions that led to it, before anything
 * new may be decided: what is new in between would change what is stored already.
 */
export class Redo {
  readonly #journal: JournalCursor
  /** Up to where it is stored; undefined: all of it is done. */
  #until: Place | undefined

  readonly #tries: number

  constructor({ partial, attempting }: Pick<CommitRecord, 'partial' | 'attempting'>) {
    this.#tries = attempting?.tries ?? 0
    this.#journal = partialCursor({ partial })
    this.#until = partial ?? undefined
  }

  /** Decisions that were taken before this message. */
  before(sequence: number): readonly JournalEntry[] {
    return this.#journal.before(sequence)
  }

  /**
   * What was done with a message; undefined: nothing of it is stored. One whose outputs are stored in part is not passed
   * over any more, whatever it does to the process: the other part belongs to it.
   */
  care(sequence: number): Care | undefined {
    if (this.#until === undefined || sequence > this.#until.sequence) return undefined
    return this.#journal.skipped(sequence) ? { kind: 'skip', tries: this.#tries } : { kind: 'handle' }
  }

  /** What became of keys with a message; undefined: it is not done yet. */
  recorded(sequence: number): RecordedParking | undefined {
    return this.#journal.recorded(sequence)
  }

  /** Decisions that are left when every message was handled; what is not done by then never will be. */
  rest(): readonly JournalEntry[] {
    this.#until = undefined
    return this.#journal.before(Number.POSITIVE_INFINITY)
  }

  /** Whether all of it is done, so that new decisions may follow. */
  done({ sequence, outputs }: Place): boolean {
    const until = this.#until
    if (until !== undefined) {
      if (sequence < until.sequence || (sequence === until.sequence && outputs < until.outputs)) return false
      this.#until = undefined
    }
    return this.#journal.settled
  }
}
