import { count, first, last, max, min } from './counting.js'
import { distinct } from './distinct.js'
import { avg, stddev, sum, variance } from './moments.js'
import { quantile, quantiles } from './quantiles.js'
import { topK } from './top-k.js'

/** What windows of `compileAggregate` can make of their events, under one name: `aggregators.sum((e) => e.data.amount)`. */
export const aggregators = {
  avg,
  count,
  distinct,
  first,
  last,
  max,
  min,
  quantile,
  quantiles,
  stddev,
  sum,
  topK,
  variance,
} as const
