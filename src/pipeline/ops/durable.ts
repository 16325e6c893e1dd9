import { Observable, Subscriber, type OperatorFunction } from 'rxjs'
import { DurableTimer, type OperatorTimers, type SavedTimer } from './durable-timer.js'
import type { OperatorPlace, OperatorScope } from './operator-scope.js'

/** Where durable operators live. */
export interface OperatorHost {
  readonly timers: OperatorTimers
  /** Keeps their states; undefined: nobody does, they are operators like others. */
  readonly scope: OperatorScope | undefined
}

/** What an operator does. What it throws goes downstream as an error. */
export interface DurableOperator<T> {
  next(value: T): void
  /** The source has ended. Default: so does this. While its scope is being restored it may be told once more. */
  complete?(): void
  /** It is subscribed to its source for the first time; not when it was restored. */
  started?(): void
  /** Its state as a list of plain data; null: as at its beginning, without timers. */
  save(): readonly unknown[] | null
}

/**
 * Makes an operator whose state can be saved and brought back.
 * @param shape its name, with what decides how its state reads
 * @param make makes one for each subscription. `saved` is what its `save` gave; undefined: it begins, and sets the
 *   timers that it has from the beginning
 */
export function durable<T, R>(
  host: OperatorHost,
  shape: string,
  make: (output: OperatorOutput<R>, saved: readonly unknown[] | undefined) => DurableOperator<T>,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((subscriber) => {
      const { scope } = host
      const output = new OperatorOutput(subscriber, host.timers)
      let operator: DurableOperator<T> | undefined
      const place = scope?.join({ shape, save: () => operator?.save() ?? null })
      if (scope !== undefined && place?.saved === 0) return ended(source, subscriber, scope, place)
      subscriber.add(() => {
        output.close()
        place?.leave()
      })
      const saved = place?.saved === null ? undefined : (place?.saved as readonly unknown[] | undefined)
      operator = make(output, saved)
      source.subscribe(new OperatorInput(operator, output, subscriber, scope))
      if (place?.saved !== undefined || subscriber.closed || operator.started === undefined) return
      operator.started()
    })
}

/**
 * An operator that had ended when it was saved. What is before it takes its place all the same, and the end is told only
 * when everything is there: somebody else may share its source, and would subscribe to it anew.
 */
function ended<T, R>(
  source: Observable<T>,
  subscriber: Subscriber<R>,
  scope: OperatorScope,
  place: OperatorPlace,
): void {
  place.leave()
  // when it ended it let go of its source: an error there would not have reached anybody
  const before = source.subscribe({ error: () => undefined })
  scope.afterwards(() => {
    before.unsubscribe()
    subscriber.complete()
  })
}

/** What an operator works with. */
export class OperatorOutput<R> {
  readonly #to: Subscriber<R>
  readonly #timers: OperatorTimers
  #own: DurableTimer[] | undefined

  constructor(to: Subscriber<R>, timers: OperatorTimers) {
    this.#to = to
    this.#timers = timers
  }

  next(value: R): void {
    this.#to.next(value)
  }

  complete(): void {
    this.#to.complete()
  }

  now(): number {
    return this.#timers.now()
  }

  /** A timer of this operator, not set. @param periodic it comes again and again, also when nothing has happened */
  timer(work: () => void, { periodic = false } = {}): DurableTimer {
    const guarded = (): void => {
      try {
        work()
      } catch (error) {
        this.#to.error(error)
      }
    }
    const timer = new DurableTimer(this.#timers, guarded, periodic)
    this.#own = this.#own === undefined ? [timer] : [...this.#own, timer]
    return timer
  }

  /** For `DurableTimer.startAs`: what a timer set now would be. */
  reserve(delay: number): SavedTimer {
    return this.#timers.reserve(delay)
  }

  /** Of what was saved: it was reserved. */
  reserved(saved: SavedTimer): void {
    this.#timers.reserved(saved)
  }

  /** Its timers can not be set any more. */
  close(): void {
    for (const timer of this.#own ?? []) timer.close()
  }
}

/** Hands what the source puts out to an operator. */
class OperatorInput<T, R> extends Subscriber<T> {
  readonly #operator: DurableOperator<T>
  readonly #output: OperatorOutput<R>
  readonly #to: Subscriber<R>
  readonly #scope: OperatorScope | undefined

  constructor(
    operator: DurableOperator<T>,
    output: OperatorOutput<R>,
    to: Subscriber<R>,
    scope: OperatorScope | undefined,
  ) {
    super()
    this.#operator = operator
    this.#output = output
    this.#to = to
    this.#scope = scope
    to.add(this)
  }

  protected override _next(value: T): void {
    if (this.#scope?.restoring === true) return
    try {
      this.#operator.next(value)
    } catch (error) {
      this.#to.error(error)
    }
  }

  protected override _error(error: unknown): void {
    try {
      this.#to.error(error)
    } finally {
      this.unsubscribe()
    }
  }

  protected override _complete(): void {
    try {
      if (this.#operator.complete === undefined) this.#output.complete()
      else this.#operator.complete()
    } catch (error) {
      this.#to.error(error)
    } finally {
      this.unsubscribe()
    }
  }
}
