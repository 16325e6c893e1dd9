import type { MillraceError } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import { asFault } from '../../broker/api-error.js'
import { expectLastSequence } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { Feed } from '../../broker/feed.js'
import { readLast } from '../../broker/last-message.js'
import {
  ensureOwnershipStream,
  expiresAfter,
  OWNERSHIP_STREAM,
  ownershipSubject,
  ownershipSubjects,
  type OwnershipSubjectKind,
} from '../../broker/ownership-stream.js'
import { answerPresence, askPresence } from '../../broker/presence.js'
import { publishOnce } from '../../broker/publish-once.js'
import type { LogEntry } from './group-view.js'
import { encodeMessage, type Beat, type HoldingMessage, type Offer, type PauseMessage } from './messages.js'

export interface GroupListener {
  /** What the members have said, in log order: first the last word on each subject, then everything as it is said. */
  readonly onEntries: (entries: readonly LogEntry[]) => void
  /** The stream was made anew, or brought back to an earlier state: what was heard is void, and all comes again. */
  readonly onReset: () => void
  readonly onConnected: () => void
  /** The log can be followed no more. Called once, last. */
  readonly onFailure: (error: MillraceError) => void
}

/** What the members of one group say to each other: a log that keeps the last word on each subject. */
export interface GroupLog {
  /**
   * Stores a message; resolves with its sequence.
   * @param options.expected sequence of the last message on the subject, 0 for none
   * @param options.expires seconds until the message goes away
   * @throws SEQUENCE_CONFLICT; errors of the broker, after some of which it may be stored all the same
   */
  write(
    kind: OwnershipSubjectKind,
    name: string,
    message: Beat | Offer | HoldingMessage | PauseMessage,
    options?: { readonly expected?: number; readonly expires?: number },
  ): Promise<number>
  /** The last word on a subject, as the leader has it. */
  last(kind: OwnershipSubjectKind, name: string): Promise<LogEntry | undefined>
  /** @returns what ends it */
  follow(listener: GroupListener): () => void
  /** Has whoever asks for a member be answered while its connection lives. @returns what ends it; undefined: it cannot be */
  answer?(member: string): Promise<(() => void) | undefined>
  /** Whether the connection of a member that answers has ended; false when that is not certain. */
  isGone?(member: string, timeoutMs: number): Promise<boolean>
}

/** A write that takes longer than this is not waited for: the next heartbeat must not wait behind it. */
const WRITE_LIMIT_MS = 2_000
const LONGEST_PAUSE_MS = 2_000
const ANSWER_LIMIT_MS = 1_000

/** The log of a group in its stream. The stream is made again when it is lost. */
export class StreamGroupLog implements GroupLog {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #group: string
  readonly #replicas: number

  constructor(connection: Connection, clock: Clock, group: string, replicas: number) {
    this.#connection = connection
    this.#clock = clock
    this.#group = group
    this.#replicas = replicas
  }

  async write(
    kind: OwnershipSubjectKind,
    name: string,
    message: Beat | Offer | HoldingMessage | PauseMessage,
    options: { readonly expected?: number; readonly expires?: number } = {},
  ): Promise<number> {
    const { expected, expires } = options
    const headers = [
      ...(expected === undefined ? [] : [expectLastSequence(expected)]),
      ...(expires === undefined ? [] : [expiresAfter(expires)]),
    ]
    const subject = ownershipSubject(this.#group, kind, name)
    const wire = { subject, headers, data: encodeMessage(message) }
    return (await publishOnce(this.#connection, wire, WRITE_LIMIT_MS)).sequence
  }

  async last(kind: OwnershipSubjectKind, name: string): Promise<LogEntry | undefined> {
    const subject = ownershipSubject(this.#group, kind, name)
    const last = await readLast(this.#connection, OWNERSHIP_STREAM, subject)
    return last === undefined ? undefined : { ...last, subject }
  }

  answer(member: string): Promise<(() => void) | undefined> {
    return answerPresence(this.#connection, this.#group, member, ANSWER_LIMIT_MS)
  }

  async isGone(member: string, timeoutMs: number): Promise<boolean> {
    return (await askPresence(this.#connection, this.#group, member, timeoutMs)) === 'gone'
  }

  follow(listener: GroupListener): () => void {
    let stopped = false
    let feed: Feed | undefined
    const stopListening = this.#connection.onStatus(({ kind }) =>
      kind === 'connected' ? listener.onConnected() : null,
    )
    const stop = (): void => {
      stopped = true
      stopListening()
      feed?.stop()
    }
    const fail = (error: MillraceError): void => {
      if (stopped) return
      stop()
      listener.onFailure(error)
    }
    const open = (): void => {
      feed = this.#open(
        listener,
        (error) => void remake(error, 1).catch((thrown: unknown) => fail(asFault(thrown, 'following the group'))),
      )
    }
    const remake = async (error: MillraceError, attempt: number): Promise<void> => {
      if (stopped) return
      const gone = error.code === 'STREAM_NOT_FOUND' || error.code === 'STREAM_REPLACED'
      if (this.#connection.state.kind === 'closed' || !(gone || error.disposition === 'retry')) return fail(error)
      await this.#clock.sleep(Math.min(LONGEST_PAUSE_MS, 50 * 2 ** attempt))
      try {
        await ensureOwnershipStream(this.#connection, this.#replicas)
      } catch (again) {
        return remake(asFault(again, `making stream ${OWNERSHIP_STREAM}`), attempt + 1)
      }
      if (stopped) return
      listener.onReset()
      open()
    }
    open()
    return stop
  }

  #open(listener: GroupListener, onFailure: (error: MillraceError) => void): Feed {
    const feed: Feed = new Feed(this.#connection, {
      stream: OWNERSHIP_STREAM,
      filters: [ownershipSubjects(this.#group)],
      start: { kind: 'sequence', sequence: 1 },
      clock: this.#clock,
      onMessages: (messages) => {
        listener.onEntries(messages)
        feed.release(messages.length)
      },
      onFailure,
    })
    return feed
  }
}
