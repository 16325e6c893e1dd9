import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'

/** Who asks a second time gets no answer: the first look is at once, and the next ones come soon. */
const REPEATED = { first: 0, second: 50, most: 1_000 }
/** An answer comes within a few milliseconds of the decision, so that looking is for the one that was lost. */
const ASKED = { first: 1_000, second: 1_000, most: 5_000 }
/** The last look is so long before the time is over, in ms, or at three quarters of it. */
const LAST_MS = 250

export interface LookTimesOptions {
  /** Nobody will answer: the command was there already. */
  readonly duplicate: boolean
  /** In ms, from now. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/**
 * When to look into the log for an outcome: ever less often, at once when the connection is back (what was sent in
 * between is lost), and once shortly before the time is over.
 */
export class LookTimes {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #last: number
  readonly #most: number
  #delay: number
  #grown: number

  constructor(connection: Connection, clock: Clock, { duplicate, timeout, signal }: LookTimesOptions) {
    const plan = duplicate ? REPEATED : ASKED
    this.#connection = connection
    this.#clock = clock
    this.#signal = signal
    this.#last = clock.monotonic() + timeout - Math.min(LAST_MS, timeout / 4)
    this.#most = plan.most
    this.#delay = plan.first
    this.#grown = plan.second
  }

  /** Resolves when it is time for the next look. @throws the reason of the signal */
  async next(): Promise<void> {
    const delay = this.#delay
    this.#delay = this.#grown
    this.#grown = Math.min(this.#most, this.#grown * 2)
    const left = this.#last - this.#clock.monotonic()
    const wake = new AbortController()
    const onAbort = (): void => wake.abort(this.#signal.reason)
    this.#signal.throwIfAborted()
    this.#signal.addEventListener('abort', onAbort, { once: true })
    const stop = this.#connection.onStatus(({ kind }) => {
      if (kind === 'connected') wake.abort()
    })
    try {
      await this.#clock.sleep(left > 0 ? Math.min(delay, left) : delay, wake.signal)
    } catch {
      this.#signal.throwIfAborted() // else the connection is back: look now
    } finally {
      stop()
      this.#signal.removeEventListener('abort', onAbort)
    }
  }
}
