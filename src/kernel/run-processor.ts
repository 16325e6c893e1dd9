// ProcessorRun
//
// One unit of a processor at work in this process: claims it, rebuilds its state from the log, then runs turns and has
// them committed, until it is stopped or fails.
//
//   Feed -> ProcessorRun:        messages in log order, with credit
//   IdleTicks -> ProcessorRun:   time has moved on while no message came
//   StepRunner -> ProcessorRun:  a step has ended
//   ProcessorRun -> Execution:   the next message or decision
//   ProcessorRun -> Committer:   the turns
//
// Invariants (tests cite them):
//   K1  Outputs and state are a function of log and journal: a recovered processor goes on as one that was never
//       interrupted.
//   K2  Turns run in log order, one at a time; nothing of a later turn is visible before an earlier one.
//   K3  At most `credit` messages are in hand and not committed.
//   K4  A message waits while a step is open whose result has to come before it.
import type { Connection } from '../broker/connection.js'
import { Feed } from '../broker/feed.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import { CarefulStart } from './careful-start.js'
import { claim, type Claim } from './claim.js'
import type { CommitRecord } from './commit-record.js'
import { Committer } from './committer.js'
import type { Decision, StepOutcome } from './decision.js'
import { Execution } from './execution.js'
import { IdleTicks } from './idle-ticks.js'
import { inputFilters } from './input-filters.js'
import { loadMemory, type Loaded } from './load-memory.js'
import { ProcessorLog } from './processor-log.js'
import { unitId, WHOLE, type Logic, type Processor } from './processor.js'
import { JournalCursor, Recovery } from './recovery.js'
import { StateLog } from './state-log.js'
import { StepRunner } from './step-runner.js'
import type { Turn } from './turn.js'

export interface ProcessorOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  /** Who runs it, for the commit record: host and process. */
  readonly owner: string
  /** Partition of the input that this unit reads. Default all of them. */
  readonly partition?: string
  /** Most messages in hand and not committed. Default 8,192. */
  readonly credit?: number
  /** The processor has stopped by itself and will not go on. */
  readonly onFailure: (error: MillraceError) => void
}

/** What a processor is doing; each variant carries only what is true in it. */
export type ProcessorState =
  | { readonly kind: 'recovering'; readonly recovery: Recovery }
  /** `redo`: decisions that were stored in part and come first. */
  | { readonly kind: 'live'; readonly redo: JournalCursor }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: MillraceError }

export class ProcessorRun {
  readonly processor: Processor
  readonly partition: string
  readonly #options: ProcessorOptions
  readonly #logic: Logic
  readonly #log: ProcessorLog
  readonly #execution: Execution
  readonly #committer: Committer
  readonly #steps: StepRunner
  readonly #ticks: IdleTicks
  readonly #careful: CarefulStart
  readonly #feed: Feed
  #state: ProcessorState
  #caughtUp = false
  /** Messages that wait for a snapshot or for a step; the feed's credit bounds them (K3). */
  #held: (readonly StoredMessage[])[] = []

  /**
   * Claims the unit and starts it from its last commit.
   * @throws SNAPSHOT_INVALID, COMMIT_RECORD_INVALID, PROCESSOR_FENCED, PARTITIONS_CHANGED, what its logic broke with, and
   *   errors of the broker
   */
  static async start(processor: Processor, options: ProcessorOptions): Promise<ProcessorRun> {
    const { connection, clock, log, owner, partition = WHOLE } = options
    const taken = await claim(connection, processor, partition, owner)
    if (taken.changedFrom !== undefined && processor.memory !== 'none')
      new ProcessorLog(log, processor).changed(taken.changedFrom, processor.version, taken.record.position)
    const loaded = await loadMemory(connection, clock, processor, taken)
    let run: ProcessorRun | undefined
    let broken: MillraceError | undefined
    const logic = processor.start(loaded.memory, (error) => (run === undefined ? (broken ??= error) : run.#fail(error)))
    if (broken !== undefined) {
      logic.stop()
      throw broken
    }
    return (run = new ProcessorRun(processor, options, taken, loaded, logic))
  }

  private constructor(processor: Processor, options: ProcessorOptions, taken: Claim, loaded: Loaded, logic: Logic) {
    const { connection, clock, registry, credit = 8_192, partition = WHOLE } = options
    const { record } = taken
    this.processor = processor
    this.partition = partition
    this.#options = options
    this.#log = new ProcessorLog(options.log, processor)
    this.#logic = logic
    const { maxPayload } = connection.server
    this.#execution = new Execution({ processor, logic, registry, maxPayload }, record)
    const recovery = new Recovery(record, this.#execution, loaded.journal)
    this.#state = { kind: 'recovering', recovery }
    this.#committer = this.#createCommitter(taken, loaded)
    this.#steps = new StepRunner({ clock, onSettled: (id, outcome) => this.#settle(id, outcome) })
    this.#ticks = new IdleTicks(clock, {
      idle: () => this.#caughtUp && this.#held.length === 0 && this.#mayDecide() && this.#steps.pending === 0,
      due: () => this.#logic.due ?? Number.POSITIVE_INFINITY,
      tick: (time) => this.#decide({ kind: 'tick', time }),
    })
    this.#careful = new CarefulStart(record, this.#committer, () => this.#drain())
    if (loaded.readFrom > record.position) this.#endRecovery(recovery)
    this.#feed = new Feed(connection, {
      stream: processor.from.stream.name,
      filters: inputFilters(processor, partition),
      start: { kind: 'sequence', sequence: loaded.readFrom },
      durable: unitId(processor, partition),
      acks: 'through',
      credit,
      clock,
      onMessages: (messages) => this.#take(messages),
      onFailure: (error) => this.#fail(error),
      onCaughtUp: () => this.#onCaughtUp(),
      mayGoOn: () => this.#committer.verify(),
    })
    if (this.#ended()) this.#feed.stop()
  }

  get state(): ProcessorState {
    return this.#state
  }

  /** Sequence of the last message whose turn is committed. */
  get position(): number {
    return this.#committer.record.position
  }

  get counts(): { readonly turns: number; readonly outputs: number; readonly deadLetters: number } {
    return this.#committer.record
  }

  /** Takes no more messages, commits every turn that was run, with a snapshot, and stops. Leaves nothing half done. */
  async stop(): Promise<void> {
    if (this.#ended()) return
    const recovered = this.#state.kind === 'live'
    this.#end({ kind: 'stopped' })
    try {
      await this.#committer.flush(recovered)
    } finally {
      this.#logic.stop()
    }
  }

  #createCommitter(taken: Claim, loaded: Loaded): Committer {
    const { connection, clock } = this.#options
    const { from, to, memory } = this.processor
    const checkpoint = memory === 'replay' || memory === 'keyed' ? () => this.#execution.checkpoint() : undefined
    return new Committer({
      connection,
      clock,
      claim: taken,
      input: from.stream.name,
      output: to.stream.name,
      memory,
      snapshot: () => this.#logic.snapshot?.(),
      ...(checkpoint === undefined ? {} : { checkpoint }),
      stateLog: memory === 'keyed' ? new StateLog(() => this.#logic.entries?.() ?? [], loaded.state) : undefined,
      spans: loaded.spans,
      packing: to.packed === true ? to.stream.partitions : undefined,
      notices: () => this.#logic.notices,
      bounded: to.stream.maxBytes !== -1,
      onStall: (error, forMs) => this.#log.stalled(error, forMs),
      onCommitted: (turns, record) => this.#onCommitted(turns, record),
      onFailure: (error) => this.#fail(error),
    })
  }

  #ended(): boolean {
    return this.#state.kind === 'stopped' || this.#state.kind === 'failed'
  }

  #take(messages: readonly StoredMessage[]): void {
    if (this.#ended()) return
    this.#caughtUp = false
    this.#held.push(messages)
    if (this.#held.length === 1) this.#drain()
  }

  /** Handles what is held, as far as it may go. */
  #drain(): void {
    for (let batch = this.#held[0]; batch !== undefined && !this.#ended(); batch = this.#held[0]) {
      const done = this.#guarded(() => this.#handle(batch))
      if (done === undefined) return
      if (done < batch.length) {
        this.#held[0] = batch.slice(done)
        break
      }
      this.#held.shift()
    }
    if (!this.#ended()) this.#afterTurns()
  }

  /** Handles the first messages of a batch. @returns how many */
  #handle(messages: readonly StoredMessage[]): number {
    const turns: Turn[] = []
    let replayed = 0
    let at = 0
    for (const message of messages) {
      if (this.#state.kind === 'recovering' && message.sequence > this.#state.recovery.until)
        this.#endRecovery(this.#state.recovery) // the message at the position itself is gone; everything up to it was replayed
      if (this.#state.kind === 'recovering') {
        this.#state.recovery.replay(message)
        replayed += 1
        if (message.sequence === this.#state.recovery.until) this.#endRecovery(this.#state.recovery)
      } else if (this.#state.kind !== 'live' || !this.#live(message, this.#state.redo, turns)) break
      at += 1
    }
    if (replayed > 0) {
      this.#feed.acknowledge(messages.slice(0, replayed))
      this.#feed.release(replayed)
    }
    if (turns.length > 0) this.#committer.add(turns)
    return at
  }

  /** Runs the turn of a message; false when it has to wait. */
  #live(message: StoredMessage, redo: JournalCursor, turns: Turn[]): boolean {
    if (this.processor.memory === 'snapshot' && this.#committer.snapshotOverdue) return false
    for (const entry of redo.before(message.sequence)) turns.push(this.#execution.decide(entry))
    const input = this.#execution.read(message)
    if (!this.#execution.admits(input)) return false // K4
    const care = this.#careful.before(message, turns.length > 0)
    if (care.kind === 'wait') return false
    const turn =
      care.kind === 'skip' ? this.#execution.skip(message, care.tries) : this.#execution.handle(message, input)
    // thousands of turns wait for their commit: only a dead letter still needs the whole message
    if (turn.deadLetters.length === 0) message.forget?.()
    turns.push(turn)
    return true
  }

  #mayDecide(): boolean {
    return this.#state.kind === 'live' && this.#state.redo.settled
  }

  #decide(decision: Decision): void {
    this.#guarded(() => this.#committer.add([this.#execution.decide(decision)]))
    if (!this.#ended()) this.#afterTurns()
  }

  #settle(id: string, outcome: StepOutcome): void {
    if (!this.#mayDecide()) return
    this.#decide({ kind: 'step', id, outcome })
    this.#drain()
  }

  #afterTurns(): void {
    if (this.#logic.takeSteps !== undefined && this.#mayDecide())
      for (const request of this.#logic.takeSteps()) this.#steps.run(request)
    if (this.#logic.due !== undefined) this.#ticks.arm()
  }

  #onCaughtUp(): void {
    if (this.#state.kind === 'recovering') this.#endRecovery(this.#state.recovery)
    if (this.#state.kind !== 'live') return
    this.#caughtUp = true
    for (const entry of this.#state.redo.before(Number.POSITIVE_INFINITY)) this.#decide(entry)
    this.#careful.caughtUp()
    this.#drain()
  }

  #endRecovery(recovery: Recovery): void {
    const problem = this.#guarded(() => recovery.end(this.processor, this.#logic))
    if (this.#ended()) return
    if (problem !== undefined) return this.#fail(problem)
    this.#state = { kind: 'live', redo: new JournalCursor(this.#committer.record.partial?.journal ?? []) }
  }

  #onCommitted(turns: readonly Turn[], record: CommitRecord): void {
    const handled = turns.filter(({ message }) => message !== undefined)
    const last = handled.at(-1)?.message
    if (last !== undefined) this.#feed.acknowledge([last]) // everything up to it
    this.#feed.release(handled.length)
    this.#log.deadLetters(turns)
    this.#log.notices(this.#logic.notices)
    this.#careful.committed(record)
    if (this.#held.length > 0 && this.#committer.waiting === 0) this.#drain()
  }

  /** Runs what may throw faults that stop the processor; undefined when it did. */
  #guarded<Result>(run: () => Result): Result | undefined {
    try {
      return run()
    } catch (error) {
      this.#fail(isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error }))
      return undefined
    }
  }

  #fail(error: MillraceError): void {
    if (this.#ended()) return
    this.#end({ kind: 'failed', error })
    this.#logic.stop()
    this.#options.onFailure(error)
  }

  #end(state: ProcessorState): void {
    this.#state = state
    this.#held = []
    this.#feed?.stop()
    this.#ticks.stop()
    this.#steps.stop()
    this.#committer.stopTending()
  }
}
