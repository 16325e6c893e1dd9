import type { StoredMessage } from '../broker/stored-message.js'
import { isFault, type MillraceError } from '../error/millrace-error.js'
import type { CommitRecord } from './commit-record.js'
import type { Committer } from './committer.js'

/** What to do with the next message. */
export type Care =
  | { readonly kind: 'handle' }
  /** Its attempt is being stored; `goOn` is called after. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'skip'; readonly tries: number }

/** Starts without progress after which a processor becomes careful. */
const RESTARTS = 3
/** Times that a message may end the process while it is known to be the one. */
const TRIES = 3
/** Messages that are handled with care, before the processor believes that the killer is behind it. */
const MESSAGES = 1_000

/**
 * Finds the message that ends the whole process. A processor that was started again and again without moving on stores
 * before each message that it is about to handle it, and commits each turn by itself. So a message that was begun three
 * times and never finished is known, and is passed over as a dead letter.
 */
export class CarefulStart {
  readonly #committer: Committer
  readonly #goOn: () => void
  readonly #begun: CommitRecord['attempting']
  #left: number
  #marked = 0
  #marking = false

  constructor(record: CommitRecord, committer: Committer, goOn: () => void) {
    this.#committer = committer
    this.#goOn = goOn
    this.#begun = record.attempting
    this.#left = record.restarts > RESTARTS || record.attempting !== null ? MESSAGES : 0
    if (this.#left > 0) committer.careful = true
  }

  /** @param waiting whether turns before it are not given to the committer yet */
  before({ sequence }: StoredMessage, waiting: boolean): Care {
    if (this.#left === 0) return HANDLE
    if (this.#marking || waiting || this.#committer.waiting > 0) return WAIT
    const tries = this.#begun?.sequence === sequence ? this.#begun.tries : 0
    if (tries >= TRIES) return { kind: 'skip', tries }
    if (this.#marked === sequence) return HANDLE
    this.#marking = true
    this.#committer.mark({ sequence, tries: tries + 1 }).then(
      () => {
        this.#marking = false
        this.#marked = sequence
        this.#goOn()
      },
      () => undefined, // the committer has failed and says so itself
    )
    return WAIT
  }

  /**
   * A message that the processor is declared to stop at has not ended the process: it is tried again at the next start,
   * however often. @returns what is to be told, once that is noted; undefined: there is nothing to note
   */
  stopsBefore(error: MillraceError): Promise<MillraceError> | undefined {
    if (this.#left === 0 || !isFault(error, 'POISON_STOPPED', 'PIPELINE_FAILED')) return undefined
    return this.#committer.mark(null).then(
      () => error,
      () => error, // somebody else has claimed the unit, or the server is away: then it counts as one more attempt
    )
  }

  /** One more turn is stored. */
  committed({ attempting }: CommitRecord): void {
    if (this.#left === 0 || attempting !== null) return
    this.#left -= 1
    if (this.#left === 0) this.#committer.careful = false
  }

  /** Everything that waited is handled. */
  caughtUp(): void {
    if (this.#left > 0 && this.#committer.waiting === 0 && !this.#marking) {
      this.#left = 0
      this.#committer.careful = false
    }
  }
}

const HANDLE: Care = { kind: 'handle' }
const WAIT: Care = { kind: 'wait' }
