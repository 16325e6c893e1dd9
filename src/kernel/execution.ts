import type { StoredMessage } from '../broker/stored-message.js'
import { fault } from '../error/millrace-error.js'
import type { CommitRecord } from './commit-record.js'
import type { Decision } from './decision.js'
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
import { encodeChange } from './state-log.js'
import type { Checkpoint, Turn } from './turn.js'

/** Outputs after which the state is looked at, so that a commit can end there. */
const OUTPUTS_PER_CHECKPOINT = 256
/** Turns of a keyed processor after which its changes are taken, so that they fit a batch. */
const TURNS_PER_CHECKPOINT = 2_000

/**
 * A logic with the place in the log that it has come to: runs its turns one after the other and numbers what comes out.
 * Without effects; the same messages and decisions in the same order make the same turns.
 */
export class Execution {
  readonly #context: TurnContext
  /** Events given to the logic so far. */
  events = 0
  /** Messages handled so far. */
  messages = 0
  #sequence: number
  readonly #partition: number
  #ordinal: number
  #failures: number
  #outputs = 0
  #turns = 0

  constructor(context: TurnContext, from: Pick<CommitRecord, 'position' | 'ordinal' | 'failures' | 'partition'>) {
    this.#context = context
    this.#partition = Number(from.partition) || 0 // the whole has no number
    this.#sequence = from.position
    this.#ordinal = from.ordinal
    this.#failures = from.failures
  }

  /** Sequence of the last message that was handled. */
  get sequence(): number {
    return this.#sequence
  }

  read(message: StoredMessage): Input {
    return readInput(this.#context, message)
  }

  /** Whether the logic can take it now. */
  admits(input: Input): boolean {
    const { logic } = this.#context
    if (logic.admits === undefined) return true
    for (const decoded of input) if (decoded.kind === 'event' && !logic.admits(decoded.event)) return false
    return true
  }

  /** @throws faults with disposition `crash` */
  handle(message: StoredMessage, input: Input): Turn {
    const turn = runTurn(this.#context, message, input)
    for (const decoded of input) if (decoded.kind === 'event') this.events += 1
    return this.#reach(message, turn)
  }

  /** Passes a message over whose handling ended the process `tries` times. */
  skip(message: StoredMessage, tries: number): Turn {
    const reason = fault('PROCESS_KILLED', `${tries} times at sequence ${message.sequence}`)
    return this.#reach(message, skipTurn(this.#context, message, reason))
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
    const turn = runAdvance(this.#context, input, this.#place())
    return turn === undefined ? undefined : this.#noteDecision(turn)
  }

  /**
   * Goes on from a committed place: what was replayed may have left out what other keys put out there.
   * @param same whether the same code put it out; numbers that other code gave must not be given again
   */
  resume({ position, ordinal, failures }: CommitRecord, same: boolean): void {
    this.#sequence = position
    this.#ordinal = same ? ordinal : Math.max(ordinal, this.#ordinal)
    this.#failures = same ? failures : Math.max(failures, this.#failures)
    this.#outputs = 0
    this.#turns = 0
    this.#context.logic.takeChanges?.()
  }

  /** Looks at the state as it is now. */
  checkpoint(): Checkpoint {
    this.#outputs = 0
    this.#turns = 0
    const { logic } = this.#context
    const start = logic.replayStart?.()
    return {
      basis: start === undefined ? (logic.basis ?? null) : start.basis,
      replay: start === undefined ? null : { sequence: start.sequence, events: start.events },
      hash: logic.hash ?? 0,
      changes: logic.takeChanges?.().map(({ key, value }) => encodeChange(key, value)) ?? [],
    }
  }

  /**
   * A turn of nothing that carries the whole state: what is stored when a state was read by other code or made anew.
   */
  takeover(): Turn {
    const changes = [...(this.#context.logic.entries?.() ?? [])].map(({ key, value }) => encodeChange(key, value))
    return {
      sequence: this.#sequence,
      storedAt: 0,
      message: undefined,
      decision: undefined,
      outputs: [],
      deadLetters: [],
      outputsBefore: this.#ordinal,
      failuresBefore: this.#failures,
      checkpoint: { ...this.checkpoint(), changes },
    }
  }

  #place(): DecisionPlace {
    const [sequence, partition, ordinal, failures] = [this.#sequence, this.#partition, this.#ordinal, this.#failures]
    return { sequence, partition, ordinal, failures }
  }

  #noteDecision(turn: Turn): Turn {
    this.#ordinal += turn.outputs.length
    this.#failures += turn.deadLetters.length
    return this.#note(turn)
  }

  #reach(message: StoredMessage, turn: Turn): Turn {
    this.messages += 1
    this.#sequence = message.sequence
    this.#ordinal = turn.outputs.length
    this.#failures = turn.deadLetters.length
    return this.#note(turn)
  }

  #note(turn: Turn): Turn {
    const { memory } = this.#context.processor
    if (memory === 'none' || memory === 'snapshot') return turn
    this.#outputs += turn.outputs.length
    this.#turns += 1
    if (this.#outputs >= OUTPUTS_PER_CHECKPOINT || this.#turns >= TURNS_PER_CHECKPOINT)
      turn.checkpoint = this.checkpoint()
    return turn
  }
}
