import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Advance } from './advance.js'
import type { Match, Timeout } from './match.js'

// Most advances bring nothing, and most others one thing: what stays empty is shared, and a list that begins with one item
// takes no room for seventeen, as one that is pushed to when it is empty does.
const NONE = Object.freeze([]) as unknown as never[]
const NOTHING: Advance = Object.freeze({ matches: NONE, timeouts: NONE, late: NONE })

interface Output {
  matches: Match[]
  timeouts: Timeout[]
  late: StoredEvent[]
}

/** Gathers what one advance brings, and counts. An advance that brings nothing allocates nothing. */
export class Collector {
  readonly counts = { matches: 0, timeouts: 0, late: 0, raised: 0, releasedEarly: 0, droppedMatches: 0 }
  readonly #mostMatches: number
  readonly #fails: boolean
  #out: Output | null = null

  /**
   * @param mostMatches that one advance may bring; the rest are dropped and counted
   * @param fails instead: BOUND_EXCEEDED
   */
  constructor(mostMatches: number, fails = false) {
    this.#mostMatches = mostMatches
    this.#fails = fails
  }

  /** Whether another match would be dropped. Whoever makes many can stop making them, and `drop` the rest. */
  get isFull(): boolean {
    return this.#out !== null && this.#out.matches.length >= this.#mostMatches
  }

  /**
   * Whether there are as many timeouts as there may be matches. For executors that do not hold partial matches one by
   * one: nothing else bounds how many come out of what they hold.
   */
  get isFullOfTimeouts(): boolean {
    return this.#out !== null && this.#out.timeouts.length >= this.#mostMatches
  }

  match(match: Match): void {
    const out = this.#output()
    if (out.matches.length >= this.#mostMatches) {
      this.drop(1)
      return
    }
    this.counts.matches++
    if (out.matches === NONE) out.matches = [match]
    else out.matches.push(match)
  }

  /**
   * Counts matches that were not made because there are too many.
   * @throws BOUND_EXCEEDED when that is a failure
   */
  drop(matches: number): void {
    if (this.#fails && matches > 0) {
      const key = this.#out?.matches.at(-1)?.key ?? ''
      throw fault('BOUND_EXCEEDED', `matchesPerAdvance: ${this.#mostMatches}, at key ${JSON.stringify(key)}`)
    }
    this.counts.droppedMatches = Math.min(this.counts.droppedMatches + matches, Number.MAX_SAFE_INTEGER)
  }

  timeout(timeout: Timeout): void {
    this.counts.timeouts++
    const out = this.#output()
    if (out.timeouts === NONE) out.timeouts = [timeout]
    else out.timeouts.push(timeout)
  }

  late(event: StoredEvent): void {
    this.counts.late++
    const out = this.#output()
    if (out.late === NONE) out.late = [event]
    else out.late.push(event)
  }

  /** What was gathered since the last call. */
  flush(): Advance {
    const out = this.#out
    if (out === null) return NOTHING
    this.#out = null
    return out
  }

  #output(): Output {
    this.#out ??= { matches: NONE, timeouts: NONE, late: NONE }
    return this.#out
  }
}
