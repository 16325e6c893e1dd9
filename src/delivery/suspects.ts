// Suspects
//
// Finds the events that end the process which handles them. What was delivered again and again without an end may be one
// of them, or may only have waited beside one: so it is handled alone, and marked before. A mark that is found again is of
// a process that has ended in between.
//
// Invariants (tests cite them):
//   DL4  An event whose processes end while it is handled becomes a dead letter after a bounded number of them
//        (HANDLER_CRASHED); one that was only waiting beside it does not.
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { deadLetterSubject, DEAD_LETTER_STREAM } from '../broker/system-subject.js'
import { delayedSubject, dueSubject, markSubject } from '../broker/work-stream.js'
import { readAttempt } from './attempt-headers.js'
import { handlerProcessor, letterPlace } from './handler-letter.js'
import { originToken, placeToken } from './origin.js'
import type { WorkItem } from './work-item.js'

/** Deliveries that may end without a result before an event is suspected: stops of a process, lost links. */
export const TRUSTED_DELIVERIES = 2
/** Marks without an end after which it is given up. */
export const MOST_MARKS = 3
/** A mark that nobody has taken away is forgotten after this long. */
const MARK_TTL = '168h'
/** That there is none is remembered until no copy can be behind it. */
const UNMARKED_TTL = '1s'
const UNMARKED = Buffer.from('0')
const ROLLUP = ['Nats-Rollup', 'sub'] as const
const TTL = 'Nats-TTL'

export class Suspects {
  readonly #connection: Connection
  readonly #work: string
  readonly #handler: string

  constructor(connection: Connection, work: string, handler: string) {
    this.#connection = connection
    this.#work = work
    this.#handler = handler
  }

  /** Whether it is to be handled alone. */
  isSuspect({ held }: WorkItem): boolean {
    return held.deliveries > TRUSTED_DELIVERIES
  }

  /**
   * Marks it as begun.
   * @param by what tells this beginning from any other: repeated after an answer that was lost, it counts once
   * @returns how many marks of others it had that were never taken away
   * @throws errors of the broker
   */
  async mark(item: Pick<WorkItem, 'origin'>, by: string): Promise<number> {
    const subject = markSubject(this.#work, this.#handler, originToken(item.origin))
    const last = await readLast(this.#connection, this.#work, subject)
    const [count = '', whose] = Buffer.from(last?.data ?? [])
      .toString()
      .split(' ')
    const marks = Number(count) || 0
    if (whose === by) return marks - 1
    if (marks >= MOST_MARKS) return marks
    const data = Buffer.from(`${marks + 1} ${by}`)
    await publishOnce(this.#connection, { subject, headers: [ROLLUP, [TTL, MARK_TTL]], data })
    return marks
  }

  /** It has ended, well or badly. Nothing is removed, which a process need not have the right to. @throws errors of the broker */
  async unmark(item: Pick<WorkItem, 'origin'>): Promise<void> {
    const subject = markSubject(this.#work, this.#handler, originToken(item.origin))
    await publishOnce(this.#connection, { subject, headers: [ROLLUP, [TTL, UNMARKED_TTL]], data: UNMARKED })
  }

  /**
   * Whether the fate of an event that was delivered again is stored, and only its acknowledgement was lost: it waits for
   * another attempt, or is a dead letter.
   * @throws errors of the broker
   */
  async hasFate(item: WorkItem): Promise<boolean> {
    const { origin, record, due } = item
    const { generation, attempt } = record
    const token = placeToken(origin, generation)
    const later = (subject: string): Promise<boolean> =>
      readLast(this.#connection, this.#work, subject).then((last) => {
        if (last === undefined) return false
        const found = readAttempt({ get: last.header, entries: () => [] })
        // the same attempt: it was written anew, before the server would give up on it
        return found.attempt >= attempt
      })
    const letter = deadLetterSubject(origin.stream, origin.sequence, handlerProcessor(this.#handler), letterPlace(item))
    const found = await Promise.all([
      later(delayedSubject(this.#work, this.#handler, token)),
      due ? false : later(dueSubject(this.#work, this.#handler, token)),
      readLast(this.#connection, DEAD_LETTER_STREAM, letter).then((last) => last !== undefined),
    ])
    return found.includes(true)
  }
}
