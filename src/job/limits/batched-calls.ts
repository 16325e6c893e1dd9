import type { AskedCall, BatchedCalls } from '../admission.js'
import { dayOf, type CostCounters } from '../costs/cost-counters.js'
import { tallyOf } from '../costs/cost-tally.js'
import { requireModel, type ModelsConfig } from '../models-config.js'
import { NO_USAGE } from '../usage.js'
import type { Budgets } from './budgets.js'

export interface BatchedCallsOptions {
  readonly models: ModelsConfig
  readonly budgets: Budgets
  readonly counters: CostCounters
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
}

/**
 * Calls that are made in a batch: the budget of their tenant is asked when they are put into one, and knows of them again when they were
 * billed. Nothing is held for them meanwhile, as a batch may take a day: so much more than a budget can be spent as was in batches.
 */
export function batchedCalls({ models, budgets, counters, now }: BatchedCallsOptions): BatchedCalls {
  return {
    async admit({ job, attempt, tenant, name = '', model, inputTokens, outputTokens }: AskedCall) {
      requireModel(models, model)
      const usage = { ...NO_USAGE, input: inputTokens, output: outputTokens, terms: ['batch'] }
      const { nanos } = tallyOf(usage, model, model, models.prices)
      const hold = await budgets.reserve({ job, attempt, tenant, name, nanos, demotable: false })
      switch (hold.kind) {
        case 'held':
          await hold.release(undefined)
          return undefined
        case 'later':
          return { kind: 'later', at: hold.at, why: `calls that run may use up the budget of ${tenant}` }
        case 'soft':
          return undefined
        case 'hard':
          return { kind: 'rejected', resetAt: hold.resetAt }
      }
    },
    async settle({ job, name, attempt, tenant, model }, billed) {
      const tally = tallyOf(billed.usage, billed.model, model, models.prices)
      const { nanos: total } = await counters.count({ day: dayOf(now()), tenant, name }, job, attempt, tally)
      const hold = await budgets.reserve({ job, attempt, tenant, name, nanos: 0, demotable: false })
      // a budget that is used up knows that it is
      if (hold.kind === 'held') await hold.release(total)
      return tally.unpriced > 0 ? undefined : tally.nanos
    },
  }
}
