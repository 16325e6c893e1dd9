import { fault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { StepRequest } from '../kernel/step-request.js'
import type { ActorDeclaration } from './actor-options.js'
import type { OpenStep } from './mailbox-entries.js'

/** Name of what is asked of the kernel only to have another turn. */
const GO_ON = 'millrace-go-on'
/** Name of what is asked of it to have one some time later. */
const LATER = 'millrace-later'
/** How long the command of a timer waits for those of earlier ones: longer than the server takes to fire all of them. */
export const LATE_MS = 60_000

/** Work that an actor’s unit has asked for, and for which aggregate. */
export class StepRequests {
  readonly #actor: ActorDeclaration
  readonly #aggregates = new Map<string, string>()
  #asked: StepRequest[] = []
  #number = 0
  #later: string | undefined

  constructor(actor: ActorDeclaration) {
    this.#actor = actor
  }

  /** How many are open. */
  get open(): number {
    return this.#aggregates.size
  }

  /** Whether something was asked for that nobody has taken. */
  get asked(): boolean {
    return this.#asked.length > 0
  }

  /** A step of an aggregate is to be run. */
  begin(aggregate: string, step: OpenStep): void {
    this.#aggregates.set(step.id, aggregate)
    this.#asked.push(requestOf(this.#actor, step))
  }

  /** An aggregate is to have another turn, although nothing comes for it. */
  goOn(aggregate: string): void {
    const id = `${GO_ON}-${(this.#number += 1)}`
    this.#aggregates.set(id, aggregate)
    this.#asked.push({ id, name: GO_ON, run: () => Promise.resolve(null), timeoutMs: 60_000, attempts: 1 })
  }

  /** The unit is to have another turn when what waits has waited long enough. @param clock undefined: in a simulation */
  later(clock: Clock | undefined): void {
    if (this.#later !== undefined) return
    const id = `${LATER}-${(this.#number += 1)}`
    this.#later = id
    const run = async (_: string, signal: AbortSignal): Promise<null> => {
      await clock?.sleep(LATE_MS + 1_000, signal)
      return null
    }
    this.#asked.push({ id, name: LATER, run, timeoutMs: 2 * LATE_MS, attempts: 1, lasting: true })
  }

  /** Whether it was that which has ended. */
  takeLater(id: string): boolean {
    if (this.#later !== id) return false
    this.#later = undefined
    return true
  }

  /** The aggregate whose step has ended; undefined when nobody waits for it. */
  settled(id: string): string | undefined {
    const aggregate = this.#aggregates.get(id)
    this.#aggregates.delete(id)
    return aggregate
  }

  /** Those since the last call. */
  take(): readonly StepRequest[] {
    if (this.#asked.length === 0) return NONE
    const asked = this.#asked
    this.#asked = []
    return asked
  }
}

const NONE: readonly StepRequest[] = []

function requestOf(actor: ActorDeclaration, { id, name, input }: OpenStep): StepRequest {
  const step = actor.steps.get(name)
  if (step === undefined) {
    const run = (): Promise<never> => Promise.reject(stepUnknown(actor, name))
    return { id, name, run, timeoutMs: 60_000, attempts: 1 }
  }
  return {
    id,
    name,
    run: (idempotencyKey, signal) => step.run(input, { idempotencyKey, signal }),
    timeoutMs: step.timeout,
    attempts: step.attempts,
  }
}

function stepUnknown({ name }: ActorDeclaration, step: string): Error {
  return fault('STEP_RESULT_FAILED', `${name} has no step ${JSON.stringify(step)}`)
}
