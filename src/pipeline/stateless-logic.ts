import { Subject, type Subscription } from 'rxjs'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { Logic } from '../kernel/processor.js'
import { EventTimeScheduler } from '../time/event-time-scheduler.js'
import type { PipelineDeclaration } from './define-pipeline.js'
import { keyReader } from './key-reader.js'
import { OutputCheck } from './output-check.js'
import { ShadowProbe } from './stateless/shadow-probe.js'
import { StatelessContext } from './stateless/stateless-context.js'
import { TurnScope } from './turn-scope.js'

/** Of so many events one is tried on a fresh instance. */
const PROBE_EVERY = 64

export interface StatelessOptions {
  /** Of so many events one is tried on a fresh instance, as are the first ones. Default 64; 0: none. */
  readonly probeEvery?: number
}

/**
 * A stateless pipeline at work: one subscription; what it emits while an event is handed over is that event’s output.
 * An emission or an error at any other time cannot be repeated by a replay and stops the pipeline, as does a completion,
 * and whatever shows that it keeps state after all: a timer that waits after a turn, other outputs than a fresh instance
 * has. An error in a turn ends only the turn: the pipeline is subscribed anew, as it has no state to lose.
 */
export class StatelessLogic implements Logic {
  readonly #pipeline: PipelineDeclaration
  readonly #scheduler = new EventTimeScheduler(0)
  readonly #scope: TurnScope
  readonly #check: OutputCheck
  readonly #context: StatelessContext
  readonly #probe: ShadowProbe
  /** Checks that the key is that of the partition; undefined where that is not asked. */
  readonly #keyOf: ((event: StoredEvent) => string) | undefined
  #input: Subject<StoredEvent> = new Subject()
  #subscription: Subscription | undefined
  #subscribing = false
  #thrown: { readonly error: unknown } | undefined

  constructor(
    pipeline: PipelineDeclaration,
    onBroken: (error: MillraceError) => void,
    { probeEvery = PROBE_EVERY }: StatelessOptions = {},
  ) {
    this.#pipeline = pipeline
    this.#scope = new TurnScope(pipeline.name, this.#scheduler, onBroken)
    this.#check = new OutputCheck(pipeline)
    this.#context = new StatelessContext(pipeline, this.#scheduler, (error) => this.#scope.break(error))
    this.#probe = new ShadowProbe(pipeline, this.#scheduler, probeEvery)
    this.#keyOf = pipeline.keyBy === undefined || pipeline.spread === 'one' ? undefined : keyReader(pipeline)
    this.#scheduler.onError = (error) => this.#onError(error)
    try {
      this.#subscribe()
    } catch (error) {
      if (!isFault(error)) throw error
      onBroken(error)
    }
  }

  /**
   * @throws EMITTED_OUTSIDE_TURN, PIPELINE_COMPLETED, PIPELINE_KEEPS_STATE, NONDETERMINISTIC_CALL, KEY_NOT_OF_PARTITION,
   *   PIPELINE_FAILED (all crash), OUTPUT_INVALID, or what the pipeline threw
   */
  turn(event: StoredEvent): readonly EventDraft[] {
    this.#scope.sequence = event.sequence
    this.#thrown = undefined
    this.#scope.run(this.#fail, this.#handle, event)
    const outputs = this.#scope.takeOutputs()
    if (this.#thrown !== undefined) return this.#restart(this.#thrown)
    if (this.#probe.due()) this.#scope.run(this.#fail, this.#try, { event, outputs })
    return outputs
  }

  snapshot(): undefined {
    return undefined
  }

  stop(): void {
    this.#scope.stop()
    this.#subscription?.unsubscribe()
  }

  readonly #fail = (error: unknown): void => {
    this.#thrown ??= { error }
  }

  readonly #handle = (event: StoredEvent): void => {
    const scheduler = this.#scheduler
    try {
      this.#keyOf?.(event)
    } catch (error) {
      return this.#onError(error)
    }
    // event time is that of the event alone: what the events before it say is state
    if (event.storedAt >= scheduler.now()) scheduler.advanceTo(event.storedAt)
    else scheduler.reset(event.storedAt)
    this.#context.event = event
    this.#input.next(event)
    if (scheduler.pending === 0) return
    scheduler.drain()
    if (scheduler.pending > 0 && this.#thrown === undefined) this.#scope.break(this.#probe.waiting(event))
  }

  readonly #try = ({ event, outputs }: { event: StoredEvent; outputs: readonly EventDraft[] }): void => {
    const problem = this.#probe.problem(event, outputs)
    if (problem !== undefined) this.#scope.break(problem)
  }

  #subscribe(): void {
    this.#subscribing = true
    this.#scope.run(this.#fail, this.#begin, undefined)
    this.#subscribing = false
  }

  readonly #begin = (): void => {
    const { name, build } = this.#pipeline
    this.#input = new Subject()
    try {
      this.#subscription = build(this.#input.asObservable(), this.#context).subscribe({
        next: (draft) => this.#collect(draft),
        error: (error: unknown) => this.#onError(error),
        complete: () => this.#scope.break(fault('PIPELINE_COMPLETED', name)),
      })
    } catch (error) {
      const crash = isFault(error) && error.disposition === 'crash'
      this.#scope.break(crash ? error : fault('PIPELINE_FAILED', `${name}: ${messageOf(error)}`, { cause: error }))
    }
    if (this.#scheduler.pending > 0) this.#scope.break(this.#probe.waiting(undefined))
  }

  #collect(draft: EventDraft): void {
    const scope = this.#scope
    if (scope.over) return
    if (this.#subscribing) return scope.breakOutside({ kind: 'subscribing', draft }, undefined)
    if (!scope.inTurn) return scope.breakOutside({ kind: 'output', draft }, undefined)
    const problem = this.#check.problem(draft)
    if (problem === undefined) scope.put(draft)
    else this.#thrown ??= { error: problem }
  }

  /** Between turns no event is to blame, and the events to come would meet a subscription that has ended. */
  #onError(error: unknown): void {
    const scope = this.#scope
    if (isFault(error) && error.disposition === 'crash') return scope.break(error)
    if (this.#subscribing || !scope.inTurn) return scope.breakOutside({ kind: 'error', error }, undefined)
    this.#thrown = { error }
  }

  #restart({ error }: { readonly error: unknown }): never {
    const { name, onError } = this.#pipeline
    this.#subscription?.unsubscribe()
    if (onError === 'stop') {
      const detail = `${name} in the turn of sequence ${this.#scope.sequence}: ${messageOf(error)}`
      throw fault('PIPELINE_FAILED', detail, { cause: error })
    }
    this.#subscribe()
    throw error
  }
}
