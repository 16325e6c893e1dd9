/** When results come before their window ends. */
export interface EarlyPlan {
  /** After so many events of the window; Infinity: never. */
  readonly events: number
  /** At each multiple of this since 1970, in ms, when something came since the last result; Infinity: never. */
  readonly every: number
}

/** As data: events since the last result, when the next comes or null. */
export type SavedEarly = readonly [since: number, due: number | null]

/** Knows when the window of a key that ends next has an early result. */
export class EarlyResults {
  readonly #plan: EarlyPlan
  #since = 0
  #due = Infinity

  constructor(plan: EarlyPlan, saved?: SavedEarly) {
    this.#plan = plan
    if (saved === undefined) return
    this.#since = saved[0]
    this.#due = saved[1] ?? Infinity
  }

  /** When there is one by time alone, in ms; Infinity: not before another event. */
  get due(): number {
    return this.#due
  }

  /** An event of the window came. @returns whether there is a result now */
  came(now: number): boolean {
    const { events, every } = this.#plan
    if (++this.#since >= events) {
      this.given()
      return true
    }
    if (every !== Infinity && this.#due === Infinity) this.#due = (Math.floor(now / every) + 1) * every
    return false
  }

  /** There was a result, or another window ends next. */
  given(): void {
    this.#since = 0
    this.#due = Infinity
  }

  save(): SavedEarly | 0 {
    return this.#since === 0 ? 0 : [this.#since, this.#due === Infinity ? null : this.#due]
  }
}
