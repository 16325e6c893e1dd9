import { readScalar, type Aggregator, type Reader, type Scalar } from './aggregator.js'
import { HyperLogLog } from './hyper-log-log.js'
import { hashText } from './text-hash.js'

/** The values themselves while they are few, then a sketch of them. */
type Distinct = Set<Scalar> | HyperLogLog

const EXACT = 1_000

export interface DistinctOptions {
  /** Up to so many different values the count is exact. Default 1,000. */
  readonly exact?: number
}

/**
 * How many different values there are: exact up to a bound, beyond it an estimate in 4 kB with a standard error of 1.6 %.
 * Values are texts, numbers and booleans; `1` and `'1'` differ.
 */
export function distinct(
  of: Reader,
  { exact = EXACT }: DistinctOptions = {},
  text = 'distinct',
): Aggregator<unknown, number> {
  const sketch = (values: Set<Scalar>): HyperLogLog => {
    const made = new HyperLogLog()
    for (const value of values) made.add(hashText(tagged(value)))
    return made
  }
  const bounded = (values: Set<Scalar>): Distinct => (values.size > exact ? sketch(values) : values)
  const aggregator: Aggregator<Distinct, number> = {
    text: `${text},${exact}`,
    init: () => new Set(),
    add(known, event) {
      const value = readScalar(of, event, text)
      if (value === undefined) return known
      if (known instanceof Set) return bounded(known.add(value))
      known.add(hashText(tagged(value)))
      return known
    },
    merge(into, later) {
      if (into instanceof Set && later instanceof Set) {
        for (const value of later) into.add(value)
        return bounded(into)
      }
      const merged = into instanceof Set ? sketch(into) : into
      merged.merge(later instanceof Set ? sketch(later) : later)
      return merged
    },
    result: (known) => (known instanceof Set ? known.size : known.estimate()),
    save: (known) => (known instanceof Set ? [...known] : known.save()),
    load: (saved) => (typeof saved === 'string' ? HyperLogLog.load(saved) : new Set(saved as Scalar[])),
  }
  return aggregator as Aggregator<unknown, number>
}

function tagged(value: Scalar): string {
  return typeof value === 'string' ? value : `\u0000${typeof value} ${String(value)}`
}
