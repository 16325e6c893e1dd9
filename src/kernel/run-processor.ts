// ProcessorRun
//
// One processor at work in this process: claims it, rebuilds its state from the log, then runs turns and has them
// committed, until it is stopped or fails.
//
//   Feed -> ProcessorRun:       messages in log order, with credit
//   ProcessorRun -> Logic:      turn(event)
//   ProcessorRun -> Committer:  the turns
//
// Invariants (tests cite them):
//   K1  Outputs and state are a function of the log: a recovered processor goes on as one that was never interrupted.
//   K2  Turns run in log order, one at a time; nothing of a later turn is visible before an earlier one.
//   K3  At most `credit` messages are in hand and not committed.
import type { Connection } from '../broker/connection.js'
import { Feed } from '../broker/feed.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import { claim, type Claim } from './claim.js'
import { Committer } from './committer.js'
import { FNV_OFFSET } from './hash.js'
import { inputFilters } from './input-filters.js'
import { hashTurn } from './next-commit.js'
import { ProcessorLog } from './processor-log.js'
import { processorId, type Logic, type Processor } from './processor.js'
import { readSnapshot } from './snapshot.js'
import { runTurn, type Turn } from './turn.js'

export interface ProcessorOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  /** Who runs it, for the commit record: host and process. */
  readonly owner: string
  /** Most messages in hand and not committed. Default 8,192. */
  readonly credit?: number
  /** The processor has stopped by itself and will not go on. */
  readonly onFailure: (error: MillraceError) => void
}

/** What a processor is doing; each variant carries only what is true in it. */
export type ProcessorState =
  | { readonly kind: 'recovering'; readonly until: number }
  | { readonly kind: 'live' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: MillraceError }

/** The one owner of all partitions; issue of ownership per partition comes with the scheduler of partitions. */
export const ALL_PARTITIONS = 'all'

export class ProcessorRun {
  readonly processor: Processor
  readonly #options: ProcessorOptions
  readonly #logic: Logic
  readonly #log: ProcessorLog
  readonly #committer: Committer
  readonly #feed: Feed
  #state: ProcessorState
  #hash: number
  #replayed = 0
  /** Messages that wait until a snapshot is stored; the feed's credit bounds them (K3). */
  #held: (readonly StoredMessage[])[] = []

  /**
   * Claims the processor and starts it from its last commit.
   * @throws SNAPSHOT_INVALID, COMMIT_RECORD_INVALID, PROCESSOR_FENCED, what its logic broke with, and errors of the broker
   */
  static async start(processor: Processor, options: ProcessorOptions): Promise<ProcessorRun> {
    const { connection, log, owner } = options
    const taken = await claim(connection, processor, ALL_PARTITIONS, owner)
    const { record, changedFrom } = taken
    if (changedFrom !== undefined && processor.memory === 'snapshot')
      new ProcessorLog(log, processor).changed(changedFrom, processor.version, record.position)
    const stateFrom = record.snapshot?.position ?? record.origin
    const replayFrom = processor.memory === 'none' ? record.position + 1 : stateFrom + 1
    const state =
      processor.memory === 'none' ? undefined : await readSnapshot(connection, processor.to.stream.name, record)
    let run: ProcessorRun | undefined
    let broken: MillraceError | undefined
    const logic = processor.start(state, (error) => (run === undefined ? (broken ??= error) : run.#fail(error)))
    if (broken !== undefined) {
      logic.stop()
      throw broken
    }
    return (run = new ProcessorRun(processor, options, taken, replayFrom, logic))
  }

  private constructor(processor: Processor, options: ProcessorOptions, taken: Claim, replayFrom: number, logic: Logic) {
    this.processor = processor
    this.#options = options
    this.#log = new ProcessorLog(options.log, processor)
    this.#logic = logic
    this.#hash = FNV_OFFSET
    const { connection, clock, credit = 8_192 } = options
    const replaying = replayFrom <= taken.record.position
    this.#state = replaying ? { kind: 'recovering', until: taken.record.position } : { kind: 'live' }
    this.#committer = new Committer({
      connection,
      clock,
      claim: taken,
      input: processor.from.stream.name,
      output: processor.to.stream.name,
      snapshot: () => (processor.memory === 'none' ? undefined : this.#logic.snapshot()),
      notices: () => this.#logic.notices,
      hashed: processor.memory !== 'none',
      bounded: processor.to.stream.maxBytes !== -1,
      onStall: (error, forMs) => this.#log.stalled(error, forMs),
      onCommitted: (turns) => this.#onCommitted(turns),
      onFailure: (error) => this.#fail(error),
    })
    this.#feed = new Feed(connection, {
      stream: processor.from.stream.name,
      filters: inputFilters(processor),
      start: { kind: 'sequence', sequence: replayFrom },
      durable: processorId(processor),
      acks: 'through',
      credit,
      clock,
      onMessages: (messages) => this.#take(messages),
      onFailure: (error) => this.#fail(error),
      onCaughtUp: () => this.#endRecovery(),
      mayGoOn: () => this.#committer.verify(),
    })
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
    if (this.#state.kind === 'stopped' || this.#state.kind === 'failed') return
    const recovered = this.#state.kind === 'live'
    this.#feed.stop()
    this.#committer.stopTending()
    this.#held = []
    this.#state = { kind: 'stopped' }
    try {
      await this.#committer.flush(recovered)
    } finally {
      this.#logic.stop()
    }
  }

  #take(messages: readonly StoredMessage[]): void {
    if (this.#state.kind === 'stopped' || this.#state.kind === 'failed') return
    if (this.#held.length > 0 || (this.processor.memory === 'snapshot' && this.#committer.snapshotOverdue)) {
      this.#held.push(messages)
      return
    }
    const turns: Turn[] = []
    const replayed: StoredMessage[] = []
    for (const message of messages) {
      const turn = this.#run(message)
      if (turn === undefined) return
      if (this.#replays(turn)) replayed.push(message)
      else turns.push(turn)
    }
    if (replayed.length > 0) {
      this.#feed.acknowledge(replayed)
      this.#feed.release(replayed.length)
    }
    if (turns.length > 0 && this.#isLive()) this.#committer.add(turns)
  }

  #run(message: StoredMessage): Turn | undefined {
    try {
      const turn = runTurn(this.processor, this.#logic, this.#options.registry, message)
      // thousands of turns wait for their commit: only a dead letter still needs the whole message
      if (turn.deadLetter === undefined) message.forget?.()
      return turn
    } catch (error) {
      const known = isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error })
      this.#fail(known)
      return undefined
    }
  }

  /** Whether a turn was committed before: its outputs are stored already, only the state matters. */
  #replays(turn: Turn): boolean {
    if (this.#state.kind !== 'recovering') return false
    if (turn.message.sequence > this.#state.until) {
      this.#endRecovery() // the message at the position itself is gone; everything up to it has been replayed
      return false
    }
    this.#hash = hashTurn(this.#hash, turn)
    this.#replayed += 1
    if (turn.message.sequence === this.#state.until) this.#endRecovery()
    return true
  }

  #isLive(): boolean {
    return this.#state.kind === 'live'
  }

  #endRecovery(): void {
    if (this.#state.kind !== 'recovering') return
    const { hash, position, processor, turnsToReplay } = this.#committer.record
    // the count tells a log with holes from a processor that does not repeat itself
    if (this.#replayed !== turnsToReplay) {
      const { name } = this.processor.from.stream
      const detail = `${processor} replayed ${this.#replayed} of ${turnsToReplay} messages of ${name} up to ${position}`
      return this.#fail(fault('MESSAGES_GONE', detail))
    }
    if (this.#hash !== hash)
      return this.#fail(fault('PROCESSOR_NONDETERMINISTIC', `${processor}, replayed up to sequence ${position}`))
    this.#state = { kind: 'live' }
  }

  #onCommitted(turns: readonly Turn[]): void {
    if (this.#held.length > 0 && this.#committer.waiting === 0)
      for (const messages of this.#held.splice(0)) this.#take(messages)
    const last = turns.at(-1)
    if (last !== undefined) this.#feed.acknowledge([last.message]) // everything up to it
    this.#feed.release(turns.length)
    this.#log.deadLetters(turns)
    this.#log.notices(this.#logic.notices)
  }

  #fail(error: MillraceError): void {
    if (this.#state.kind === 'stopped' || this.#state.kind === 'failed') return
    this.#state = { kind: 'failed', error }
    this.#feed.stop()
    this.#committer.stopTending()
    this.#logic.stop()
    this.#options.onFailure(error)
  }
}
