import { fault } from '../../error/millrace-error.js'
import { readScalar, type Aggregator, type Reader } from './aggregator.js'
import { SpaceSaving, type Frequent, type SavedCounters } from './space-saving.js'

export interface TopOptions {
  /** So many different values are counted exactly. Default ten times as many as are asked for, at least 100. */
  readonly capacity?: number
}

/**
 * The `k` most frequent values with their counts, the most frequent first. Exact while there are no more different
 * values than `capacity`; beyond, each says by how much its count may be too high, which is never more than the number
 * of events over the capacity.
 * @throws PATTERN_INVALID when k is no whole number from 1, or above the capacity
 */
export function topK(
  of: Reader,
  k: number,
  { capacity = Math.max(100, 10 * k) }: TopOptions = {},
  text = 'topK',
): Aggregator<unknown, Frequent[]> {
  if (!(Number.isInteger(k) && k >= 1 && Number.isInteger(capacity) && capacity >= k))
    throw fault('PATTERN_INVALID', `${text}: k ${k} with capacity ${capacity}`)
  const aggregator: Aggregator<SpaceSaving, Frequent[]> = {
    text: `${text},${k},${capacity}`,
    init: () => new SpaceSaving(capacity),
    add(known, event) {
      const value = readScalar(of, event, text)
      if (value !== undefined) known.add(value)
      return known
    },
    merge(into, later) {
      into.merge(later)
      return into
    },
    result: (known) => known.top(k),
    save: (known) => known.save(),
    load: (saved) => new SpaceSaving(capacity, saved as SavedCounters),
  }
  return aggregator as Aggregator<unknown, Frequent[]>
}
