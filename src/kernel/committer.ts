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
//   C6  Commits of several units share a batch, and each is stored, fenced or read back as if it were alone.
import { asFault } from '../broker/api-error.js'
import { batchQueueOf } from '../broker/batch-queue.js'
import { BATCH_LIMIT } from '../broker/batch.js'
import { readLast } from '../broker/last-message.js'
import { commitSubject } from '../broker/system-subject.js'
import type { MillraceError } from '../error/millrace-error.js'
import { AppendixTrimming } from './appendix-trimming.js'
import { CommitPace } from './commit-pace.js'
import { decodeCommitRecord, type CommitRecord } from './commit-record.js'
import type { CommitterOptions } from './committer-options.js'
import type { JournalSpan } from './journal-spans.js'
import { nextCommit, SNAPSHOT_EVERY, type Commit } from './next-commit.js'
import { lostClaim, storeCommit, type CommitTarget } from './store-commit.js'
import type { Turn } from './turn.js'

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'scheduled'; readonly at: number; readonly cancel: () => void }
  | { readonly kind: 'committing'; readonly done: Promise<void> }
  | { readonly kind: 'failed'; readonly error: MillraceError }

/** Messages of outputs in a batch; the rest is for its journal, its state and its record. */
const ROOM = BATCH_LIMIT - 50
/** How often it looks whether a snapshot is due, or its record about to be forgotten. In ms. */
const TEND_MS = 5_000
const SNAPSHOT_MS = 10_000
const REFRESH_MS = 30_000

export class Committer {
  /** Whether it keeps account of what was begun and is not done (CarefulStart). */
  careful = false
  readonly #options: CommitterOptions
  readonly #subject: string
  readonly #target: CommitTarget
  #record: CommitRecord
  #expected: number
  #spans: readonly JournalSpan[]
  readonly #trimming: AppendixTrimming
  #turns: Turn[] = []
  readonly #pace: CommitPace
  #forced: boolean
  #abandoned = false
  #state: State = { kind: 'idle' }
  #begunAt = Number.NEGATIVE_INFINITY
  #snapshotAt: number
  readonly #stopTending: () => void

  constructor(options: CommitterOptions) {
    const { record, sequence } = options.claim
    this.#options = options
    this.#record = record
    this.#expected = sequence
    this.#spans = options.spans ?? []
    this.#subject = commitSubject(options.output, record.processor, record.partition)
    const { connection, clock, input, output, root, before, onStall = () => undefined } = options
    this.#target = { connection, clock, input, output, root, subject: this.#subject, onStall, before }
    this.#trimming = new AppendixTrimming(connection, output, record, options.keepsJournal === true)
    this.#pace = new CommitPace(options.memory === 'none' && before === undefined, options.credit)
    this.#snapshotAt = clock.monotonic()
    this.#forced = options.snapshotFirst === true
    this.#stopTending = clock.every(TEND_MS, () => this.#tend())
  }

  /** Turns that are not committed. */
  get waiting(): number {
    return this.#turns.length
  }

  /** Whether turns should pause: a snapshot is of the state after the last of them; what waits is held in memory. */
  get isFull(): boolean {
    const { memory, packing, mostOutputs = 2 * ROOM } = this.#options
    const replay = memory === 'snapshot' && this.waiting > 0 ? this.#record.turnsToReplay + this.waiting : 0
    return replay >= 2 * SNAPSHOT_EVERY || (packing === undefined && this.#pace.outputs >= mostOutputs)
  }

  /** Where the last stored record is in the output stream. */
  get sequence(): number {
    return this.#expected
  }

  get record(): CommitRecord {
    return this.#record
  }

  /** Queues turns, which a commit will hold soon. */
  add(turns: readonly Turn[]): void {
    for (const turn of turns) {
      this.#turns.push(turn)
      this.#pace.add(turn)
    }
    this.#schedule()
  }

  /** Stores which messages are about to be handled, when nothing waits: not even what came just when all was stored. */
  async mark(attempting: CommitRecord['attempting']): Promise<void> {
    do await this.flush(false)
    while (this.#turns.length > 0 || this.#state.kind === 'committing')
    this.#begin(this.#store({ turns: [], messages: [], record: { ...this.#record, attempting }, spans: this.#spans }))
    await this.flush(false)
  }

  /** Resolves when everything added is committed, and a snapshot of it when `snapshot`; rejects when it cannot be. */
  async flush(snapshot: boolean): Promise<void> {
    for (;;) {
      if (this.#state.kind === 'failed') throw this.#state.error
      if (this.#state.kind === 'committing') await this.#state.done
      else if (this.#turns.length > 0) await this.#commit(snapshot)
      else if (snapshot && this.#stale()) await this.#commit(true)
      else return
    }
  }

  /** Asks the stream whether the claim still holds. @throws PROCESSOR_FENCED (C3) */
  async verify(): Promise<void> {
    if (this.#state.kind === 'committing') await this.#state.done
    const last = await readLast(this.#options.connection, this.#options.output, this.#subject)
    const stored = last === undefined ? undefined : decodeCommitRecord(last.data, this.#subject)
    if (stored?.generation === this.#record.generation && stored.owner === this.#record.owner) return
    throw lostClaim(this.#record, stored)
  }

  /** The state is not that of the last turn any more: of what is not on its way, nothing is stored. */
  abandon(): void {
    this.#abandoned = true
    this.#turns = []
  }

  /** No more commits by itself; `flush` still stores what is left. */
  stopTending(): void {
    this.#stopTending()
  }

  #stale(): boolean {
    return this.#options.memory === 'snapshot' && this.#record.turnsToReplay > 0
  }

  /**
   * Snapshots also when there is little to do, before what a replay needs is deleted by age, and in a stream that deletes
   * by size a record that never becomes the oldest message. A state that is only half back must not be taken for whole.
   */
  #tend(): void {
    if (this.#options.recovered?.() === false) return
    if (this.#turns[0]?.takesOver === true) return // what is there is still the former code’s
    this.#trimming.trim(this.#record, this.#expected)
    if (this.#state.kind !== 'idle' || this.#turns.length > 0) return
    const now = this.#options.clock.monotonic()
    const refresh = this.#options.bounded === true && now - this.#begunAt > REFRESH_MS
    if (refresh || (now - this.#snapshotAt > SNAPSHOT_MS && this.#stale())) void this.#commit(true)
  }

  #schedule(): void {
    if (this.#turns.length === 0 || this.#state.kind === 'committing' || this.#state.kind === 'failed') return
    const now = this.#options.clock.monotonic()
    const interval = this.careful ? 0 : this.#pace.interval
    const at = interval === 0 ? now : Math.max(now, this.#begunAt + interval)
    if (this.#state.kind === 'scheduled' && this.#state.at <= at && at > now) return
    if (this.#state.kind === 'scheduled') this.#state.cancel()
    if (at === now) return void this.#commit(false)
    const cancel = this.#options.clock.after(at - now, () => void this.#commit(false))
    this.#state = { kind: 'scheduled', at, cancel }
  }

  #commit(snapshot: boolean): Promise<void> {
    return this.#begin(this.#next(snapshot))
  }

  #begin(work: Promise<void>): Promise<void> {
    if (this.#state.kind === 'scheduled') this.#state.cancel()
    this.#begunAt = this.#options.clock.monotonic()
    const done = work.catch((error: unknown) => {
      const known = asFault(error, `committing to ${this.#subject}`)
      this.#state = { kind: 'failed', error: known }
      this.#options.onFailure(known)
    })
    this.#state = { kind: 'committing', done }
    return done
  }

  async #next(snapshot: boolean): Promise<void> {
    // what comes until then is in it
    const { connection, output, memory, snapshot: state, notices, packing, checkpoint, stateLog } = this.#options
    await batchQueueOf(connection, output).ready(packing === undefined && this.#pace.outputs >= ROOM)
    if (this.#abandoned) return void (this.#state = { kind: 'idle' })
    const part = this.#turns[0] && this.#options.takeover?.part(this.#turns[0], this.#expected)
    if (part !== undefined) return this.#storePart(part)
    // a journal that is deleted by size is missed only when a snapshot, which is older, has gone with it
    const unsafe = this.#options.bounded === true && this.#record.snapshot === null
    const last = this.#turns.at(-1)
    if (checkpoint !== undefined && last !== undefined) last.checkpoint ??= checkpoint()
    const commit = nextCommit({
      record: this.#record,
      expected: this.#expected,
      turns: this.#turns,
      room: ROOM,
      output,
      memory,
      packing,
      spans: this.#spans,
      state,
      takenFrom: this.#options.takeover?.from,
      rewrite: () => stateLog?.next(this.#expected),
      notices: notices?.(),
      careful: this.careful,
      force: snapshot || unsafe || this.#forced || this.#options.clock.monotonic() - this.#snapshotAt > SNAPSHOT_MS,
    })
    const told = snapshot || commit.turns.some(({ decision }) => decision?.kind === 'step')
    const report = told || commit.turns.length > 0 ? this.#options.reporting?.next(told) : undefined
    await this.#store(report === undefined ? commit : { ...commit, messages: [...commit.messages, report] })
  }

  /** What nothing refers to yet. */
  async #storePart(part: Commit): Promise<void> {
    this.#expected = await storeCommit(this.#target, part, this.#expected)
    this.#state = { kind: 'idle' }
    this.#schedule()
  }

  async #store(commit: Commit): Promise<void> {
    this.#expected = await storeCommit(this.#target, commit, this.#expected)
    if (commit.record.snapshot !== this.#record.snapshot) {
      this.#snapshotAt = this.#options.clock.monotonic()
      this.#forced = false
    }
    this.#record = commit.record
    this.#spans = commit.spans
    this.#turns.splice(0, commit.turns.length)
    this.#pace.stored(commit.turns)
    for (const { checkpoint } of commit.turns) this.#options.stateLog?.wrote(checkpoint?.changes.length ?? 0)
    this.#state = { kind: 'idle' }
    for (const { stored } of commit.turns) stored?.()
    this.#options.onCommitted(commit.turns, commit.record)
    this.#schedule()
  }
}
