import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { OnFailure } from '../kernel/processor.js'
import { runIn } from '../time/ambient.js'
import type { EventTimeScheduler } from '../time/event-time-scheduler.js'
import { takeRefusal } from '../time/guard.js'
import { outsideTurn, type OutsideTurn } from './outside-turn.js'

const NOTHING: readonly EventDraft[] = []
const INSTEAD = 'ctx.step for what is asynchronous, and timers of rxjs or ctx.scheduler for what is to come later'

/**
 * The turns of one pipeline: what it puts out in a turn is collected, what it does outside of one stops it, and so does
 * asking the machine for time or chance.
 */
export class TurnScope {
  readonly scheduler: EventTimeScheduler
  /** Sequence of the last event that was handed over; 0: none. */
  sequence = 0
  /** The event that is being handed over; undefined while something else happens in a turn. */
  event: StoredEvent | undefined
  readonly #pipeline: string
  readonly #onBroken: (error: MillraceError) => void
  #outputs: EventDraft[] = []
  #onFailure: OnFailure | undefined
  #broken: MillraceError | undefined
  #stopped = false

  constructor(pipeline: string, scheduler: EventTimeScheduler, onBroken: (error: MillraceError) => void) {
    this.#pipeline = pipeline
    this.scheduler = scheduler
    this.#onBroken = onBroken
  }

  get inTurn(): boolean {
    return this.#onFailure !== undefined
  }

  /** Nothing counts any more. */
  get over(): boolean {
    return this.#stopped || this.#broken !== undefined
  }

  /** @throws what broke the pipeline, now or before */
  run<Argument>(onFailure: OnFailure, work: (argument: Argument) => void, argument: Argument): void {
    if (this.#broken !== undefined) throw this.#broken
    takeRefusal() // of somebody else
    this.#onFailure = onFailure
    try {
      runIn(this.scheduler, work, argument)
    } catch (error) {
      this.break(isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error }))
    } finally {
      this.#onFailure = undefined
    }
    const refusal = takeRefusal()
    // it wins: what else broke may be a consequence
    if (refusal !== undefined) throw (this.#broken = this.#named(refusal))
    if (this.#broken !== undefined) throw this.#broken
  }

  put(draft: EventDraft): void {
    // most turns have one, and an array that grows has room for many
    if (this.#outputs.length === 0) this.#outputs = [draft]
    else this.#outputs.push(draft)
  }

  /** What was put out since the last call. */
  takeOutputs(): readonly EventDraft[] {
    if (this.#outputs.length === 0) return NOTHING
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** Something failed in the turn that runs; what was put out stays. @param poison see OnFailure */
  fail(error: unknown, poison = false): void {
    if (isFault(error) && error.disposition === 'crash') this.break(error)
    else this.#onFailure?.(error, poison)
  }

  /** How many outputs the turn has so far, for `cut`. */
  get count(): number {
    return this.#outputs.length
  }

  /** Takes back what was put out after the first `count` outputs of the turn. */
  cut(count: number): void {
    this.#outputs.length = Math.min(count, this.#outputs.length)
  }

  /** The pipeline cannot go on. */
  break(error: MillraceError): void {
    if (this.over) return
    this.#broken = error
    if (!this.inTurn) this.#onBroken(error)
  }

  /** Something happened outside of a turn, which no replay repeats. */
  breakOutside(happened: OutsideTurn, key: string | undefined): void {
    if (this.over) return
    const { sequence } = this
    this.break(outsideTurn(happened, { pipeline: this.#pipeline, sequence, key, instead: INSTEAD }))
  }

  stop(): void {
    this.#stopped = true
    this.#outputs = []
  }

  #named(refusal: MillraceError): MillraceError {
    const detail = `${this.#pipeline} in the turn of sequence ${this.sequence}: ${refusal.detail}`
    return fault(refusal.code, detail, { cause: refusal })
  }
}
