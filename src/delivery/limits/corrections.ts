import type { Clock } from '../../time/clock.js'
import type { Cell } from './cell.js'
import { adjusted, readTokenBucket, type BucketRules } from './token-bucket.js'

export interface CorrectionsOptions {
  readonly rules: BucketRules
  readonly cell: Cell
  readonly clock: Clock
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
}

/** What comes in this time is stored together, in ms: each change of a value that many change costs a round trip. */
const GATHER_MS = 20
/** After it could not be stored, in ms. */
const PAUSE_MS = 500

/** What a rate has to be told after the fact. */
export class Corrections {
  readonly #options: CorrectionsOptions
  #tokens = 0
  #stopTimer: (() => void) | undefined

  constructor(options: CorrectionsOptions) {
    this.#options = options
  }

  /** @param tokens used beyond what had been taken; below 0: taken and not used */
  add(tokens: number): void {
    this.#tokens += tokens
    this.#later(GATHER_MS)
  }

  /** Stores what there is now. Never rejects. */
  async flush(): Promise<void> {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    const tokens = this.#tokens
    this.#tokens = 0
    if (tokens === 0) return
    const { cell, rules, now } = this.#options
    try {
      await cell.update((value) => adjusted(readTokenBucket(value), rules, now(), tokens))
    } catch {
      // it may be stored already: what was used too much is told again, what was used too little counts as used
      if (tokens < 0) return
      this.#tokens += tokens
      this.#later(PAUSE_MS)
    }
  }

  #later(ms: number): void {
    this.#stopTimer ??= this.#options.clock.after(ms, () => {
      this.#stopTimer = undefined
      void this.flush()
    })
  }
}
