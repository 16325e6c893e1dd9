import type { StoredMessage } from '../broker/stored-message.js'
import { fault } from '../error/millrace-error.js'
import type { CommitRecord } from './commit-record.js'
import type { Decision } from './decision.js'
import { LookAhead } from './look-ahead.js'
import { KeyParking, type RecordedParking } from './parking/key-parking.js'
import {
  readInput,
  runAdvance,
  runDecision,
  runTurn,
  skipTurn,
  type DecisionPlace,
  type Input,
  type TurnContext,
} from './run-turn.js'
import type { Place } from './redo.js'
import { encodeChange } from './state-log.js'
import type { Checkpoint, Turn } from './turn.js'

/** Outputs after which the state is looked at, so that a commit can end there: four times so many fill one. */
const OUTPUTS_PER_CHECKPOINT = 237
/** Where outputs share messages: all of them still fit into one, if none can be packed after all. */
const PACKED_PER_CHECKPOINT = 900
/** Bytes of an actor’s outputs after which it is: what one decision stores has to be in one batch. */
const BYTES_PER_CHECKPOINT = 1024 * 1024
/** Results of steps after which it is: a commit record holds those of a turn that is stored in parts. In characters. */
const RESULTS_PER_CHECKPOINT = 256 * 1024
/** Turns after which the changes of a keyed processor are taken, so that they fit a batch: fewer, when they are large. */
const TURNS_PER_CHECKPOINT = 2_000
const FIRST_TURNS = 64
const CHANGES_PER_CHECKPOINT = 1024 * 1024

/** Where an execution begins. */
export type ExecutionStart = Pick<CommitRecord, 'position' | 'ordinal' | 'failures' | 'partition'> &
  Partial<Pick<CommitRecord, 'parked' | 'parkedBefore'>>

/**
 * A logic with the place in the log that it has come to: runs its turns one after the other and numbers what comes out.
 * Without effects; the same messages and decisions in the same order make the same turns.
 */
export class Execution {
  readonly #context: TurnContext
  readonly #keys: KeyParking
  readonly #ahead: LookAhead
  /** Events given to the logic so far. */
  events = 0
  /** Messages handled so far. */
  messages = 0
  #sequence: number
  readonly #partition: number
  #ordinal: number
  #failures: number
  #outputs = 0
  #bytes = 0
  #turns = 0
  #results = 0
  #turnsPerCheckpoint = FIRST_TURNS

  constructor(context: TurnContext, from: ExecutionStart) {
    this.#context = context
    this.#keys = new KeyParking(context, from)
    this.#ahead = new LookAhead(context)
    this.#partition = Number(from.partition) || 0 // the whole has no number
    this.#sequence = from.position
    this.#ordinal = from.ordinal
    this.#failures = from.failures
  }

  /** Sequence of the last message that was handled. */
  get sequence(): number {
    return this.#sequence
  }

  /** How far it has come. */
  get place(): Place {
    return { sequence: this.#sequence, outputs: this.#ordinal }
  }

  read(message: StoredMessage): Input {
    return this.#keys.read(message) ?? this.#ahead.take(message) ?? readInput(this.#context, message)
  }

  /** Whether the logic can take it now. @param message whose input it is, when it is read again if not */
  admits(input: Input, message?: StoredMessage): boolean {
    const { logic } = this.#context
    if (logic.admits === undefined) return true
    for (const decoded of this.#keys.handled(input))
      if (decoded.kind === 'event' && !logic.admits(decoded.event)) {
        if (message !== undefined) this.#ahead.keep(message, input)
        return false
      }
    return true
  }

  /** Tells the logic of what is behind a message that has to wait. @param held what waits, oldest first */
  lookAhead(held: readonly (readonly StoredMessage[])[]): void {
    this.#ahead.look(held)
  }

  /**
   * Runs what comes next: the message, or a tick before it, after which it has to wait for a step.
   * @param care whether the message is passed over, and after how many tries
   * @throws faults with disposition `crash`
   */
  take(
    message: StoredMessage,
    input: Input,
    recorded: RecordedParking | undefined,
    care: { readonly kind: 'handle' } | { readonly kind: 'skip'; readonly tries: number },
  ): Turn {
    if (care.kind === 'skip') return this.skip(message, care.tries, recorded)
    return this.advance(input) ?? this.handle(message, input, recorded)
  }

  /**
   * @param recorded what became of keys when the message was handled before; undefined: it was not
   * @throws faults with disposition `crash`
   */
  handle(message: StoredMessage, input: Input, recorded?: RecordedParking): Turn {
    const turn = this.#keys.turn(message, input, recorded)
    if (turn === undefined) for (const decoded of input) this.events += decoded.kind === 'event' ? 1 : 0
    else this.events += turn.given
    return this.#reach(message, turn?.turn ?? runTurn(this.#context, message, input))
  }

  /**
   * Passes a message over whose handling ended the process `tries` times.
   * @throws faults with disposition `crash`
   */
  skip(message: StoredMessage, tries: number, recorded?: RecordedParking): Turn {
    const reason = fault('PROCESS_KILLED', `${tries} times at sequence ${message.sequence}`)
    const turn = this.#keys.turn(message, this.read(message), recorded, reason)
    return this.#reach(message, turn?.turn ?? skipTurn(this.#context, message, reason))
  }

  /** @throws faults with disposition `crash` */
  decide(decision: Decision): Turn {
    return this.#noteDecision(runDecision(this.#context, decision, this.#place()))
  }

  /**
   * Lets time pass before a message that is admitted. @returns the tick that this was, when the message has to wait for
   * a step; undefined: it is to be handled now
   * @throws faults with disposition `crash`
   */
  advance(input: Input): Turn | undefined {
    if (this.#context.logic.advance === undefined) return undefined
    const turn = runAdvance(this.#context, this.#keys.handled(input), this.#place())
    return turn === undefined ? undefined : this.#noteDecision(turn)
  }

  /**
   * Goes on from a committed place: what was replayed may have left out what other keys put out there.
   * @param same whether the same code put it out; numbers that other code gave must not be given again
   */
  resume({ position, ordinal, failures, parked }: CommitRecord, same: boolean): void {
    this.#keys.resume({ parked })
    this.#sequence = position
    this.#ordinal = same ? ordinal : Math.max(ordinal, this.#ordinal)
    this.#failures = same ? failures : Math.max(failures, this.#failures)
    this.#begin()
    this.#context.logic.takeChanges?.()
  }

  /** Looks at the state as it is now. */
  checkpoint(): Checkpoint {
    const { logic } = this.#context
    const changes = logic.takeChanges?.().map(({ key, value }) => encodeChange(key, value)) ?? []
    const size = changes.reduce((sum, change) => sum + change.length, 0)
    // the next ones are taken to be like these, and no more than twice as many are tried at once
    const fitting = Math.ceil((this.#turns * CHANGES_PER_CHECKPOINT) / Math.max(1, size))
    if (this.#turns > 0)
      this.#turnsPerCheckpoint = Math.min(TURNS_PER_CHECKPOINT, 2 * this.#turnsPerCheckpoint, fitting)
    this.#begin()
    const start = logic.replayStart?.()
    return {
      basis: start === undefined ? (logic.basis ?? null) : start.basis,
      replay: start === undefined ? null : { sequence: start.sequence, events: start.events },
      hash: logic.hash ?? 0,
      changes,
      ...(this.#context.processor.memory === 'replay' ? { parkedBefore: this.#keys.before(start?.sequence) } : {}),
    }
  }

  /**
   * A turn of nothing that carries the whole state: what is stored when a state was read by other code or made anew.
   * @param ticked a tick that is behind the state, and that nobody has written down with it
   * @throws REBUILD_WITH_STEPS
   */
  takeover({ ticked }: { readonly ticked: number | null }): Turn {
    const { logic, processor } = this.#context
    // what is kept has its open steps with it, and goes on waiting for them
    const [step] = processor.upgrade === 'keep' ? [] : (logic.takeSteps?.() ?? [])
    if (step !== undefined) throw fault('REBUILD_WITH_STEPS', `${processor.name}: step ${step.name}, ${step.id}`)
    const changes = [...(logic.entries?.() ?? [])].map(({ key, value }) => encodeChange(key, value))
    return {
      sequence: this.#sequence,
      storedAt: 0,
      message: undefined,
      decision: ticked === null ? undefined : { kind: 'tick', time: ticked },
      outputs: [],
      deadLetters: [],
      outputsBefore: this.#ordinal,
      failuresBefore: this.#failures,
      takesOver: true,
      checkpoint: { ...this.checkpoint(), changes },
    }
  }

  #place(): DecisionPlace {
    return { sequence: this.#sequence, partition: this.#partition, ordinal: this.#ordinal, failures: this.#failures }
  }

  #noteDecision(turn: Turn): Turn {
    this.#ordinal += turn.outputs.length
    this.#failures += turn.deadLetters.length
    return this.#note(turn)
  }

  #reach(message: StoredMessage, turn: Turn): Turn {
    if (turn.passed !== true) this.messages += 1
    this.#sequence = message.sequence
    this.#ordinal = turn.outputs.length
    this.#failures = turn.deadLetters.length
    return this.#note(turn)
  }

  #note(turn: Turn): Turn {
    const { memory, kind, to } = this.#context.processor
    const stored = this.#context.logic.afterCommit?.()
    if (stored !== undefined) turn.stored = stored
    if (memory === 'none' || memory === 'snapshot') return turn
    this.#outputs += turn.outputs.length
    if (kind === 'actor') for (const { data } of turn.outputs) this.#bytes += data.length
    this.#turns += 1
    this.#results += turn.result ?? 0
    const most = to.packed === true ? PACKED_PER_CHECKPOINT : OUTPUTS_PER_CHECKPOINT
    const much = this.#outputs >= most || this.#bytes >= BYTES_PER_CHECKPOINT || this.#results >= RESULTS_PER_CHECKPOINT
    if (much || this.#turns >= this.#turnsPerCheckpoint) turn.checkpoint = this.checkpoint()
    return turn
  }

  #begin(): void {
    this.#outputs = 0
    this.#bytes = 0
    this.#turns = 0
    this.#results = 0
  }
}
