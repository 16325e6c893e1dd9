import type { Observable, SchedulerLike } from 'rxjs'
import { fault } from '../../error/millrace-error.js'
import { Seeded } from '../../time/seeded.js'
import { DurableOps } from '../ops/durable-ops.js'
import type { OperatorScope } from '../ops/operator-scope.js'
import type { PipelineContext, StepOptions, StepWork } from '../pipeline-context.js'
import type { KeyScheduler } from './key-scheduler.js'

/** What a context is of. */
export interface ContextKey {
  readonly key: string
  readonly pipeline: string
  readonly scheduler: KeyScheduler
  readonly scope: OperatorScope
  /** Names what is being handled: the same whenever it is. */
  handled(): string
}

/**
 * The context of one key in mode `checkpoint`. Chance follows from what is being handled, so that nothing of it has to
 * be stored. The methods may be taken out of it.
 */
export class CheckpointContext implements PipelineContext {
  readonly #of: ContextKey
  readonly ops: DurableOps
  #handled: string | undefined
  #seeded: Seeded | undefined

  constructor(of: ContextKey) {
    this.#of = of
    this.ops = new DurableOps({ timers: of.scheduler, scope: of.scope })
  }

  get key(): string {
    return this.#of.key
  }

  get scheduler(): SchedulerLike {
    return this.#of.scheduler
  }

  get now(): () => number {
    return () => this.#of.scheduler.now()
  }

  get random(): () => number {
    return () => this.#chance().random()
  }

  get uuid(): () => string {
    return () => this.#chance().uuid()
  }

  /** @throws STEP_UNAVAILABLE */
  get step(): <T>(name: string, work: StepWork<T>, options?: StepOptions) => Observable<T> {
    return (name) => {
      throw fault('STEP_UNAVAILABLE', `${this.#of.pipeline}: step ${name} in mode checkpoint`)
    }
  }

  #chance(): Seeded {
    const handled = this.#of.handled()
    if (this.#seeded === undefined || this.#handled !== handled) {
      this.#handled = handled
      this.#seeded = new Seeded(JSON.stringify([this.#of.pipeline, this.#of.key, handled]))
    }
    return this.#seeded
  }
}
