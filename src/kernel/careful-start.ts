import type { StoredMessage } from '../broker/stored-message.js'
import { isFault, type MillraceError } from '../error/millrace-error.js'
import { AttemptGate } from './attempt-gate.js'
import type { CommitRecord } from './commit-record.js'
import type { Committer } from './committer.js'

/** What to do with the next message. */
export type Care =
  | { readonly kind: 'handle' }
  /** Its attempt is being stored; `goOn` is called after. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'skip'; readonly tries: number }

/** Starts without progress after which a processor becomes careful. */
const RESTARTS = 2
/** Times that a message may end the process while it is known to be the one. */
const TRIES = 3
/** How many messages are begun at once, while nothing is known but that starts led nowhere. */
const WINDOW = 256
/** Into how many parts such a number is split when it has ended the process. */
const PARTS = 16
/** Messages that are handled with care, before the processor believes that the killer is behind it. */
const MESSAGES = 8_192

/**
 * Finds the message that ends the whole process. A processor that was started again and again without moving on stores
 * how many of the next messages it is about to handle, and commits them before it begins with others. What ended the
 * process is among those that were begun and not finished; of them it begins fewer, until it is one message, which is
 * passed over as a dead letter when it was begun three times and never finished.
 *
 * Nothing else is handled in the process while one processor has begun with messages: else it would be blamed on them
 * that another message has ended the process.
 *
 * Most starts that led nowhere are no message’s fault: the process was killed, or the unit moved on before it had
 * committed anything. For them it has to cost next to nothing, so one mark stands for many messages.
 */
export class CarefulStart {
  readonly #committer: Committer
  readonly #goOn: () => void
  readonly #gate: AttemptGate
  readonly #begun: CommitRecord['attempting']
  /** Messages that one mark stands for. */
  readonly #size: number
  #careful: boolean
  /** Messages still to be handled with care, and how many of them are begun. */
  #left: number
  #open = 0
  #last = 0
  #marking = false

  /** @param gate shared by all processors of the process */
  constructor(record: CommitRecord, committer: Committer, goOn: () => void, gate = new AttemptGate()) {
    this.#committer = committer
    this.#goOn = goOn
    this.#gate = gate
    this.#begun = record.attempting
    this.#size = this.#begun === null ? WINDOW : Math.ceil(this.#begun.count / PARTS)
    this.#left = this.#begun?.count ?? (record.restarts > RESTARTS ? MESSAGES : 0)
    this.#careful = this.#left > 0
    if (this.#careful) committer.careful = true
  }

  /** @param waiting whether turns before it are not given to the committer yet */
  before({ sequence }: StoredMessage, waiting: boolean): Care {
    if (this.#gate.closed(this, this.#goOn)) return WAIT
    if (!this.#careful) return HANDLE
    if (this.#marking) return WAIT
    if (sequence === this.#last || this.#open > 0) this.#gate.close(this)
    if (sequence === this.#last) return HANDLE
    if (this.#open > 0) {
      this.#open -= 1
      return this.#handed(sequence, HANDLE)
    }
    // nothing is begun, with care or without, before what was begun is stored: or that would be blamed for it
    if (waiting || this.#committer.waiting > 0) return WAIT
    if (this.#left === 0) return this.#relax()
    const count = Math.min(this.#size, this.#left)
    const tries = count === 1 && this.#begun?.sequence === sequence ? this.#begun.tries : 0
    if (tries >= TRIES) return this.#handed(sequence, { kind: 'skip', tries })
    this.#mark({ sequence, count, tries: tries + 1 })
    return WAIT
  }

  /**
   * A message that the processor is declared to stop at has not ended the process: it is tried again at the next start,
   * however often. @returns what is to be told, once that is noted; undefined: there is nothing to note
   */
  stopsBefore(error: MillraceError): Promise<MillraceError> | undefined {
    if (!this.#careful || !isFault(error, 'POISON_STOPPED', 'PIPELINE_FAILED')) return undefined
    return this.#committer.mark(null).then(
      () => error,
      () => error, // somebody else has claimed the unit, or the server is away: then it counts as one more attempt
    )
  }

  /** Something is stored. Messages that were begun and have not come yet keep nobody waiting. */
  committed(): void {
    if (!this.#marking && this.#committer.waiting === 0) this.#gate.open(this)
  }

  /**
   * Storing takes long, or nothing more is handled here. Others have streams of their own, and go on: that a message of
   * theirs ends the process now, and that three times, is less likely than that a stream is away for an hour.
   */
  release(): void {
    this.#gate.open(this)
  }

  /** Everything that waited is handled. */
  caughtUp(): void {
    if (this.#careful && this.#committer.waiting === 0 && !this.#marking) this.#relax()
    this.committed()
  }

  #mark(attempting: NonNullable<CommitRecord['attempting']>): void {
    this.#marking = true
    this.#gate.close(this)
    this.#committer.mark(attempting).then(
      () => {
        this.#marking = false
        this.#open = attempting.count
        this.#goOn()
        this.committed() // unless it has begun with them: a step may have to end before
      },
      () => undefined, // the committer has failed and says so itself
    )
  }

  #handed(sequence: number, care: Care): Care {
    this.#last = sequence
    this.#left -= 1
    return care
  }

  #relax(): Care {
    this.#careful = false
    this.#committer.careful = false
    return HANDLE
  }
}

const HANDLE: Care = { kind: 'handle' }
const WAIT: Care = { kind: 'wait' }
