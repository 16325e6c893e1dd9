/** How events are gathered. Times in ms. */
export interface BatchLimits {
  readonly most: number
  readonly within: number
  readonly adaptive: boolean
}

export type BatchMove =
  | { readonly kind: 'take'; readonly count: number }
  /** Nothing yet; look again at this time, or when another event has come. */
  | { readonly kind: 'wait'; readonly until: number }

/** What the rate of arrivals is remembered over: about this many times `within`. */
const MEMORY = 4
const LEAST_MEMORY_MS = 20

/**
 * Decides when events that wait are enough for a batch. Waiting is for company: an event waits for no longer than
 * `within`, and, when adaptive, only for as many as are likely to come in that time at the rate at which events have come
 * lately. So where few come nobody waits, and where many come batches are large.
 */
export class BatchFormer {
  readonly #limits: BatchLimits
  readonly #memoryMs: number
  /** Events in a ms, an average that forgets. */
  #rate = 0
  #at = Number.NEGATIVE_INFINITY

  constructor(limits: BatchLimits) {
    this.#limits = limits
    this.#memoryMs = Math.max(LEAST_MEMORY_MS, limits.within * MEMORY)
  }

  /** So many events have come. @param now by a clock that never goes back */
  arrived(count: number, now: number): void {
    this.#fade(now)
    this.#rate += count / this.#memoryMs
  }

  /** How many are worth waiting for at the rate of late, at least 1. */
  target(now: number): number {
    const { most, within, adaptive } = this.#limits
    if (!adaptive) return most
    this.#fade(now)
    return Math.max(1, Math.min(most, Math.floor(this.#rate * within)))
  }

  /**
   * @param waiting events that wait, from 1
   * @param since when the first of them came
   */
  decide(waiting: number, since: number, now: number): BatchMove {
    const { most, within } = this.#limits
    const until = since + within
    if (waiting >= this.target(now) || now >= until) return { kind: 'take', count: Math.min(most, waiting) }
    return { kind: 'wait', until }
  }

  #fade(now: number): void {
    const passed = now - this.#at
    if (passed > 0) this.#rate *= Math.exp(-passed / this.#memoryMs)
    this.#at = Math.max(this.#at, now)
  }
}
