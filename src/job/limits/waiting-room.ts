// WaitingRoom
//
// Who waits for a place or for tokens of one class of models, in this process. A job that waits keeps others from being begun, also
// those of classes that have places: so few wait, and the rest come back in their turn.
//
// Invariants (tests cite them):
//   MG3  A class whose places are taken keeps no job of another one waiting, but for those that wait before it in its lane.
import type { Clock } from '../../time/clock.js'

/** Until it is known how fast the class goes, and how far ahead a turn may be, in ms: it may go faster by then. */
const FIRST_PACE_MS = 1_000
const FARTHEST_MS = 15_000
/** How much of the pace is of the newest call. */
const NEWEST = 0.2
/** Between two that are put off, in ms: each is a message, and behind it may be nothing but more of them. */
const PAUSE_MS = 40

/** The calls that run, and how many may. */
export interface Places {
  readonly running: number
  readonly most: number
}

export class WaitingRoom {
  readonly #clock: Clock
  #waiting = 0
  #urgent = 0
  /** Between two calls that begin, in ms. */
  #pace = FIRST_PACE_MS
  #passedAt: number | undefined
  /** By the monotonic clock: the next turn, and the next one that may be put off. */
  #turnAt = Number.NEGATIVE_INFINITY
  #offAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** One waits, so that a place that becomes free is taken at once; and one that is urgent. */
  hasRoom({ running, most }: Places, urgent: boolean): boolean {
    return running + this.#waiting <= most || (urgent && this.#urgent === 0)
  }

  /** @returns ends it, once. @param passed whether a call has begun */
  enter(urgent: boolean): (passed: boolean) => void {
    this.#waiting += 1
    if (urgent) this.#urgent += 1
    return (passed) => {
      this.#waiting -= 1
      if (urgent) this.#urgent -= 1
      if (passed) this.#learn(this.#clock.monotonic())
    }
  }

  /** Resolves when one more may be put off. @throws `signal.reason` */
  async pause(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic()
    const at = Math.max(now, this.#offAt)
    this.#offAt = at + PAUSE_MS
    if (at > now) await this.#clock.sleep(at - now, signal)
  }

  /** When the turn of the next one that is put off comes: how long from now, in ms. */
  turn(): number {
    const now = this.#clock.monotonic()
    this.#turnAt = Math.max(now, this.#turnAt) + this.#pace
    const ahead = Math.min(FARTHEST_MS, this.#turnAt - now)
    this.#turnAt = now + ahead
    return ahead
  }

  #learn(now: number): void {
    if (this.#passedAt !== undefined) this.#pace += NEWEST * (Math.min(FARTHEST_MS, now - this.#passedAt) - this.#pace)
    this.#passedAt = now
  }
}
