import { fault } from '../../error/millrace-error.js'
import { finite, readNumber, type Aggregator, type Reader } from './aggregator.js'
import { TDigest, type SavedDigest } from './t-digest.js'

const COMPRESSION = 100

export interface QuantileOptions {
  /** More is more exact and takes more memory: about 16 bytes each. 20 to 10,000. Default 100. */
  readonly compression?: number
}

/**
 * One quantile, such as 0.99; null of no values. Exact for up to 5 × compression values, beyond by a t-digest: with the
 * default the rank is off by less than 1 % of all values in the middle, and far less near the ends.
 * @throws PATTERN_INVALID
 */
export function quantile(
  of: Reader,
  q: number,
  options: QuantileOptions = {},
  text = 'quantile',
): Aggregator<unknown, number | null> {
  return digest(of, `${text},${q}`, [q], options, (values) => values[0] ?? null)
}

/**
 * Several quantiles of one value, under the names p50, p95, p99_9 and so on; each null of no values. See `quantile`.
 * @throws PATTERN_INVALID
 */
export function quantiles(
  of: Reader,
  qs: readonly number[],
  options: QuantileOptions = {},
  text = 'quantiles',
): Aggregator<unknown, Record<string, number | null>> {
  const names = qs.map(nameOf)
  return digest(of, `${text},${qs.join()}`, qs, options, (values) =>
    Object.fromEntries(names.map((name, at) => [name, values[at] ?? null])),
  )
}

function digest<R>(
  of: Reader,
  text: string,
  qs: readonly number[],
  { compression = COMPRESSION }: QuantileOptions,
  result: (values: readonly (number | null)[]) => R,
): Aggregator<unknown, R> {
  if (qs.length === 0 || !qs.every((q) => q >= 0 && q <= 1))
    throw fault('PATTERN_INVALID', `${text}: a quantile is from 0 to 1`)
  if (!(compression >= 20 && compression <= 10_000))
    throw fault('PATTERN_INVALID', `${text}: compression ${compression} is not from 20 to 10,000`)
  const aggregator: Aggregator<TDigest, R> = {
    text: `${text},${compression}`,
    init: () => new TDigest(compression),
    add(known, event) {
      const value = readNumber(of, event, text)
      if (value !== undefined) known.add(value)
      return known
    },
    merge(into, later) {
      into.merge(later)
      return into
    },
    result: (known) => result(qs.map((q) => finite(known.quantile(q)))),
    save: (known) => known.save(),
    load: (saved) => new TDigest(compression, saved as SavedDigest),
  }
  return aggregator as Aggregator<unknown, R>
}

/** p50 of 0.5, p99_9 of 0.999. */
function nameOf(q: number): string {
  return `p${String(Number((q * 100).toPrecision(12))).replace('.', '_')}`
}
