import type { Observable, SchedulerLike } from 'rxjs'
import { Seeded } from '../../time/seeded.js'
import type { DurableOps } from '../ops/durable-ops.js'
import type { PipelineContext, StepOptions, StepWork } from '../pipeline-context.js'
import type { OpenSteps, StepOwner } from './open-steps.js'

/** What the contexts of a pipeline’s slots share. */
export interface ContextParts {
  readonly scheduler: SchedulerLike
  readonly ops: DurableOps
  readonly steps: OpenSteps
  /** Refuses steps: nobody would look whether time overtakes them. */
  readonly refuse: ((step: string) => never) | undefined
  /** Begins every seed. */
  readonly seed: string
}

/** What a context is of. */
export interface ContextSlot {
  readonly key: string
  readonly birth: string
  readonly birthId: string
}

/**
 * The context of one slot. Chance and ids follow from the pipeline, the key, the first event and how many were drawn
 * before. The methods are made when they are read, so that they can be taken out of the context (`{ step, now }`)
 * without each slot having to keep them.
 */
export class SlotContext implements PipelineContext {
  readonly #parts: ContextParts
  readonly #slot: ContextSlot
  #seeded: Seeded | undefined
  #owner: StepOwner | undefined
  #steps = 0

  constructor(parts: ContextParts, slot: ContextSlot) {
    this.#parts = parts
    this.#slot = slot
  }

  get key(): string {
    return this.#slot.key
  }

  get scheduler(): SchedulerLike {
    return this.#parts.scheduler
  }

  get ops(): DurableOps {
    return this.#parts.ops
  }

  get now(): () => number {
    const { scheduler } = this.#parts
    return () => scheduler.now()
  }

  get random(): () => number {
    const chance = this.#chance()
    return () => chance.random()
  }

  get uuid(): () => string {
    const chance = this.#chance()
    return () => chance.uuid()
  }

  get step(): <T>(name: string, work: StepWork<T>, options?: StepOptions) => Observable<T> {
    const { steps, refuse } = this.#parts
    const owner = (this.#owner ??= { id: `${this.#slot.birth}/${this.#slot.key}`, seed: this.#seed() })
    const next = (): number => this.#steps++
    return (name, work, options) => refuse?.(name) ?? steps.step(owner, next, name, work, options)
  }

  #chance(): Seeded {
    return (this.#seeded ??= new Seeded(this.#seed()))
  }

  /** The id of the first event is in it: a stream that was made anew has the same sequences with other events. */
  #seed(): string {
    const { key, birth, birthId } = this.#slot
    return [this.#parts.seed, key, birth, birthId].join('\0')
  }
}
