// SharedLimiter
//
// A rate that all processes share. Each leases what it needs for some 150 ms with one write, and admits from that.
//
//   LimitsGate, jobs -> SharedLimiter:   tryTake(cost), ready(), take(cost), freeze(until), adjust(tokens), lower(remaining)
//   SharedLimiter -> Cell:               lease, giveBack, frozen, adjusted, lowered
import { fault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import type { Cell } from './cell.js'
import { Corrections } from './corrections.js'
import { NO_LEASE, type OwnLease } from './own-lease.js'
import { orAborted } from './or-aborted.js'
import { untilBegun } from './reserved-lease.js'
import {
  frozen,
  giveBack,
  lease,
  lowered,
  readTokenBucket,
  type BucketRules,
  type TokenBucket,
} from './token-bucket.js'
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
/** After the server could not be asked, and the longest time that a timer is for, in ms. */
const PAUSE_MS = 100
const LONGEST_WAIT_MS = 60_000

export class SharedLimiter {
  readonly #options: SharedLimiterOptions
  readonly #most: number
  readonly #waiters: Waiters
  readonly #corrections: Corrections
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
    this.#corrections = new Corrections(options)
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
      await orAborted(this.ready(cost), signal)
    }
    return clock.monotonic() - began
  }

  /** Nobody takes anything until then, in any process. @param until in ms since the Unix epoch @throws errors of the broker */
  async freeze(until: number): Promise<void> {
    await this.#options.cell.update((value) => frozen(readTokenBucket(value), until))
  }

  /**
   * After the fact: so much was used beyond what had been taken, or, below 0, was taken and not used. It is stored a little
   * later, with others; what cannot be stored of what was not used counts as used.
   */
  adjust(tokens: number): void {
    this.#corrections.add(tokens)
  }

  /**
   * What the other side says is left of what it gives out at once. It only ever lowers what is there, for all processes.
   * @throws errors of the broker
   */
  async lower(remaining: number): Promise<void> {
    const { cell, now, rules } = this.#options
    const next = (value: unknown) => lowered(readTokenBucket(value), rules, now(), remaining)
    if (next(cell.value) !== undefined) await cell.update(next)
  }

  /** How long `take` would wait, as far as is known here, in ms; 0: not at all. */
  waitFor(cost: number): number {
    if (this.#there >= cost) return 0
    const { cell, now, rules } = this.#options
    const answer = lease(readTokenBucket(cell.value), rules, now(), cost, cost)
    return answer.kind === 'wait' ? answer.ms : answer.startsIn
  }

  /** Gives back what it has. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#stopping.abort()
    this.#stopListening()
    this.#stopTimer()
    await Promise.all([this.#end(), this.#corrections.flush()])
    this.#waiters.wakeAll()
  }

  get #there(): number {
    const { tokens, ends } = this.#lease
    return tokens > 0 && this.#options.clock.monotonic() < ends ? tokens : 0
  }

  #changed(): void {
    const { epoch } = readTokenBucket(this.#options.cell.value)
    if (epoch > this.#lease.epoch) this.#lease = { ...NO_LEASE, epoch }
  }

  #ask(): void {
    if (this.#asking || this.#stopped || this.#options.clock.monotonic() < this.#retryAt) return
    if (this.#there >= this.#least) return this.#wake()
    this.#asking = true
    this.#stopTimer()
    const tried = this.#takeLease().catch(() => PAUSE_MS)
    void tried.then((wait) => this.#asked(wait))
  }

  /** @returns how long to wait before another try, in ms */
  async #takeLease(): Promise<number> {
    const { cell, clock, now, rules } = this.#options
    const [cost, left] = [this.#least, this.#leave()]
    const want = Math.max(cost, Math.min(this.#most, Math.max(this.#size, this.#waiters.size)))
    let wait = 0
    let got: { readonly tokens: number; readonly startsIn: number; readonly bucket: TokenBucket } | undefined
    // its time begins before it is asked for: it is over here before it is anywhere else
    let began = clock.monotonic()
    await cell.update((value) => {
      began = clock.monotonic()
      got = undefined
      const given = giveBack(readTokenBucket(value), rules, now(), left)
      const answer = lease(given ?? readTokenBucket(value), rules, now(), cost, want)
      if (answer.kind === 'wait') {
        wait = answer.ms
        return given
      }
      got = answer
      return answer.bucket
    })
    if (got === undefined) return Math.max(1, wait)
    const { tokens, startsIn, bucket } = got
    const { epoch, moved } = bucket
    const reserved = { cell, clock, at: began + startsIn, moved }
    const starts = startsIn <= 0 ? began : await untilBegun(reserved, this.#stopping.signal)
    if (readTokenBucket(cell.value).epoch > epoch) return 1
    this.#lease = { tokens, size: tokens, ends: starts + LEASE_MS, epoch }
    this.#stopEnd = clock.after(this.#lease.ends - clock.monotonic(), () => void this.#end())
    return 0
  }

  #asked(wait: number): void {
    this.#asking = false
    if (wait <= 0) {
      this.#least = 1
      return this.#wake()
    }
    const pause = Math.min(LONGEST_WAIT_MS, wait)
    this.#retryAt = this.#options.clock.monotonic() + pause
    this.#askIn(pause)
  }

  /** Who is left asks for more when this is gone: of those who are woken some may have gone, and ask for nothing. */
  #wake(): void {
    this.#waiters.wake()
    this.#stopTimer()
    if (this.#waiters.size > 0) this.#askIn(1)
  }

  #askIn(ms: number): void {
    this.#stopTimer = this.#options.clock.after(ms, () => {
      this.#retryAt = Number.NEGATIVE_INFINITY
      this.#ask()
    })
  }

  /** The end of a lease: what was not used is given back. */
  async #end(): Promise<void> {
    const { cell, rules, now } = this.#options
    const left = this.#leave()
    if (left.tokens <= 0) return
    // what cannot be given back counts as used
    await cell.update((value) => giveBack(readTokenBucket(value), rules, now(), left)).catch(() => undefined)
  }

  /** Ends the lease; what is left of it shows how much is needed. */
  #leave(): { readonly tokens: number; readonly epoch: number } {
    this.#stopEnd()
    const { tokens, size, ends, epoch } = this.#lease
    // who ends one before its time has too little in it
    if (size > 0)
      this.#size = this.#options.clock.monotonic() < ends ? Math.min(this.#most, size * 2) : Math.max(1, size - tokens)
    this.#lease = { ...NO_LEASE, epoch }
    return { tokens, epoch }
  }
}
