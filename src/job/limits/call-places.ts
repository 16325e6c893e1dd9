import type { Clock } from '../../time/clock.js'
import type { CallEnd } from '../admission.js'
import {
  afterCongestion,
  afterSuccess,
  placesOf,
  type ConcurrencyLimit,
  type ConcurrencyRules,
} from '../concurrency-limit.js'
import { untilChange } from './until-change.js'

/** In case a place is free that nobody told of, in ms. */
const LOOK_MS = 5_000

/** Calls that this process has at a time, of one class of models: as many as the provider bears, by how it answers. */
export class CallPlaces {
  readonly #clock: Clock
  readonly #rules: ConcurrencyRules
  readonly #listeners = new Set<() => void>()
  #limit: ConcurrencyLimit
  #running = 0

  constructor(clock: Clock, rules: ConcurrencyRules, start: ConcurrencyLimit) {
    this.#clock = clock
    this.#rules = rules
    const limit = Math.max(rules.least, Math.min(rules.most, start.limit))
    this.#limit = { ...start, limit, ramp: { ...start.ramp, limit } }
  }

  get running(): number {
    return this.#running
  }

  get most(): number {
    return placesOf(this.#limit)
  }

  get free(): boolean {
    return this.#running < this.most
  }

  /** Called when `free`. @returns ends it, once */
  take(): { leave(end: CallEnd): void } {
    this.#running += 1
    // with places left over nothing is learnt from an answer
    const full = this.#running >= this.most
    const begunAt = this.#clock.monotonic()
    return {
      leave: (end) => {
        this.#running -= 1
        const now = this.#clock.monotonic()
        if (end.kind === 'answered') this.#limit = afterSuccess(this.#limit, this.#rules, { full, now })
        else if (end.kind === 'failed' && (end.failure.kind === 'wait' || end.failure.ill))
          this.#limit = afterCongestion(this.#limit, this.#rules, { begunAt, now })
        for (const listener of this.#listeners) listener()
      },
    }
  }

  /** Resolves when one may be free. @throws `signal.reason` */
  async freed(signal: AbortSignal): Promise<void> {
    await untilChange(this.#clock, LOOK_MS, signal, (tell) => this.onChange(tell))
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
