import type { Observable, SchedulerLike } from 'rxjs'
import { fault, type MillraceError } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { EventTimeScheduler } from '../../time/event-time-scheduler.js'
import { Seeded } from '../../time/seeded.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import { DurableOps } from '../ops/durable-ops.js'
import { schedulerTimers } from '../ops/durable-timer.js'
import type { PipelineContext } from '../pipeline-context.js'

type Stateless = Pick<PipelineDeclaration, 'name' | 'version' | 'keyBy'>

/** The context of a stateless pipeline: everything follows from the event that is being handled. */
export class StatelessContext implements PipelineContext {
  readonly scheduler: SchedulerLike
  readonly ops: DurableOps
  readonly #pipeline: Stateless
  readonly #refuse: (error: MillraceError) => void
  #event: StoredEvent | undefined
  #seeded: Seeded | undefined

  /** @param refuse told of what the pipeline must not do, also where it catches what that throws */
  constructor(
    pipeline: Stateless,
    scheduler: EventTimeScheduler,
    refuse: (error: MillraceError) => void = () => undefined,
  ) {
    this.#pipeline = pipeline
    this.#refuse = refuse
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

  /** @throws STEP_UNAVAILABLE when it is called, and when it is taken out of the context before there is an event */
  get step(): (name: string) => Observable<never> {
    if (this.#event === undefined) throw this.#unavailable('it takes step out of its context')
    return (name) => {
      throw this.#unavailable(`step ${name}`)
    }
  }

  #unavailable(what: string): MillraceError {
    const { name, keyBy } = this.#pipeline
    const mode = keyBy === undefined ? 'stateless, the default without keyBy' : 'stateless'
    const error = fault('STEP_UNAVAILABLE', `${name}: ${what}, in mode ${mode}`)
    this.#refuse(error)
    return error
  }

  #chance(): Seeded {
    const { name, version } = this.#pipeline
    const { key, sequence, id } = this.#event ?? {}
    return (this.#seeded ??= new Seeded([name, version, key, sequence, id].join('\0')))
  }
}
