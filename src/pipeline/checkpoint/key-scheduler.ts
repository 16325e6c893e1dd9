import { fault, type MillraceError } from '../../error/millrace-error.js'
import type { EventTimeAction, Work } from '../../time/event-time-action.js'
import { EventTimeScheduler } from '../../time/event-time-scheduler.js'
import type { OperatorTimers, SavedTimer } from '../ops/durable-timer.js'

/** Frames looked at to find an operator. */
const DEPTH = 30

/**
 * Event time of one key. Its timers are those of durable operators, which know how to bring them back; any other is
 * refused. Each key has its own: so the order of its timers does not depend on other keys, and is stored with it.
 */
export class KeyScheduler extends EventTimeScheduler implements OperatorTimers {
  readonly #where: string
  #waiting = 0
  #refusal: MillraceError | undefined

  /** @param where pipeline and key, for errors */
  constructor(where: string, time: number) {
    super(time)
    this.#where = where
  }

  /** Timers on whose firing something depends: the key is not idle while there are some. */
  get waiting(): number {
    return this.#waiting
  }

  /** The first timer that was refused, also when the pipeline caught the error. */
  get refusal(): MillraceError | undefined {
    return this.#refusal
  }

  /** @throws CHECKPOINT_FOREIGN_TIMER */
  override schedule<T>(_work: Work<T>, delay = 0): EventTimeAction<T> {
    const refusal = fault('CHECKPOINT_FOREIGN_TIMER', `${this.#where}: ${operatorName()}, ${delay} ms`)
    this.#refusal ??= refusal
    throw refusal
  }

  set(work: () => void, delay: number): EventTimeAction<unknown> {
    return super.schedule<unknown>(work, delay)
  }

  revive(work: () => void, [due, order]: SavedTimer): EventTimeAction<unknown> {
    return this.restore<unknown>(work, due, order)
  }

  reserve(delay: number): SavedTimer {
    return [this.now() + (delay > 0 ? delay : 0), this.nextOrder++]
  }

  reserved([, order]: SavedTimer): void {
    this.nextOrder = Math.max(this.nextOrder, order + 1)
  }

  waits(count: 1 | -1): void {
    this.#waiting += count
  }
}

/** The operator of rxjs that is at work, as far as the stack tells. */
function operatorName(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = DEPTH
  const stack = String(new Error().stack)
  Error.stackTraceLimit = limit
  const [, name] = /rxjs[\\/].*[\\/](?:operators|observable)[\\/](\w+)\.js/.exec(stack) ?? []
  return name ?? 'a timer'
}
