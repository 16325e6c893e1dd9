import { isFault } from '../../error/millrace-error.js'
import { costOf } from '../cost.js'
import type { Prices } from '../prices.js'
import { inputOf, type Usage } from '../usage.js'

// What calls have used and cost, as one whole number that a counter can add to: all fields of a call are counted, or none.

/** In the order in which they stand in the number, each with so many decimal digits. */
const FIELDS = [
  'unknown',
  'unknownTokens',
  'hits',
  'spared',
  'calls',
  'input',
  'cached',
  'output',
  'nanos',
  'saved',
  'unpriced',
] as const
const DIGITS = 18
const FIELD = 10n ** BigInt(DIGITS)

export interface CostTally {
  /** Calls that ended without an answer, or whose processes did, before their bills were known; some of them may be among the others. */
  readonly unknown: number
  /** Tokens that these may have taken, at the most. */
  readonly unknownTokens: number
  /** Jobs that took the answer of another one. */
  readonly hits: number
  /** Tokens that these were not billed for. */
  readonly spared: number
  readonly calls: number
  /** Tokens, from wherever they came. */
  readonly input: number
  /** Of them, what was read from the provider’s cache of prompts. */
  readonly cached: number
  readonly output: number
  /** Billionths of the currency. */
  readonly nanos: number
  /** What they would have cost more without the cache of prompts and outside of batches. */
  readonly saved: number
  /** Calls for which there was no price. */
  readonly unpriced: number
}

export const NO_COST: CostTally = Object.freeze({
  unknown: 0,
  unknownTokens: 0,
  hits: 0,
  spared: 0,
  calls: 0,
  input: 0,
  cached: 0,
  output: 0,
  nanos: 0,
  saved: 0,
  unpriced: 0,
})

/** One call. @param asked the model as it was asked for; the provider may call it otherwise, and have no price for that */
export function tallyOf(usage: Usage, model: string, asked: string, prices: Prices | undefined): CostTally {
  const nanos = prices === undefined ? undefined : nanosOf(usage, [model, asked], prices)
  const plain = {
    ...usage,
    input: usage.input + usage.cacheRead,
    cacheRead: 0,
    terms: usage.terms.filter((term) => term !== 'batch'),
  }
  const full = prices === undefined ? undefined : nanosOf(plain, [model, asked], prices)
  return {
    ...NO_COST,
    calls: 1,
    input: inputOf(usage),
    cached: usage.cacheRead,
    output: usage.output,
    nanos: nanos ?? 0,
    saved: Math.max(0, (full ?? 0) - (nanos ?? 0)),
    unpriced: nanos === undefined ? 1 : 0,
  }
}

export function addTallies(one: CostTally, other: CostTally): CostTally {
  return Object.fromEntries(FIELDS.map((field) => [field, one[field] + other[field]])) as unknown as CostTally
}

export function packTally(tally: CostTally): bigint {
  return FIELDS.reduce((packed, field) => packed * FIELD + BigInt(tally[field]), 0n)
}

export function unpackTally(packed: bigint): CostTally {
  const entries = FIELDS.toReversed().map(
    (field, at) => [field, Number((packed / FIELD ** BigInt(at)) % FIELD)] as const,
  )
  return Object.fromEntries(entries) as unknown as CostTally
}

/** By the first of the names that has a price. The tokens are spent: that there is none is no error any more. */
function nanosOf(usage: Usage, names: readonly string[], prices: Prices): number | undefined {
  for (const name of names)
    try {
      return costOf(usage, name, prices).nanos
    } catch (error) {
      if (!isFault(error, 'PRICE_MISSING')) throw error
    }
  return undefined
}
