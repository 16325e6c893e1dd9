import { ownJob, type AskedCall, type BatchedCalls } from '../admission.js'
import { dayOf, type CostCounters } from '../costs/cost-counters.js'
import { tallyOf } from '../costs/cost-tally.js'
import { dearestUsages } from '../costs/dearest-usage.js'
import { requireModel, type ModelsConfig } from '../models-config.js'
import type { Budgets } from './budgets.js'

export interface BatchedCallsOptions {
  readonly models: ModelsConfig
  readonly budgets: Budgets
  readonly counters: CostCounters
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
}

/** Of a tenant with a budget, in all batches: what is held for each is in one value, which every call of the tenant writes. */
export const MOST_BATCHED = 2_000
/** A batch takes a day at the most, in ms. */
const LEASE_MS = 25 * 60 * 60 * 1_000

/**
 * Calls that are made in a batch: what they may cost is held for a day, or until their job begins again, and counted when they were
 * billed, for the day in which that is known.
 */
export function batchedCalls({ models, budgets, counters, now }: BatchedCallsOptions): BatchedCalls {
  return {
    async admit(call: AskedCall) {
      const { attempt, tenant, name, model, inputTokens, outputTokens, cacheLives = [] } = call
      requireModel(models, model)
      const ways = dearestUsages(inputTokens, outputTokens, cacheLives).map((usage) => ({ ...usage, terms: ['batch'] }))
      const nanos = Math.max(...ways.map((usage) => tallyOf(usage, model, model, models.prices).nanos))
      const asked = {
        job: ownJob(call),
        attempt,
        tenant,
        name,
        nanos,
        demotable: false,
        leaseMs: LEASE_MS,
        most: MOST_BATCHED,
      }
      const hold = await budgets.reserve(asked)
      if (hold.kind === 'hard') return { kind: 'rejected', resetAt: hold.resetAt }
      if (hold.kind !== 'later') return undefined
      return { kind: 'later', at: hold.at, why: `calls that run may use up the budget of ${tenant}` }
    },
    async settle(call, billed) {
      const { name, attempt, tenant, model } = call
      const job = ownJob(call)
      const day = dayOf(now())
      if (billed === undefined) {
        await budgets.release({ day, tenant, name, job, attempt }, undefined)
        return undefined
      }
      const tally = tallyOf(billed.usage, billed.model, model, models.prices)
      const { nanos: total } = await counters.count({ day, tenant, name }, job, attempt, tally)
      await budgets.release({ day, tenant, name, job, attempt }, total)
      return tally.unpriced > 0 ? undefined : tally.nanos
    },
  }
}
