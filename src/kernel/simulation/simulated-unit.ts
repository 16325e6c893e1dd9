// SimulatedUnit
//
// One unit of a processor without a server and without a clock: it is given messages and decisions, commits into memory,
// and can be crashed. What decides about outputs, state and recovery is the kernel’s own.
//
//   host -> SimulatedUnit:   handle(message), skip(message), decide(decision), commit()
//   SimulatedUnit -> host:   what a commit has stored
//
// Invariants (tests cite them):
//   SIM1  A unit that crashed knows what was committed, and nothing else.
import { ROLLUP_SUBJECT } from '../../broker/batch.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { commitSubject } from '../../broker/system-subject.js'
import type { MillraceError } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import { decodeCommitRecord, encodeCommitRecord, type CommitRecord } from '../commit-record.js'
import type { Decision } from '../decision.js'
import { Execution } from '../execution.js'
import { freshRecord } from '../fresh-record.js'
import type { JournalSpan } from '../journal-spans.js'
import { nextCommit } from '../next-commit.js'
import type { RecordedParking } from '../parking/key-parking.js'
import { processorId, WHOLE, type Logic } from '../processor.js'
import type { StepRequest } from '../step-request.js'
import { partialCursor, type JournalCursor } from '../recovery.js'
import { StateLog, type StateLogPace } from '../state-log.js'
import type { Turn } from '../turn.js'
import { MemoryStore } from './memory-store.js'
import { ownSubjects } from './own-subjects.js'
import { recoverUnit } from './recover-unit.js'
import type { SimulationOptions } from './simulation-options.js'

/** What one commit has stored. */
export interface SimulatedCommit {
  /** Messages that others can read, in order. */
  readonly outputs: readonly WireMessage[]
  readonly turns: readonly Turn[]
  /** How many messages and decisions that the host has given it has completed, which were those turns. */
  readonly given: number
}

/** Room in a batch of the server, beside what a commit holds of its own. */
const ROOM = 950
const PACE: StateLogPace = { slice: 50, least: 200 }
/** What is read, and made a state again, in the time of one turn: entries of a state log, bytes of a snapshot. */
const ENTRIES_PER_TURN = 8
const BYTES_PER_TURN = 32
/** When the input was made: one log has one. */
const CREATED = '2026-01-01T00:00:00Z'

export class SimulatedUnit {
  readonly #options: SimulationOptions
  readonly #store: MemoryStore
  readonly #subject: string
  readonly #isOwn: (subject: string) => boolean
  readonly #logic: Logic
  readonly #execution: Execution
  readonly #stateLog: StateLog | undefined
  readonly #redo: JournalCursor
  readonly #redone = new Set<Turn>()
  readonly #steps = new Map<string, StepRequest>()
  #record: CommitRecord
  #expected: number
  #spans: readonly JournalSpan[]
  #turns: Turn[] = []
  #broken: MillraceError | undefined

  /**
   * Starts a unit from what is stored; afresh where nothing is.
   * @throws what a start and a recovery of the kernel throw
   */
  constructor(options: SimulationOptions, store: MemoryStore = new MemoryStore()) {
    const { processor, partition = WHOLE, pace = PACE } = options
    this.#options = options
    this.#store = store
    this.#subject = commitSubject(processor.to.stream.name, processorId(processor), partition)
    this.#isOwn = ownSubjects(processor, partition)
    const last = store.last(this.#subject)
    const found =
      last === undefined ? freshRecord(processor, partition, CREATED) : decodeCommitRecord(last.data, this.#subject)
    this.#record = { ...found, generation: found.generation + 1, restarts: found.restarts + 1, owner: 'simulation' }
    this.#expected = this.#append([], this.#record)
    const onBroken = (error: MillraceError): void => void (this.#broken ??= error)
    const recovered = recoverUnit(options, this.#record, store, onBroken)
    this.#logic = recovered.logic
    this.#execution = recovered.execution
    this.#spans = recovered.spans
    this.#redo = partialCursor(this.#record)
    if (processor.memory === 'keyed')
      this.#stateLog = new StateLog(() => this.#logic.entries?.() ?? [], recovered.state, pace)
    this.#check()
    this.#look()
  }

  get record(): CommitRecord {
    return this.#record
  }

  get logic(): Logic {
    return this.#logic
  }

  /** What its logic has broken with between turns. */
  get broken(): MillraceError | undefined {
    return this.#broken
  }

  get waiting(): number {
    return this.#turns.length // turns that are not committed
  }

  /** Sequence of the last message that was handled. */
  get sequence(): number {
    return this.#execution.sequence
  }

  /** What a recovery would have to do now, in turns, about. */
  get recoveryCost(): number {
    const { turnsToReplay, snapshot } = this.#record
    const { memory } = this.#options.processor
    if (memory === 'none') return 0
    if (memory === 'keyed') return (this.#stateLog?.length ?? 0) / ENTRIES_PER_TURN
    return turnsToReplay + (snapshot?.bytes ?? 0) / BYTES_PER_TURN
  }

  /** When a tick would do something; Infinity: never. */
  get due(): number {
    return this.#logic.due ?? Number.POSITIVE_INFINITY
  }

  /** Steps that are waited for, oldest first. */
  get steps(): readonly StepRequest[] {
    return [...this.#steps.values()]
  }

  /**
   * Handles a message. It has to wait for a step when undefined is returned, or a turn that is a tick: time had to move
   * before it, and a timer asked for the step. @param known what became of its keys when it was handled elsewhere
   * @throws faults with disposition `crash`
   */
  handle(message: StoredMessage, known?: RecordedParking): Turn | undefined {
    this.#check()
    this.#redoBefore(message.sequence)
    const [input, recorded] = [this.#execution.read(message), this.#redo.recorded(message.sequence) ?? known]
    if (!this.#execution.admits(input)) return undefined
    return this.#took(this.#execution.advance(input) ?? this.#execution.handle(message, input, recorded))
  }

  /** Passes a message over that ended the process. @throws faults with disposition `crash` */
  skip(message: StoredMessage, known?: RecordedParking): Turn {
    this.#check()
    this.#redoBefore(message.sequence)
    return this.#took(this.#execution.skip(message, 0, this.#redo.recorded(message.sequence) ?? known))
  }

  /** Takes a decision. @throws faults with disposition `crash` */
  decide(decision: Decision): Turn {
    this.#check()
    // those that were stored in part come first; the same one again does nothing
    this.#redoBefore(this.#execution.sequence + 1)
    if (decision.kind === 'step') this.#steps.delete(decision.id)
    return this.#took(this.#execution.decide(decision))
  }

  /** Stores the next commit; undefined when there is nothing to store. @param snapshot also the state as it is now */
  commit(snapshot = false): SimulatedCommit | undefined {
    const { processor, room = ROOM, packed = processor.to.packed === true } = this.#options
    const { memory, to } = processor
    const stale = snapshot && memory === 'snapshot' && this.#record.turnsToReplay > 0
    if (this.#turns.length === 0 && !stale) return undefined
    const last = memory === 'replay' || memory === 'keyed' ? this.#turns.at(-1) : undefined
    if (last !== undefined) last.checkpoint ??= this.#execution.checkpoint()
    const commit = nextCommit({
      record: this.#record,
      expected: this.#expected,
      turns: this.#turns,
      room,
      output: to.stream.name,
      memory,
      packing: packed ? { root: to.stream.root, partitions: to.stream.partitions } : undefined,
      spans: this.#spans,
      state: () => this.#logic.snapshot?.(),
      rewrite: () => this.#stateLog?.next(this.#expected),
      notices: this.#logic.notices,
      force: snapshot,
    })
    this.#expected = this.#append(commit.messages, commit.record)
    this.#record = commit.record
    this.#spans = commit.spans
    this.#turns = this.#turns.slice(commit.turns.length)
    for (const { checkpoint } of commit.turns) this.#stateLog?.wrote(checkpoint?.changes.length ?? 0)
    for (const { stored } of commit.turns) stored?.()
    const given = commit.turns.filter((turn) => !this.#redone.delete(turn)).length
    return { outputs: commit.messages.filter(({ subject }) => !this.#isOwn(subject)), turns: commit.turns, given }
  }

  /** Everything that waits: its outputs. */
  commitAll(snapshot = false): readonly WireMessage[] {
    let outputs = this.commit(snapshot)?.outputs ?? []
    while (this.#turns.length > 0) outputs = [...outputs, ...(this.commit(snapshot)?.outputs ?? [])]
    return outputs
  }

  /**
   * Ends it where it stands, and starts another one from what was committed (SIM1).
   * @throws what a start and a recovery of the kernel throw
   */
  crash(): SimulatedUnit {
    this.stop()
    return new SimulatedUnit(this.#options, this.#store)
  }

  /** What would come of a crash now; this one goes on only when the other is done with. */
  fork(): SimulatedUnit {
    return new SimulatedUnit(this.#options, this.#store.fork())
  }

  /** Lets go of what its logic holds. */
  stop(): void {
    this.#logic.stop()
  }

  #redoBefore(sequence: number): void {
    for (const entry of this.#redo.before(sequence)) this.#redone.add(this.#took(this.#execution.decide(entry)))
  }

  #took(turn: Turn): Turn {
    this.#turns.push(turn)
    this.#look()
    return turn
  }

  #look(): void {
    for (const request of this.#logic.takeSteps?.() ?? []) this.#steps.set(request.id, request)
  }

  #check(): void {
    if (this.#broken !== undefined) throw this.#broken
  }

  #append(messages: readonly WireMessage[], record: CommitRecord): number {
    const own = messages.filter(({ subject }) => this.#isOwn(subject))
    this.#store.pass(messages.length - own.length)
    return this.#store.append([
      ...own,
      { subject: this.#subject, headers: [ROLLUP_SUBJECT], data: encodeCommitRecord(record) },
    ])
  }
}
