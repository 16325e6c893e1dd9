import { costOf } from '../job/cost.js'
import { cacheLivesOf, dearestUsages } from '../job/costs/dearest-usage.js'
import type { ModelAsk } from '../job/model-client.js'
import type { Prices } from '../job/prices.js'
import type { Usage } from '../job/usage.js'
import { TokenEstimates } from '../job/worker/token-estimates.js'

export interface SpendingOptions {
  /** undefined: what calls cost is not known. */
  readonly prices: Prices | undefined
  /** Most that may be spent, in billionths of the currency; undefined: whatever it takes. */
  readonly most: number | undefined
  /** What was spent before. */
  readonly spent: number
}

/** Room for a call, from when it begins until its bill is known. */
export interface Reserved {
  /** Billionths of the currency. */
  readonly estimate: number
  /** @param usage undefined: it was not billed. @returns what it has cost; undefined: there is no price */
  settle(model: string, usage: Usage | undefined): number | undefined
}

/**
 * What a comparison spends. A call begins when its estimate, together with the estimates of those that are under way, stays below the
 * limit, so that it is passed by no more than calls that are under way take beyond their estimates.
 */
export class Spending {
  readonly #options: SpendingOptions
  #spent: number
  #reserved = 0
  readonly #estimates = new TokenEstimates()
  #waiting: (() => void)[] = []

  constructor(options: SpendingOptions) {
    this.#options = options
    this.#spent = options.spent
  }

  /** Billionths of the currency. */
  get spent(): number {
    return this.#spent
  }

  /**
   * Takes room for a call, and waits for it while calls are under way that may take less than they were estimated to.
   * @param prompt hash of the prompt: estimates learn from what its calls were billed
   * @returns undefined: there is none
   * @throws PRICE_MISSING
   */
  async reserve(ask: ModelAsk, prompt: string): Promise<Reserved | undefined> {
    const { most = Number.POSITIVE_INFINITY } = this.#options
    for (;;) {
      const estimate = this.#estimate(ask, this.#estimates.inputOf(ask, prompt))
      if (this.#spent + estimate > most) return undefined
      if (this.#spent + this.#reserved + estimate <= most) {
        this.#reserved += estimate
        return {
          estimate,
          settle: (model, usage) => {
            if (usage !== undefined) this.#estimates.learn(ask, prompt, usage)
            return this.#settle(estimate, usage === undefined ? 0 : this.#cost(model, usage))
          },
        }
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #settle(estimate: number, nanos: number | undefined): number | undefined {
    this.#reserved -= estimate
    this.#spent += nanos ?? 0
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
    return nanos
  }

  /** The dearest that it may be. */
  #estimate(ask: ModelAsk, input: number): number {
    const ways = dearestUsages(input, ask.maxTokens, cacheLivesOf(ask))
    return Math.max(...ways.map((way) => this.#cost(ask.model, way) ?? 0))
  }

  #cost(model: string, usage: Usage): number | undefined {
    const { prices } = this.#options
    return prices === undefined ? undefined : costOf(usage, model, prices).nanos
  }
}
