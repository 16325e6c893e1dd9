import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { journalSubject, stateSubject } from '../broker/system-subject.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { CommitRecord } from './commit-record.js'

/** Stream sequences that an appendix moves on before it is worth a purge. */
const STEP = 5_000

/** Removes what nobody needs of a journal and a state log. Nothing depends on it but the size of the stream. */
export class AppendixTrimming {
  readonly #connection: Connection
  readonly #stream: string
  readonly #journal: string
  readonly #state: string
  readonly #keepsJournal: boolean
  readonly #trimmed = new Map<string, number>()
  #failure: MillraceError | undefined

  /** @param keepsJournal whether the journal stays as long as the log, which keeps everything too */
  constructor(connection: Connection, stream: string, { processor, partition }: CommitRecord, keepsJournal: boolean) {
    this.#keepsJournal = keepsJournal
    this.#connection = connection
    this.#stream = stream
    this.#journal = journalSubject(stream, processor, partition)
    this.#state = stateSubject(stream, processor, partition)
  }

  /** Why the last attempt did not succeed; the next one may. */
  get failure(): MillraceError | undefined {
    return this.#failure
  }

  /** @param sequence stream sequence of the record */
  trim({ journalFrom, stateFrom }: CommitRecord, sequence: number): void {
    // nothing of the journal is needed when the record does not point into it; a state log has always a beginning
    if (!this.#keepsJournal) this.#purge(this.#journal, journalFrom ?? sequence)
    this.#purge(this.#state, stateFrom ?? 0)
  }

  #purge(subject: string, before: number): void {
    const { manager, state } = this.#connection
    const trimmed = this.#trimmed.get(subject) ?? 0
    if (before - trimmed < STEP || state.kind !== 'connected') return
    this.#trimmed.set(subject, before)
    manager.streams.purge(this.#stream, { filter: subject, seq: before }).then(
      () => (this.#failure = undefined),
      (error: unknown) => {
        this.#failure = asFault(error, `purging ${subject}`)
        this.#trimmed.set(subject, trimmed)
      },
    )
  }
}
