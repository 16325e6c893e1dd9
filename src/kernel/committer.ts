// Committer
//
// Makes turns durable. One atomic batch holds their outputs and the record of how far the processor has come, so that
// both are stored or neither; the record carries the fence that refuses a batch of a former owner.
//
//   Processor -> Committer:   add(turn), in log order
//   Committer -> stream:      [outputs…, snapshot chunks…, commit record], expecting the previous record
//   Committer -> Processor:   onCommitted(turns), onFailure(error)
//
// Invariants (tests cite them):
//   C1  Position and outputs change together, or not at all.
//   C2  Outputs are stored in turn order, each once, whatever the outcome of single attempts.
//   C3  After another claim, nothing more is stored (PROCESSOR_FENCED).
//   C4  A dead letter is stored before the position passes its message.
//   C5  One commit is in flight at a time; turns go on meanwhile and are grouped into the next.
import { asFault, outcomeUnknown } from '../broker/api-error.js'
import { BATCH_LIMIT, expectLastSequence, publishBatch, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { commitSubject } from '../broker/system-subject.js'
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import type { Claim } from './claim.js'
import { decodeCommitRecord, encodeCommitRecord, sameCommit, type CommitRecord } from './commit-record.js'
import { deadLetterMessage } from './dead-letter.js'
import { nextCommit, type Commit } from './next-commit.js'
import type { Turn } from './turn.js'

export interface CommitterOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly claim: Claim
  /** Stream that is read, and stream that is written. */
  readonly input: string
  readonly output: string
  /** The state after the last turn that was added; undefined for a processor without memory. */
  readonly snapshot: () => unknown
  /** What the processor has passed over without a dead letter. */
  readonly notices?: () => Readonly<Record<string, number>> | undefined
  readonly onCommitted: (turns: readonly Turn[], record: CommitRecord) => void
  /** The committer has stopped; nothing after the last commit is stored. */
  readonly onFailure: (error: MillraceError) => void
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'scheduled'; readonly cancel: () => void }
  | { readonly kind: 'committing'; readonly done: Promise<void> }
  | { readonly kind: 'failed' }

/** A commit is not begun sooner than this after the last one began, unless much is waiting. In ms. */
const INTERVAL = 10
const MANY_TURNS = 1_000
const MANY_OUTPUTS = 500
const RETRY_MS = 200

export class Committer {
  readonly #options: CommitterOptions
  readonly #subject: string
  #record: CommitRecord
  #expected: number
  #turns: Turn[] = []
  #outputs = 0
  #state: State = { kind: 'idle' }
  #begunAt = Number.NEGATIVE_INFINITY

  constructor(options: CommitterOptions) {
    const { record, sequence } = options.claim
    this.#options = options
    this.#record = record
    this.#expected = sequence
    this.#subject = commitSubject(options.output, record.processor, record.partition)
  }

  get record(): CommitRecord {
    return this.#record
  }

  /** Queues turns, which a commit will hold soon. */
  add(turns: readonly Turn[]): void {
    for (const turn of turns) {
      this.#turns.push(turn)
      this.#outputs += turn.outputs.length
    }
    this.#schedule()
  }

  /** Resolves when everything added is committed, and a snapshot of it when `snapshot`; rejects when it cannot be. */
  async flush(snapshot: boolean): Promise<void> {
    while (this.#state.kind !== 'failed') {
      if (this.#state.kind === 'committing') await this.#state.done
      else if (this.#turns.length > 0) await this.#commit(snapshot)
      else if (snapshot && this.#stale()) await this.#commit(true)
      else return
    }
    throw fault('PROCESSOR_FENCED', `${this.#record.processor} stopped before its last turns were stored`)
  }

  /** Whether the claim still holds, by asking the stream. @throws PROCESSOR_FENCED (C3) */
  async verify(): Promise<void> {
    if (this.#state.kind === 'committing') await this.#state.done
    const last = await readLast(this.#options.connection, this.#options.output, this.#subject)
    const stored = last === undefined ? undefined : decodeCommitRecord(last.data, this.#subject)
    if (stored?.generation === this.#record.generation && stored.owner === this.#record.owner) return
    throw this.#fenced(stored)
  }

  #fenced(by: CommitRecord | undefined, cause?: unknown): MillraceError {
    const who = by === undefined ? 'its commit record is gone' : `by ${by.owner}, generation ${by.generation}`
    return fault('PROCESSOR_FENCED', `${this.#record.processor} ${who}`, { cause })
  }

  #stale(): boolean {
    const since = this.#record.snapshot?.position ?? this.#record.origin
    return this.#record.position > since && this.#options.snapshot() !== undefined
  }

  #schedule(): void {
    if (this.#turns.length === 0 || this.#state.kind === 'committing' || this.#state.kind === 'failed') return
    const much = this.#turns.length >= MANY_TURNS || this.#outputs >= MANY_OUTPUTS
    const wait = much ? 0 : this.#begunAt + INTERVAL - this.#options.clock.monotonic()
    if (wait > 0 && this.#state.kind === 'scheduled') return
    if (this.#state.kind === 'scheduled') this.#state.cancel()
    if (wait <= 0) void this.#commit(false)
    else this.#state = { kind: 'scheduled', cancel: this.#options.clock.after(wait, () => void this.#commit(false)) }
  }

  #commit(snapshot: boolean): Promise<void> {
    if (this.#state.kind === 'scheduled') this.#state.cancel()
    this.#begunAt = this.#options.clock.monotonic()
    const done = this.#next(snapshot).catch((error: unknown) => {
      this.#state = { kind: 'failed' }
      this.#options.onFailure(asFault(error, `committing to ${this.#subject}`))
    })
    this.#state = { kind: 'committing', done }
    return done
  }

  async #next(snapshot: boolean): Promise<void> {
    const commit = nextCommit({
      record: this.#record,
      turns: this.#turns,
      room: BATCH_LIMIT - 1,
      output: this.#options.output,
      state: this.#options.snapshot,
      notices: this.#options.notices?.(),
      force: snapshot,
    })
    await this.#store(commit)
    this.#record = commit.record
    this.#turns.splice(0, commit.turns.length)
    for (const turn of commit.turns) this.#outputs -= turn.outputs.length
    this.#state = { kind: 'idle' }
    this.#options.onCommitted(commit.turns, commit.record)
    this.#schedule()
  }

  async #store(commit: Commit): Promise<void> {
    for (const turn of commit.turns) if (turn.deadLetter) await this.#storeDeadLetter(turn)
    const message: WireMessage = {
      subject: this.#subject,
      headers: [expectLastSequence(this.#expected), ROLLUP_SUBJECT],
      data: encodeCommitRecord(commit.record),
    }
    const { connection, clock } = this.#options
    for (;;) {
      try {
        // without outputs there is nothing to be atomic with, and a plain publish is ten times quicker
        const stored =
          commit.messages.length === 0
            ? (await publishOnce(connection, message)).sequence
            : (await publishBatch(connection, [...commit.messages, message])).last
        this.#expected = stored
        return
      } catch (error) {
        const known = asFault(error, 'committing')
        if (known.code !== 'SEQUENCE_CONFLICT' && !outcomeUnknown(known) && known.code !== 'STREAM_FULL') throw known
        if (await this.#settled(commit, known)) return
        await clock.sleep(RETRY_MS)
      }
    }
  }

  /** Reads the last commit record: ours means success (C2), another’s the end (C3), the former one means try again. */
  async #settled(commit: Commit, problem: MillraceError): Promise<boolean> {
    const { connection, output, clock } = this.#options
    for (;;) {
      const last = await readLast(connection, output, this.#subject).catch((error: unknown) => {
        const known = asFault(error, 'reading back a commit')
        if (outcomeUnknown(known)) return known
        throw known
      })
      if (isFault(last)) {
        if (connection.state.kind === 'closed') throw last
        await clock.sleep(RETRY_MS)
        continue
      }
      if (last?.sequence === this.#expected) return false
      const stored = last === undefined ? undefined : decodeCommitRecord(last.data, this.#subject)
      if (last !== undefined && stored !== undefined && sameCommit(stored, commit.record)) {
        this.#expected = last.sequence
        return true
      }
      throw this.#fenced(stored, problem)
    }
  }

  async #storeDeadLetter(turn: Turn): Promise<void> {
    if (turn.deadLetter === undefined) return
    const { connection, clock, input } = this.#options
    for (;;) {
      try {
        await publishOnce(connection, deadLetterMessage(input, turn.message, turn.deadLetter))
        return
      } catch (error) {
        if (isFault(error, 'SEQUENCE_CONFLICT')) return // stored before, by us or by another reader of the message
        const known = asFault(error, 'storing a dead letter')
        if (!outcomeUnknown(known) && known.code !== 'STREAM_FULL') throw known
        if (connection.state.kind === 'closed') throw known
        await clock.sleep(RETRY_MS)
      }
    }
  }
}
