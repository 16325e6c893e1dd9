import type { Clock } from '../time/clock.js'

/** Why a call was ended by us. */
export type WatchdogReason = 'idle' | 'timeout'

export interface WatchdogLimits {
  /** How long there may be no sign of life, in ms. */
  readonly idle: number
  /** How long a call may take in all, in ms. */
  readonly most: number
}

/** How long what has arrived while this process was busy may take to be read, in ms. */
const READ_MS = 250
/** A timer that is later than this says that the process stood still, in ms; how long a timer is for, so that most of such a time is seen. */
const STOOD_STILL_MS = 500
const LONGEST_LOOK_MS = 1_000

/**
 * Ends a call that shows no sign of life, or takes too long. The timeout of the SDK ends with the headers: a body that stalls would hang
 * for ever. Time in which this process stood still (suspended, frozen) counts for nothing, but for a second of it, and the time for a
 * sign of life begins anew: who was asked may have answered, or have heard nothing yet.
 */
export class CallWatchdog {
  readonly #clock: Clock
  readonly #limits: WatchdogLimits
  readonly #expired: (reason: WatchdogReason) => void
  #began: number
  #seen: number
  /** No sign of life was seen; one may have come while this process was busy. */
  #doubted = false
  #cancel: () => void = () => undefined

  /** @param expired called once, at most */
  constructor(clock: Clock, limits: WatchdogLimits, expired: (reason: WatchdogReason) => void) {
    this.#clock = clock
    this.#limits = limits
    this.#expired = expired
    this.#began = this.#seen = clock.monotonic()
    this.#arm()
  }

  /** A sign of life. It is noted only: a stream has many. */
  readonly alive = (): void => {
    this.#seen = this.#clock.monotonic()
    this.#doubted = false
  }

  stop(): void {
    this.#cancel()
  }

  #arm(): void {
    const now = this.#clock.monotonic()
    const { idle, most } = this.#limits
    const [idleIn, endsIn] = [this.#seen + idle - now, this.#began + most - now]
    if (endsIn <= 0) return this.#expired('timeout')
    if (idleIn <= 0 && this.#doubted) return this.#expired('idle')
    this.#doubted = idleIn <= 0
    const wait = Math.max(1, Math.ceil(Math.min(this.#doubted ? READ_MS : idleIn, endsIn, LONGEST_LOOK_MS)))
    this.#cancel = this.#clock.after(wait, () => this.#due(now + wait))
  }

  #due(at: number): void {
    const late = this.#clock.monotonic() - at
    if (late > STOOD_STILL_MS) {
      this.#began += late
      this.alive()
    }
    this.#arm()
  }
}
