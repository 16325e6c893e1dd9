import type { StoredMessage } from '../broker/stored-message.js'
import type { Registry } from '../event/registry.js'
import type { Decision, StepOutcome } from '../kernel/decision.js'
import type { Processor } from '../kernel/processor.js'
import type { StepRequest } from '../kernel/step-request.js'
import { SimulatedUnit } from '../kernel/simulation/simulated-unit.js'
import type { Turn } from '../kernel/turn.js'
import { give, History, type HistoryItem } from '../replay/verify/history.js'
import type { UnitInput } from '../replay/verify/record-history.js'

/** What a unit under test belongs to. */
export interface UnitOptions {
  readonly processor: Processor
  readonly registry: Registry
  readonly partition: string
  /** Told of every turn, in order. */
  readonly onTurn: (turn: Turn) => void
}

/** One partition of what is tested: given messages and decisions, it keeps its history, so that it can be run again. */
export class UnitUnderTest {
  readonly history: History
  readonly #options: UnitOptions
  /** Every message, those that wait included. */
  readonly #messages: StoredMessage[] = []
  #unit: SimulatedUnit
  #held: StoredMessage[] = []

  constructor(options: UnitOptions) {
    const { processor, registry, partition } = options
    this.#options = options
    this.history = new History(this.#messages)
    this.#unit = new SimulatedUnit({ processor, registry, partition, log: this.#messages, packed: false })
  }

  /** What a verification runs again. */
  get input(): UnitInput {
    const { processor, registry, partition } = this.#options
    return { processor, registry, partition, messages: this.#messages, journal: [] }
  }

  /** Messages that wait for steps. */
  get held(): number {
    return this.#held.length
  }

  get steps(): readonly StepRequest[] {
    return this.#unit.steps
  }

  /** Time from which a timer fires; Infinity while nothing may: no timer is set, or a step is open. */
  get due(): number {
    const waits = this.#held.length > 0 || this.#unit.steps.length > 0
    return waits ? Number.POSITIVE_INFINITY : this.#unit.due
  }

  /** @throws what has stopped the processor while nothing was being handled: a promise, a timer of the machine */
  check(): void {
    if (this.#unit.broken !== undefined) throw this.#unit.broken
  }

  /** @throws what stops the processor */
  offer(message: StoredMessage): void {
    this.#messages.push(message)
    this.#held.push(message)
    this.#drain()
  }

  /** Lets the next timer fire. @throws what stops the processor */
  tick(): void {
    this.#decide({ kind: 'tick', time: this.#unit.due })
  }

  /** @throws what stops the processor */
  settle(id: string, outcome: StepOutcome): void {
    this.#decide({ kind: 'step', id, outcome })
    this.#drain()
  }

  /** Commits, ends it where it stands, and goes on from what was committed. @throws what a recovery throws */
  crash(): void {
    this.#unit.commitAll()
    this.#unit = this.#unit.crash()
  }

  stop(): void {
    this.#unit.stop()
  }

  #drain(): void {
    for (let message = this.#held[0]; message !== undefined; message = this.#held[0]) {
      if (!this.#give({ kind: 'message', message })) return
      this.#held.shift()
    }
  }

  #decide(decision: Decision): void {
    this.#give({ kind: 'decision', decision })
  }

  /** Whether it was taken; false when it has to wait. */
  #give(item: HistoryItem): boolean {
    const taken = give(this.#unit, item)
    if (taken.kind === 'stopped') throw taken.error
    if (taken.kind === 'turn') this.#note(item, taken.turn)
    else if (taken.moved?.decision !== undefined)
      this.#note({ kind: 'decision', decision: taken.moved.decision }, taken.moved)
    return taken.kind === 'turn'
  }

  #note(item: HistoryItem, turn: Turn): void {
    this.history.add(item, turn)
    this.#options.onTurn(turn)
  }
}
