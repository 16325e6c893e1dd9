// ProcessorRun
//
// One unit of a processor at work in this process: claims it, rebuilds its state from the log, then runs turns and has
// them committed, until it is stopped or fails.
//
//   Feed, DecisionSources -> ProcessorRun:   messages in log order, with credit; time that has moved on, steps that ended
//   ProcessorRun -> Execution, Committer:    the next message or decision; the turns
//
// Invariants (tests cite them):
//   K1  Outputs and state are a function of log and journal: a recovered processor goes on as one that was never
//       interrupted.
//   K2  Turns run in log order, one at a time; nothing of a later turn is visible before an earlier one.
//   K3  At most `credit` messages are in hand and not committed.
//   K4  A message waits while a step is open whose result has to come before it.
import { handedOver } from '../broker/hand-over.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { attemptGateOf } from './attempt-gate.js'
import { beginUnit, type Beginning } from './begin-unit.js'
import { CarefulStart } from './careful-start.js'
import type { Committer } from './committer.js'
import { createCommitter } from './create-committer.js'
import { DecisionSources } from './decision-sources.js'
import { drainFormer } from './drain-former.js'
import { explainDifference } from './explain-difference.js'
import type { Decision } from './decision.js'
import type { Execution } from './execution.js'
import { openFeed } from './open-feed.js'
import { ProcessorLog } from './processor-log.js'
import type { ProcessorOptions } from './processor-options.js'
import { WHOLE, type Logic, type Processor } from './processor.js'
import type { ProcessorState } from './processor-state.js'
import type { Recovery } from './recovery.js'
import { Redo } from './redo.js'
import type { Turn } from './turn.js'
import type { UnitFeed } from './unit-feed.js'

export class ProcessorRun {
  readonly processor: Processor
  readonly partition: string
  readonly #options: ProcessorOptions
  readonly #beginning: Beginning
  readonly #logic: Logic
  readonly #log: ProcessorLog
  readonly #execution: Execution
  readonly #committer: Committer
  readonly #sources: DecisionSources
  readonly #careful: CarefulStart
  readonly #feed: UnitFeed
  #state: ProcessorState
  /** Messages that wait for a snapshot or for a step; the feed's credit bounds them (K3). */
  #held: (readonly StoredMessage[])[] = []
  readonly #drainLater: () => void

  /**
   * Claims the unit and starts it from its last commit, or from a state made anew when its code asks for it.
   * @throws what claiming, draining and loading throw, what its logic broke with, and errors of the broker
   */
  static async start(processor: Processor, options: ProcessorOptions): Promise<ProcessorRun> {
    await drainFormer(processor, options)
    return new ProcessorRun(processor, options, await beginUnit(processor, options))
  }

  private constructor(processor: Processor, options: ProcessorOptions, beginning: Beginning) {
    const { record } = beginning.claim
    this.#drainLater = handedOver(options.connection, options.clock, () => this.#drain())
    this.processor = processor
    this.partition = options.partition ?? WHOLE
    this.#options = options
    this.#beginning = beginning
    this.#log = new ProcessorLog(options.log, processor)
    this.#logic = beginning.logic
    this.#execution = beginning.execution
    this.#state = { kind: 'recovering', recovery: beginning.recovery }
    this.#committer = createCommitter(processor, options, beginning, {
      recovered: () => this.#state.kind === 'live',
      onStall: (error, forMs) => {
        this.#log.stalled(error, forMs)
        this.#careful.release()
      },
      onCommitted: (turns) => this.#onCommitted(turns),
      onFailure: (error) => this.#fail(error),
    })
    this.#sources = new DecisionSources(options, processor.from.stream.name, this.#logic, {
      open: () => this.#state.kind === 'live' && this.#state.redo.done(this.#execution.place),
      idle: () => this.#feed.caughtUp && this.#held.length === 0,
      decide: (decision) => this.#decide(decision),
    })
    this.#careful = new CarefulStart(record, this.#committer, () => this.#drain(), attemptGateOf(options.connection))
    beginning.onBroken((error) => this.#fail(error))
    beginning.attach(() => this.#drain(), this.#committer)
    if (beginning.readFrom > record.position) this.#endRecovery(beginning.recovery)
    this.#feed = openFeed(processor, options, beginning, {
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
    if (!this.#ended() && this.#logic.finish !== undefined) await this.#logic.finish()
    if (this.#ended()) return
    const recovered = this.#state.kind === 'live'
    this.#end({ kind: 'stopped' })
    await this.#committer.flush(recovered).finally(() => this.#logic.stop())
  }

  #ended(): boolean {
    return this.#state.kind === 'stopped' || this.#state.kind === 'failed'
  }

  #take(messages: readonly StoredMessage[]): void {
    if (!this.#ended() && this.#held.push(messages) === 1) this.#drain()
  }

  /** Handles what is held, as far as it may go; when that is much, the rest once the event loop has turned. */
  #drain(): void {
    const [batch = []] = this.#held
    const done = this.#ended() ? 0 : this.#guarded(() => this.#handle(batch))
    if (done === undefined) return
    if (done < batch.length) this.#held[0] = batch.slice(done)
    else if (this.#held.shift() !== undefined && this.#held.length > 0) return this.#drainLater()
    if (!this.#committer.isFull) this.#execution.lookAhead(this.#held)
    this.#redoRest()
    if (!this.#ended()) this.#sources.look()
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
  #live(message: StoredMessage, redo: Redo, turns: Turn[]): boolean {
    if (this.#committer.isFull) return false
    for (const entry of redo.before(message.sequence)) turns.push(this.#execution.decide(entry))
    if (this.processor.onPoison === 'stop' && this.processor.memory === 'none') this.#committer.add(turns.splice(0))
    const input = this.#execution.read(message)
    if (!this.#execution.admits(input, message)) return false // K4
    const care = redo.care(message.sequence) ?? this.#careful.before(message, turns.length > 0)
    if (care.kind === 'wait') return false
    const turn = this.#execution.take(message, input, redo.recorded(message.sequence), care)
    turns.push(turn)
    if (turn.message === undefined) return false // time moved, and a step was asked for on the way (K4)
    // thousands of turns wait for their commit: only a dead letter still needs the whole message
    if (turn.deadLetters.length === 0) message.forget?.()
    return true
  }

  #decide(decision: Decision): void {
    this.#guarded(() => this.#committer.add([this.#execution.decide(decision)]))
    this.#drain() // messages may have waited for it (K4)
  }

  #onCaughtUp(): void {
    if (this.#state.kind === 'recovering') this.#endRecovery(this.#state.recovery)
    if (this.#held.length === 0) this.#careful.caughtUp()
    this.#drain()
  }

  /** What was stored in part and follows on the last message that there is. */
  #redoRest(): void {
    if (this.#state.kind !== 'live' || !this.#feed.caughtUp || this.#held.length > 0) return
    const { redo } = this.#state
    this.#guarded(() => this.#committer.add(redo.rest().map((entry) => this.#execution.decide(entry))))
  }

  #endRecovery(recovery: Recovery): void {
    const problem = this.#guarded(() => recovery.end(this.processor, this.#logic))
    if (this.#ended()) return
    if (problem !== undefined)
      return this.#fail(problem, explainDifference(this.#options, this.processor, recovery.outputs, problem))
    this.#state = { kind: 'live', redo: new Redo(this.#committer.record) }
    if (this.#beginning.takesOver) this.#guarded(() => this.#committer.add([this.#execution.takeover(this.#beginning)]))
  }

  #onCommitted(turns: readonly Turn[]): void {
    const handled = turns.filter(({ message }) => message !== undefined)
    const last = handled.at(-1)?.message
    if (last !== undefined) this.#feed.acknowledge([last]) // everything up to it
    this.#feed.release(handled.length)
    this.#log.deadLetters(turns)
    this.#log.told(this.#logic)
    this.#careful.committed()
    if (this.#held.length > 0) this.#drain()
  }

  #guarded<Result>(run: () => Result): Result | undefined {
    try {
      return run()
    } catch (error) {
      if (this.processor.memory !== 'none') this.#committer.abandon() // the state is ahead of the turns that it has
      const known = isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error })
      this.#fail(known, this.#careful.stopsBefore(known))
      return undefined
    }
  }

  /** @param told what is reported, when that takes a while to find out */
  #fail(error: MillraceError, told?: Promise<MillraceError>): void {
    if (this.#ended()) return
    this.#end({ kind: 'failed', error })
    this.#logic.stop()
    if (told === undefined) this.#options.onFailure(error)
    else void told.then(this.#options.onFailure)
  }

  #end(state: ProcessorState): void {
    this.#state = state
    this.#held = []
    this.#feed?.stop()
    this.#sources.stop()
    this.#careful?.release()
    this.#committer.stopTending()
  }
}
