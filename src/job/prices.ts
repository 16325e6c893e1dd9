import { z } from 'zod'
import { fault } from '../error/millrace-error.js'
import { issuesOf } from '../event/data-issues.js'
import { fittingName } from './fitting-name.js'

/** For a million tokens, in the currency of the table. A thousandth of a unit is the smallest part that is minded. */
const price = z.number().min(0).max(1_000_000)

const rates = z.strictObject({
  input: price,
  output: price,
  cacheRead: price,
  cacheWrite5m: price,
  cacheWrite1h: price,
})

const modelPrices = rates.extend({
  /** Other rates for a whole call whose input is larger. */
  above: z.strictObject({ inputTokens: z.number().int().min(1), rates }).optional(),
  /** For a thousand requests, by the name that the usage has for them: `web_search_requests`. */
  serverTools: z.record(z.string(), price).optional(),
  /** What a term of the usage multiplies all with: `{ batch: 0.5 }`. */
  terms: z.record(z.string(), z.number().min(0).max(100)).optional(),
})

/** How a table of prices is written. */
export const PRICES = z.strictObject({
  /** Recorded with each cost: which prices it was made with. */
  version: z.string().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/),
  /** By model, or by the beginning of its name with a `*` behind: `claude-haiku-5-5*`. The longest that fits counts. */
  models: z.record(z.string().min(1), modelPrices),
})

/** What models cost. It is configuration: prices change more often than programs. */
export type Prices = z.output<typeof PRICES>
export type ModelPrices = z.output<typeof modelPrices>
export type Rates = z.output<typeof rates>

/** Reads a table of prices. @throws PRICES_INVALID with a pointer for each issue */
export function readPrices(table: unknown): Prices {
  const read = PRICES.safeParse(table)
  if (read.success) return read.data
  const issues = issuesOf(read.error)
  const [first] = issues
  throw fault('PRICES_INVALID', `${first?.pointer ?? ''}: ${first?.detail ?? ''}`, { issues })
}

/** @throws PRICE_MISSING */
export function pricesOf(table: Prices, model: string): ModelPrices {
  const name = fittingName(Object.keys(table.models), model)
  const found = name === undefined ? undefined : table.models[name]
  if (found === undefined) throw fault('PRICE_MISSING', `${model}, in the table ${table.version}`)
  return found
}
