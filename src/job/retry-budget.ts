/** How many repetitions there may be. */
export interface BudgetRules {
  /** Of the calls that are no repetitions, from 0 to 1. */
  readonly part: number
  /** So many in any case, of a whole window. */
  readonly least: number
  /** In ms. */
  readonly window: number
}

/** A tenth of the calls of a minute, and ten. */
export const DEFAULT_BUDGET: BudgetRules = Object.freeze({ part: 0.1, least: 10, window: 60_000 })

interface Slice {
  readonly from: number
  calls: number
  repeats: number
}

const SLICES = 12

/**
 * Repetitions of a model class, as a part of its calls in a sliding window: when everything fails, attempts do not multiply
 * what is asked of a provider that is ill already. One for each process; a part of each is a part of all.
 * Source: the retry budget of Finagle (Twitter, `RetryBudget`), with waiting in place of giving up, and what is answered given back
 * as in the standard retries of the AWS SDKs.
 */
export class RetryBudget {
  readonly #rules: BudgetRules
  #slices: Slice[] = []

  constructor(rules: BudgetRules = DEFAULT_BUDGET) {
    this.#rules = rules
  }

  /** A call that repeats nothing has begun. @param now in ms; never smaller than before */
  called(now: number): void {
    this.#slice(now).calls += 1
  }

  /**
   * A repetition was answered: it takes nothing from the budget. Jobs that failed come back behind all that wait, so that there may be
   * nothing but repetitions at the end; they wait for each other only while the other side is ill.
   */
  answered(): void {
    const slice = this.#slices.findLast(({ repeats }) => repeats > 0)
    if (slice !== undefined) slice.repeats -= 1
  }

  /** Takes one repetition. @returns 0: it may be; else how long to wait before asking again, in ms */
  take(now: number): number {
    const slice = this.#slice(now)
    const sum = (of: 'calls' | 'repeats'): number => this.#slices.reduce((all, one) => all + one[of], 0)
    const { part, least, window } = this.#rules
    if (sum('repeats') < least + Math.floor(part * sum('calls'))) {
      slice.repeats += 1
      return 0
    }
    // the oldest repetitions are forgotten then
    const oldest = this.#slices.find(({ repeats }) => repeats > 0)
    return Math.max(1, (oldest?.from ?? now) + window + window / SLICES - now)
  }

  /** One that was taken is not made. @param taken when it was, as `take` was told */
  giveBack(taken: number): void {
    const slice = this.#slices.findLast(({ from, repeats }) => from <= taken && repeats > 0)
    if (slice !== undefined) slice.repeats -= 1
  }

  #slice(now: number): Slice {
    const length = this.#rules.window / SLICES
    const from = Math.floor(now / length) * length
    const last = this.#slices.at(-1)
    if (last !== undefined && last.from >= from) return last
    const slice = { from, calls: 0, repeats: 0 }
    this.#slices = [...this.#slices.filter((one) => one.from > from - this.#rules.window - length), slice]
    return slice
  }
}
