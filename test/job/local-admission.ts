import type { Clock } from '../../src/time/clock.ts'
import type { Admission, AdmissionVerdict, AskedCall, CallEnd, Permit } from '../../src/job/admission.ts'
import {
  afterCongestion,
  afterSuccess,
  DEFAULT_CONCURRENCY,
  placesOf,
  type ConcurrencyLimit,
  type ConcurrencyRules,
} from '../../src/job/concurrency-limit.ts'
import { RetryBudget } from '../../src/job/retry-budget.ts'

export interface LocalAdmissionOptions {
  readonly clock: Clock
  /** In ms since the Unix epoch, by the clock of the server. */
  readonly now: () => number
  readonly rules?: ConcurrencyRules
}

/** Places at first. */
const START = 8

/**
 * Admission of one process for itself: as many calls as the provider bears, fewer after each sign that they are too many, and a part of
 * them repetitions. It knows no limits by the minute, no budgets and no prices.
 */
export class LocalAdmission implements Admission {
  readonly #clock: Clock
  readonly #now: () => number
  readonly #rules: ConcurrencyRules
  readonly #budget = new RetryBudget()
  readonly #listeners = new Set<() => void>()
  readonly #frozen = new Map<string, number>()
  #limit: ConcurrencyLimit
  #running = 0

  constructor({ clock, now, rules = DEFAULT_CONCURRENCY }: LocalAdmissionOptions) {
    this.#clock = clock
    this.#now = now
    this.#rules = rules
    const limit = Math.max(rules.least, Math.min(rules.most, START))
    this.#limit = { limit, cutAt: Number.NEGATIVE_INFINITY, ramp: { from: clock.monotonic(), limit } }
  }

  get places(): number {
    return placesOf(this.#limit)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  admit({ model, repeats }: AskedCall): Promise<AdmissionVerdict> {
    const now = this.#clock.monotonic()
    const frozen = this.#frozen.get(model) ?? 0
    if (frozen > this.#now()) return Promise.resolve({ kind: 'later', at: frozen, why: `${model} is to be left alone` })
    const wait = repeats ? this.#budget.take(now) : 0
    if (wait > 0)
      return Promise.resolve({ kind: 'later', at: this.#now() + wait, why: 'too many calls are repetitions' })
    if (!repeats) this.#budget.called(now)
    this.#running += 1
    return Promise.resolve({ kind: 'admitted', permit: this.#permit(model, now, this.#running >= this.places) })
  }

  stop(): Promise<void> {
    this.#listeners.clear()
    return Promise.resolve()
  }

  /** @param full whether as many ran when it began as may */
  #permit(model: string, begunAt: number, full: boolean): Permit {
    return {
      settle: () => Promise.resolve(undefined),
      end: (end) => {
        this.#running -= 1
        const before = this.places
        this.#learn(end, { begunAt, full, model })
        if (this.places !== before) for (const listener of this.#listeners) listener()
        return Promise.resolve()
      },
    }
  }

  #learn(end: CallEnd, { begunAt, full, model }: { begunAt: number; full: boolean; model: string }): void {
    const now = this.#clock.monotonic()
    if (end.kind === 'answered') this.#limit = afterSuccess(this.#limit, this.#rules, { full, now })
    if (end.kind !== 'failed') return
    const { failure, frozenUntil } = end
    if (frozenUntil !== undefined) this.#frozen.set(model, Math.max(frozenUntil, this.#frozen.get(model) ?? 0))
    if (failure.kind === 'wait' || failure.ill)
      this.#limit = afterCongestion(this.#limit, this.#rules, { begunAt, now })
  }
}
