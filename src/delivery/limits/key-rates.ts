// KeyRates
//
// A rate for each key, in all processes together. There may be any number of keys: this process knows those of late, and the
// server forgets the others.
import { createHash } from 'node:crypto'
import type { StoredEvent } from '../../event/event.js'
import { messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Cell } from './cell.js'
import type { Limit } from './limit.js'
import { SharedLimiter } from './shared-limiter.js'
import type { BucketRules } from './token-bucket.js'

export interface KeyRatesOptions {
  readonly handler: string
  readonly rules: BucketRules
  readonly keyOf: (event: StoredEvent) => string
  /** What all processes share of a key, by a name that a bucket can have. */
  readonly cellOf: (name: string) => Cell
  readonly clock: Clock
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
  readonly log: Log
}

/** Keys that this process knows at a time; of the others, what was leased and not used is lost. */
export const MOST_KEYS = 10_000

export class KeyRates implements Limit {
  readonly #options: KeyRatesOptions
  readonly #limiters = new Map<string, SharedLimiter>()
  #complained = false

  constructor(options: KeyRatesOptions) {
    this.#options = options
  }

  /** Keys that are known here. */
  get size(): number {
    return this.#limiters.size
  }

  wait(event: StoredEvent): Promise<void> | undefined {
    const limiter = this.#of(event)
    return limiter.has() ? undefined : limiter.ready()
  }

  pass(event: StoredEvent): void {
    this.#of(event).spend()
  }

  stop(): void {
    for (const limiter of this.#limiters.values()) void limiter.stop()
    this.#limiters.clear()
  }

  #of(event: StoredEvent): SharedLimiter {
    const key = this.#keyOf(event)
    let limiter = this.#limiters.get(key)
    if (limiter !== undefined) {
      // the last used is the last to go
      this.#limiters.delete(key)
      this.#limiters.set(key, limiter)
      return limiter
    }
    const { handler, rules, cellOf, clock, now } = this.#options
    const hash = createHash('sha256').update(key).digest('base64url').slice(0, 22)
    limiter = new SharedLimiter({ rules, cell: cellOf(`${handler}.${hash}`), clock, now })
    this.#limiters.set(key, limiter)
    for (const [oldest, old] of this.#limiters) {
      if (this.#limiters.size <= MOST_KEYS) break
      this.#limiters.delete(oldest)
      void old.stop()
    }
    return limiter
  }

  /** Events whose key cannot be told share one rate. */
  #keyOf(event: StoredEvent): string {
    try {
      return String(this.#options.keyOf(event))
    } catch (error) {
      const { log, handler } = this.#options
      if (!this.#complained) log.warn({ handler, event: event.id, detail: messageOf(error) }, '`rate.key` threw')
      this.#complained = true
      return ''
    }
  }
}
