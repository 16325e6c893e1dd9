// SharedLimiter
//
// A rate that all processes share. Each leases what it needs for some 150 ms with one write, and admits from that.
//
//   LimitsGate, jobs -> SharedLimiter:   tryTake(cost), ready(), take(cost), freeze(until), correct(remaining, resetAt)
//   SharedLimiter -> Cell:               lease, giveBack, frozen, corrected
import { fault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import type { Cell } from './cell.js'
import { corrected, frozen, giveBack, lease, readTokenBucket, type BucketRules } from './token-bucket.js'
import { Waiters } from './waiters.js'

export interface SharedLimiterOptions {
  readonly rules: BucketRules
  readonly cell: Cell
  readonly clock: Clock
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
}

/** A lease is for as much as comes in this time, and its tokens count for so long. */
const WORK_MS = 150
export const LEASE_MS = 200
/** After the server could not be asked, in ms. */
const PAUSE_MS = 100
/** Timers are not for longer, in ms. */
const LONGEST_WAIT_MS = 60_000

interface OwnLease {
  tokens: number
  readonly size: number
  /** By the monotonic clock. */
  readonly ends: number
  readonly epoch: number
}

const NO_LEASE: OwnLease = Object.freeze({ tokens: 0, size: 0, ends: Number.NEGATIVE_INFINITY, epoch: 0 })

export class SharedLimiter {
  readonly #options: SharedLimiterOptions
  readonly #most: number
  readonly #waiters: Waiters
  readonly #stopListening: () => void
  #lease: OwnLease = { ...NO_LEASE }
  /** What the next lease asks for: twice the last one when that was too little. */
  #size = 1
  #least = 1
  #asking = false
  /** By the monotonic clock: there is nothing before. */
  #retryAt = Number.NEGATIVE_INFINITY
  #stopped = false
  readonly #stopping = new AbortController()
  #stopTimer: () => void = () => undefined
  #stopEnd: () => void = () => undefined

  constructor(options: SharedLimiterOptions) {
    const { rules, clock, cell } = options
    this.#options = options
    this.#most = Math.max(1, Math.min(rules.burst, Math.floor((rules.limit / rules.per) * WORK_MS)))
    this.#waiters = new Waiters(clock, () => this.#there)
    this.#stopListening = cell.onChange(() => this.#changed())
  }

  /** Takes so much, when it is there in this process; asks nobody. */
  tryTake(cost = 1): boolean {
    if (this.#there < cost) return false
    this.#lease.tokens -= cost
    return true
  }

  /** Takes so much in the turn in which `has` was true. */
  spend(cost = 1): void {
    this.#lease.tokens -= cost
  }

  /** Whether `tryTake` would. */
  has(cost = 1): boolean {
    return this.#there >= cost
  }

  /** Resolves when it is worth trying (again). */
  ready(cost = 1): Promise<void> {
    if (cost > this.#least) {
      this.#least = cost
      this.#retryAt = Number.NEGATIVE_INFINITY
    }
    const waiting = this.#waiters.wait()
    this.#ask()
    return waiting
  }

  /**
   * Waits until so much may be taken, and takes it.
   * @param cost such as tokens of a model; what is more than the burst is given when nothing else is on its way
   * @returns how long it waited, in ms
   * @throws `signal.reason`; LIMITER_STOPPED
   */
  async take(cost = 1, signal?: AbortSignal): Promise<number> {
    if (this.tryTake(cost)) return 0
    const { clock } = this.#options
    const began = clock.monotonic()
    while (!this.tryTake(cost)) {
      signal?.throwIfAborted()
      if (this.#stopped) throw fault('LIMITER_STOPPED', '')
      await this.#readyOr(cost, signal)
    }
    return clock.monotonic() - began
  }

  /** Nobody takes anything until then, in any process. @param until in ms since the Unix epoch @throws errors of the broker */
  async freeze(until: number): Promise<void> {
    await this.#options.cell.update((value) => frozen(readTokenBucket(value), until))
  }

  /**
   * What the other side has said is left: no more than that is taken until `resetAt`, by all processes together.
   * @param resetAt in ms since the Unix epoch
   * @throws errors of the broker
   */
  async correct(remaining: number, resetAt: number): Promise<void> {
    const { cell, now } = this.#options
    await cell.update((value) => corrected(readTokenBucket(value), remaining, resetAt, now()))
  }

  /** Gives back what it has. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#stopping.abort()
    this.#stopListening()
    this.#stopTimer()
    await this.#end()
    this.#waiters.wakeAll()
  }

  get #there(): number {
    const { tokens, ends } = this.#lease
    return tokens > 0 && this.#options.clock.monotonic() < ends ? tokens : 0
  }

  async #readyOr(cost: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return this.ready(cost)
    let onAbort = (): void => undefined
    const aborted = new Promise<void>((resolve) => (onAbort = resolve))
    signal.addEventListener('abort', onAbort, { once: true })
    await Promise.race([this.ready(cost), aborted])
    signal.removeEventListener('abort', onAbort)
  }

  #changed(): void {
    const { epoch } = readTokenBucket(this.#options.cell.value)
    if (epoch > this.#lease.epoch) this.#lease = { ...NO_LEASE, epoch }
  }

  #ask(): void {
    if (this.#asking || this.#stopped || this.#options.clock.monotonic() < this.#retryAt) return
    if (this.#there >= this.#least) return this.#waiters.wake()
    this.#asking = true
    this.#stopTimer()
    this.#takeLease().then(
      (wait) => this.#asked(wait),
      () => this.#asked(PAUSE_MS),
    )
  }

  /** @returns how long to wait before another try, in ms */
  async #takeLease(): Promise<number> {
    const { cell, clock, now, rules } = this.#options
    await this.#end()
    const want = Math.max(this.#least, Math.min(this.#most, Math.max(this.#size, this.#waiters.size)))
    const cost = this.#least
    let wait = 0
    let got: { readonly tokens: number; readonly startsIn: number; readonly epoch: number } | undefined
    // its time begins before it is asked for: it is over here before it is anywhere else
    let began = clock.monotonic()
    await cell.update((value) => {
      began = clock.monotonic()
      got = undefined
      const answer = lease(readTokenBucket(value), rules, now(), cost, want)
      if (answer.kind === 'wait') {
        wait = answer.ms
        return undefined
      }
      const { bucket, tokens, startsIn } = answer
      got = { tokens, startsIn, epoch: bucket.epoch }
      return bucket
    })
    if (got === undefined) return Math.max(1, wait)
    const { tokens, startsIn, epoch } = got
    if (startsIn > 0) await clock.sleep(began + startsIn - clock.monotonic(), this.#stopping.signal)
    if (readTokenBucket(cell.value).epoch > epoch) return 1
    this.#lease = { tokens, size: tokens, ends: began + startsIn + LEASE_MS, epoch }
    this.#stopEnd = clock.after(this.#lease.ends - clock.monotonic(), () => void this.#end())
    return 0
  }

  #asked(wait: number): void {
    this.#asking = false
    if (wait > 0) {
      const { clock } = this.#options
      const pause = Math.min(LONGEST_WAIT_MS, wait)
      this.#retryAt = clock.monotonic() + pause
      this.#stopTimer()
      this.#stopTimer = clock.after(pause, () => {
        this.#retryAt = Number.NEGATIVE_INFINITY
        this.#ask()
      })
      return
    }
    this.#least = 1
    this.#waiters.wake()
    // who is left asks for more when this is gone
    if (this.#waiters.size > 0) this.#stopTimer = this.#options.clock.after(1, () => this.#ask())
  }

  /** The end of a lease: what was not used is given back, and shows how much is needed. */
  async #end(): Promise<void> {
    this.#stopEnd()
    const { tokens, size, ends, epoch } = this.#lease
    if (size === 0) return
    const { cell, clock, rules, now } = this.#options
    const early = clock.monotonic() < ends
    this.#size = early && tokens === 0 ? Math.min(this.#most, size * 2) : Math.max(1, size - tokens)
    this.#lease = { ...NO_LEASE, epoch }
    if (tokens <= 0) return
    try {
      await cell.update((value) => giveBack(readTokenBucket(value), rules, now(), { tokens, epoch }))
    } catch {
      // they count as used
    }
  }
}
