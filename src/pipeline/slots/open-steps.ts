import { Observable, type Subscriber } from 'rxjs'
import { fault } from '../../error/millrace-error.js'
import type { StepOutcome } from '../../kernel/decision.js'
import type { StepRequest } from '../../kernel/step-request.js'
import type { StepEnvironment } from '../../kernel/step-environment.js'
import { parseDuration } from '../../time/duration.js'
import { Seeded } from '../../time/seeded.js'
import type { StepOptions, StepWork } from '../pipeline-context.js'

/** Where steps are asked for. */
export interface StepPlace {
  /** Breaks the pipeline unless a turn runs. */
  assertTurn(what: string): void
}

/** What a step belongs to. */
export interface StepOwner {
  /** Begins the ids of its steps; no other owner’s is the same. */
  readonly id: string
  /** Makes its idempotency keys differ from those of other logs with the same sequences. */
  readonly seed: string
}

const TIMEOUT = '30s'
const ATTEMPTS = 3

/** A step that is waited for: what the kernel runs, and who gets the result. */
class OpenStep implements StepRequest {
  readonly id: string
  readonly name: string
  readonly timeoutMs: number
  readonly attempts: number
  readonly subscriber: Subscriber<unknown>
  readonly #work: StepWork<unknown>
  readonly #seed: string
  #cancelled: AbortController | undefined

  constructor(
    id: string,
    name: string,
    work: StepWork<unknown>,
    seed: string,
    subscriber: Subscriber<unknown>,
    limits: { timeoutMs: number; attempts: number },
  ) {
    this.id = id
    this.name = name
    this.timeoutMs = limits.timeoutMs
    this.attempts = limits.attempts
    this.subscriber = subscriber
    this.#work = work
    this.#seed = seed
  }

  /** Made when it is asked for: most steps of a replay are never run. */
  get signal(): AbortSignal {
    return (this.#cancelled ??= new AbortController()).signal
  }

  readonly run = async (_: string, signal: AbortSignal, environment?: StepEnvironment): Promise<unknown> =>
    this.#work(new Seeded(`${this.#seed}\0${this.name}\0${this.id}`).uuid(), signal, environment)

  cancel(): void {
    this.#cancelled?.abort(new Error(`step ${this.name} is no longer waited for`))
  }
}

/** Steps that were asked for and are waited for. Results come back by `settle`, each once. */
export class OpenSteps {
  readonly #open = new Map<string, OpenStep>()
  readonly #place: StepPlace
  /** Ids of steps that were not taken yet. */
  #asked: string[] = []

  constructor(place: StepPlace) {
    this.#place = place
  }

  get size(): number {
    return this.#open.size
  }

  /**
   * A step for each subscription. @param next gives the number of the owner’s next step
   * @throws STEP_INVALID
   */
  step<T>(
    owner: StepOwner,
    next: () => number,
    name: string,
    work: StepWork<T>,
    options: StepOptions = {},
  ): Observable<T> {
    const { attempts = ATTEMPTS, timeout = TIMEOUT } = options
    if (typeof name !== 'string' || name === '') throw fault('STEP_INVALID', `name ${JSON.stringify(name)}`)
    if (typeof work !== 'function') throw fault('STEP_INVALID', `${name}: what it does is no function`)
    if (!Number.isInteger(attempts) || attempts < 1) throw fault('STEP_INVALID', `${name}: attempts ${attempts}`)
    const timeoutMs = parseDuration(timeout)
    if (timeoutMs === 0) throw fault('STEP_INVALID', `${name}: timeout 0`)
    return new Observable<T>((subscriber) => {
      this.#place.assertTurn(`step ${name}`)
      const id = `${owner.id}/${next()}`
      const limits = { timeoutMs, attempts }
      const step = new OpenStep(id, name, work, owner.seed, subscriber as Subscriber<unknown>, limits)
      this.#open.set(id, step)
      this.#asked.push(id)
      return () => {
        if (this.#open.delete(id)) step.cancel()
      }
    })
  }

  /** Gives a result to who waits for it. Returns false when nobody does. */
  settle(id: string, outcome: StepOutcome): boolean {
    const step = this.#open.get(id)
    if (step === undefined) return false
    this.#open.delete(id)
    if (outcome.ok) {
      step.subscriber.next(outcome.value)
      step.subscriber.complete()
    } else step.subscriber.error(Object.assign(new Error(outcome.error.message), { name: outcome.error.name }))
    return true
  }

  /** Those asked for since the last call that are still waited for. */
  take(): StepRequest[] {
    if (this.#asked.length === 0) return []
    const asked = this.#asked
    this.#asked = []
    return asked.flatMap((id) => this.#open.get(id) ?? [])
  }

  /** Cancels all of them. */
  stop(): void {
    for (const step of this.#open.values()) step.cancel()
    this.#open.clear()
    this.#asked = []
  }
}
