import { z } from 'zod'
import { fault, isFault } from '../error/millrace-error.js'
import { issuesOf } from '../event/data-issues.js'
import { parseDuration } from '../time/duration.js'
import { MOST_JOBS } from './batch/batch-rules.js'
import { fittingName } from './fitting-name.js'
import { PRICES, pricesOf } from './prices.js'

// What is known of models and not written into programs: what they cost, how much of them there is, who may spend what.

const count = z.number().int().min(1).max(1_000_000_000_000)
/** Sums of it are counted in whole billionths. */
const money = z.number().min(0.000_001).max(9_000_000)

const modelClass = z.strictObject({
  /** Names of models, or the beginnings of names with a `*` behind. */
  models: z.array(z.string().min(1)).min(1),
  /** Of all processes together; what is left out has no limit. */
  perMinute: z
    .strictObject({ requests: count.optional(), inputTokens: count.optional(), outputTokens: count.optional() })
    .default({}),
  /** Of one process. It goes between the two by how the provider answers. */
  concurrency: z
    .strictObject({ least: count.default(1), most: count.default(256) })
    .refine(({ least, most }) => least <= most, 'least is above most')
    .optional(),
})

const budget = z
  .strictObject({
    /** From then on jobs of the tenant go to the lane `batch`. */
    soft: money.optional(),
    /** Nothing is asked that may pass it. */
    hard: money.optional(),
  })
  .refine(({ soft = 0, hard = Number.POSITIVE_INFINITY }) => soft <= hard, 'soft is above hard')

const wait = z.union([z.string(), z.number()]).transform((given, context) => {
  try {
    const ms = parseDuration(given)
    if (ms > 0) return ms
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
  }
  context.addIssue({ code: 'custom', message: `${JSON.stringify(given)} is no duration above 0: write it like 60s` })
  return z.NEVER
})

const config = z
  .strictObject({
    prices: PRICES.optional(),
    classes: z.record(z.string().regex(/^[A-Za-z0-9_-]{1,60}$/), modelClass).optional(),
    /** For a tenant and a day (UTC), in the currency of the prices. */
    budgets: z
      .strictObject({ default: budget.optional(), tenants: z.record(z.string().min(1), budget).default({}) })
      .optional(),
    /** How jobs of the lane `batch` are put together. */
    batches: z
      .strictObject({
        /** Most of one. */
        jobs: z.number().int().min(1).max(MOST_JOBS).optional(),
        /** How long the first waits for others, in ms. */
        wait: wait.optional(),
      })
      .optional(),
  })
  .superRefine(({ prices, classes = {}, budgets }, context) => {
    if (budgets !== undefined && prices === undefined)
      context.addIssue({ code: 'custom', path: ['budgets'], message: 'without prices nobody knows what is spent' })
    const seen = new Map<string, string>()
    for (const [name, { models }] of Object.entries(classes))
      for (const [at, model] of models.entries()) {
        const other = seen.get(model)
        if (other !== undefined)
          context.addIssue({
            code: 'custom',
            path: ['classes', name, 'models', at],
            message: `${model} is in ${other} too`,
          })
        seen.set(model, name)
      }
  })

/** The file `models.yaml` of a deployment, as it was read. */
export type ModelsConfig = z.output<typeof config>
export type ModelClass = z.output<typeof modelClass>
export type TenantLimits = z.output<typeof budget>

/** Nothing is known: no limits, and what calls cost is not either. */
export const NO_MODELS: ModelsConfig = Object.freeze({})

/** @throws MODELS_INVALID with a pointer for each issue */
export function readModels(value: unknown): ModelsConfig {
  const read = config.safeParse(value)
  if (read.success) return read.data
  const issues = issuesOf(read.error)
  const [first] = issues
  throw fault('MODELS_INVALID', `${first?.pointer ?? ''}: ${first?.detail ?? ''}`, { issues })
}

/**
 * The name of the class that a model is of; undefined: there are no classes.
 * @throws MODEL_CLASS_UNKNOWN there are, and it is of none
 */
export function classOf({ classes }: ModelsConfig, model: string): string | undefined {
  if (classes === undefined) return undefined
  const name = fittingName(
    Object.values(classes).flatMap(({ models }) => models),
    model,
  )
  const found = Object.entries(classes).find(([, { models }]) => name !== undefined && models.includes(name))
  if (found === undefined) throw fault('MODEL_CLASS_UNKNOWN', `${model}; there are: ${Object.keys(classes).join(', ')}`)
  return found[0]
}

/** Whether a model may be asked at all. @throws PRICE_MISSING, MODEL_CLASS_UNKNOWN */
export function requireModel(models: ModelsConfig, model: string): void {
  if (models.prices !== undefined) pricesOf(models.prices, model)
  classOf(models, model)
}

/** What a tenant may spend in a day. */
export function limitsOf({ budgets }: ModelsConfig, tenant: string): TenantLimits {
  const { tenants = {}, default: others = {} } = budgets ?? {}
  return (Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined) ?? others
}
