import { Subject, type Subscription } from 'rxjs'
import { fault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { Logic } from '../kernel/processor.js'
import type { PipelineDeclaration } from './define-pipeline.js'

const NOTHING: readonly EventDraft[] = []

/**
 * A stateless pipeline at work: one subscription; what it emits while an event is handed over is that event’s output.
 * An emission or an error at any other time cannot be repeated by a replay and stops the pipeline, as does a completion.
 * An error in a turn ends only the turn: the pipeline is subscribed anew, as it has no state to lose.
 */
export class StatelessLogic implements Logic {
  readonly #pipeline: PipelineDeclaration
  readonly #onBroken: (error: MillraceError) => void
  readonly #allowed: ReadonlySet<string>
  #input: Subject<StoredEvent> = new Subject()
  #subscription: Subscription
  #outputs: EventDraft[] = []
  #inTurn = false
  #thrown: { readonly error: unknown } | undefined
  #broken: MillraceError | undefined

  constructor(pipeline: PipelineDeclaration, onBroken: (error: MillraceError) => void) {
    this.#pipeline = pipeline
    this.#onBroken = onBroken
    this.#allowed = new Set(pipeline.to.events.map(({ type }) => type))
    this.#subscription = this.#subscribe()
  }

  /** @throws EMITTED_OUTSIDE_TURN, PIPELINE_COMPLETED (both crash), OUTPUT_INVALID, or what the pipeline threw */
  turn(event: StoredEvent): readonly EventDraft[] {
    if (this.#broken) throw this.#broken
    this.#inTurn = true
    this.#thrown = undefined
    try {
      this.#input.next(event)
    } finally {
      this.#inTurn = false
    }
    const outputs = this.#outputs.length === 0 ? NOTHING : this.#outputs
    if (outputs !== NOTHING) this.#outputs = []
    if (this.#thrown !== undefined) return this.#restart(this.#thrown)
    if (this.#broken) throw this.#broken
    return outputs
  }

  snapshot(): undefined {
    return undefined
  }

  stop(): void {
    this.#subscription.unsubscribe()
  }

  #subscribe(): Subscription {
    this.#input = new Subject()
    return this.#pipeline.build(this.#input).subscribe({
      next: (draft) => this.#collect(draft),
      error: (error: unknown) => this.#onError(error),
      complete: () => this.#break(fault('PIPELINE_COMPLETED', this.#pipeline.name)),
    })
  }

  #collect(draft: EventDraft): void {
    const type = (draft as EventDraft | undefined)?.type
    if (!this.#inTurn)
      return this.#break(fault('EMITTED_OUTSIDE_TURN', `${this.#pipeline.name} emitted ${String(type)}`))
    if (type === undefined || !this.#allowed.has(type))
      this.#thrown ??= { error: fault('OUTPUT_INVALID', `${this.#pipeline.name} put out ${describe(draft)}`) }
    else this.#outputs.push(draft)
  }

  /** Between turns no event is to blame, and the events to come would meet a subscription that has ended. */
  #onError(error: unknown): void {
    if (this.#inTurn) this.#thrown = { error }
    else
      this.#break(fault('EMITTED_OUTSIDE_TURN', `${this.#pipeline.name} failed: ${messageOf(error)}`, { cause: error }))
  }

  #break(error: MillraceError): void {
    if (this.#broken) return
    this.#broken = error
    if (!this.#inTurn) this.#onBroken(error)
  }

  #restart(thrown: { readonly error: unknown }): never {
    this.#subscription.unsubscribe()
    this.#subscription = this.#subscribe()
    throw thrown.error
  }
}

function describe(draft: unknown): string {
  return JSON.stringify(draft)?.slice(0, 200) ?? String(draft)
}
