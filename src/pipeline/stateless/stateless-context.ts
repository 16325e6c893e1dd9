import type { Observable, SchedulerLike } from 'rxjs'
import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { EventTimeScheduler } from '../../time/event-time-scheduler.js'
import { Seeded } from '../../time/seeded.js'
import { DurableOps } from '../ops/durable-ops.js'
import { schedulerTimers } from '../ops/durable-timer.js'
import type { PipelineContext } from '../pipeline-context.js'

/** The context of a stateless pipeline: everything follows from the event that is being handled. */
export class StatelessContext implements PipelineContext {
  readonly scheduler: SchedulerLike
  readonly ops: DurableOps
  readonly #pipeline: { readonly name: string; readonly version: number }
  #event: StoredEvent | undefined
  #seeded: Seeded | undefined

  constructor(pipeline: { readonly name: string; readonly version: number }, scheduler: EventTimeScheduler) {
    this.#pipeline = pipeline
    this.scheduler = scheduler
    this.ops = new DurableOps({ timers: schedulerTimers(scheduler), scope: undefined })
  }

  /** The event whose turn begins. */
  set event(event: StoredEvent) {
    this.#event = event
    this.#seeded = undefined
  }

  get key(): string {
    return this.#event?.key ?? ''
  }

  get now(): () => number {
    return () => this.scheduler.now()
  }

  get random(): () => number {
    return () => this.#chance().random()
  }

  get uuid(): () => string {
    return () => this.#chance().uuid()
  }

  get step(): (name: string) => Observable<never> {
    return (name) => {
      throw fault('STEP_UNAVAILABLE', `${this.#pipeline.name}, step ${name}, in mode stateless`)
    }
  }

  #chance(): Seeded {
    const { name, version } = this.#pipeline
    const { key, sequence, id } = this.#event ?? {}
    return (this.#seeded ??= new Seeded([name, version, key, sequence, id].join('\0')))
  }
}
