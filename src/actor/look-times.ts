import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'

/** Who asks a second time gets no answer: the first look is at once, and the next ones come soon. */
const REPEATED = { first: 0, second: 50, most: 1_000 }
/** An answer comes within a few milliseconds of the decision, so that looking is for the one that was lost. */
const ASKED = { first: 1_000, second: 1_000, most: 5_000 }
/** The last look is so long before the time is over, in ms, or at three quarters of it. */
const LAST_MS = 250
/** Another one is so long before that, or a quarter of the time: on a busy server a look takes its time. */
const BEFORE_LAST_MS = 750

export interface LookTimesOptions {
  /** Nobody will answer: the command was there already. */
  readonly duplicate: boolean
  /** In ms, from now. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/**
 * When to look into the log for an outcome: ever less often, at once when the connection is back (what was sent in
 * between is lost), and twice shortly before the time is over.
 */
export class LookTimes {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #last: number
  readonly #beforeLast: number
  readonly #most: number
  #delay: number
  #grown: number

  constructor(connection: Connection, clock: Clock, { duplicate, timeout, signal }: LookTimesOptions) {
    const plan = duplicate ? REPEATED : ASKED
    this.#connection = connection
    this.#clock = clock
    this.#signal = signal
    this.#last = clock.monotonic() + timeout - Math.min(LAST_MS, timeout / 4)
    this.#beforeLast = this.#last - Math.min(BEFORE_LAST_MS, timeout / 4)
    this.#most = plan.most
    this.#delay = plan.first
    this.#grown = plan.second
  }

  /** Resolves when it is time for the next look. @returns whether it is one of the last @throws the reason of the signal */
  async next(): Promise<boolean> {
    const delay = this.#delay
    this.#delay = this.#grown
    this.#grown = Math.min(this.#most, this.#grown * 2)
    const now = this.#clock.monotonic()
    const left = (now < this.#beforeLast ? this.#beforeLast : this.#last) - now
    this.#signal.throwIfAborted()
    await this.#pass(left > 0 ? Math.min(delay, left) : delay)
    return this.#clock.monotonic() >= this.#beforeLast
  }

  /** Waits so long, or until the connection is back. Every request waits once: no controller and no error for each. */
  #pass(ms: number): Promise<void> {
    const signal = this.#signal
    return new Promise((resolve, reject) => {
      const end = (how: () => void): void => {
        cancel()
        stop()
        signal.removeEventListener('abort', onAbort)
        how()
      }
      const onAbort = (): void => end(() => reject(signal.reason))
      const cancel = this.#clock.after(ms, () => end(resolve))
      const stop = this.#connection.onStatus(({ kind }) => (kind === 'connected' ? end(resolve) : undefined))
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
