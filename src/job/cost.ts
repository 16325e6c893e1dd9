import { pricesOf, type Prices, type Rates } from './prices.js'
import { inputOf, type Usage } from './usage.js'

/** What a call has cost, in whole billionths of the currency: sums of it are exact, and counters can hold it. */
export interface Cost {
  readonly nanos: number
  readonly currency: string
  /** Of the table of prices. */
  readonly prices: string
  /** By what it was for; what is nothing is left out. */
  readonly parts: Readonly<Partial<Record<CostPart, number>>>
  /** What the table has no price for, and which counts as if it made no difference: `priority`, `web_search_requests`. */
  readonly unpriced: readonly string[]
}

export type CostPart = 'input' | 'output' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h' | 'serverTools'

/** A price for a million tokens, as billionths for one. */
const NANOS = 1_000
const TOKEN_PARTS = ['input', 'output', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'] as const

/**
 * Prices all that a call has used. Each part is rounded up to a billionth.
 * @throws PRICE_MISSING
 */
export function costOf(usage: Usage, model: string, table: Prices): Cost {
  const prices = pricesOf(table, model)
  const { above, terms = {}, serverTools = {} } = prices
  const rates: Rates = above !== undefined && inputOf(usage) > above.inputTokens ? above.rates : prices
  const has = (of: object, name: string): boolean => Object.hasOwn(of, name)
  const factor = usage.terms.reduce((all, term) => all * (has(terms, term) ? (terms[term] ?? 1) : 1), 1)
  const parts: Partial<Record<CostPart, number>> = {}
  for (const part of TOKEN_PARTS) {
    const nanos = roundUp(usage[part] * rates[part] * NANOS * factor)
    if (nanos > 0) parts[part] = nanos
  }
  // a price for a thousand requests is that for a million tokens, a thousand times
  const tools = Object.entries(usage.serverTools).map(
    ([name, count]) => count * (has(serverTools, name) ? (serverTools[name] ?? 0) : 0) * NANOS * NANOS,
  )
  const toolNanos = roundUp(tools.reduce((sum, one) => sum + one, 0))
  if (toolNanos > 0) parts.serverTools = toolNanos
  const unpriced = [
    ...usage.terms.filter((term) => !has(terms, term)),
    ...Object.keys(usage.serverTools).filter((name) => !has(serverTools, name)),
  ]
  const nanos = Object.values(parts).reduce((sum, one) => sum + one, 0)
  return { nanos, currency: table.currency, prices: table.version, parts, unpriced }
}

/** What is left of a multiplication of fractions is no billionth. */
function roundUp(nanos: number): number {
  const nearest = Math.round(nanos)
  return Math.abs(nanos - nearest) <= 1e-9 * Math.max(1, nearest) ? nearest : Math.ceil(nanos)
}
