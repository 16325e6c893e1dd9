import { finite, readNumber, saveNumber, type Aggregator, type Reader } from './aggregator.js'

/** A sum with what its rounding has lost, and of how many values it is. */
type Sum = [sum: number, lost: number, count: number]

/**
 * Adds with a second number for what rounding loses (Neumaier 1974), so that the order of values, and how they were
 * split into parts, hardly shows.
 */
function addTo(total: Sum, value: number): void {
  const sum = total[0] + value
  if (Number.isFinite(sum))
    total[1] += Math.abs(total[0]) >= Math.abs(value) ? total[0] - sum + value : value - sum + total[0]
  total[0] = sum
}

function sums(of: Reader, text: string, result: (sum: number, count: number) => number | null): Aggregator<Sum> {
  return {
    text,
    init: () => [0, 0, 0],
    add(total, event) {
      const value = readNumber(of, event, text)
      if (value === undefined) return total
      addTo(total, value)
      total[2]++
      return total
    },
    merge(into, later) {
      addTo(into, later[0])
      into[1] += later[1]
      into[2] += later[2]
      return into
    },
    result: ([sum, lost, count]) => result(sum + lost, count),
    save: (total) => total.map(saveNumber),
    load: (saved) => (saved as unknown[]).map(Number) as Sum,
  }
}

/** The sum; 0 of no values, null when it is beyond what a number can hold. */
export function sum(of: Reader, text = 'sum'): Aggregator<unknown, number | null> {
  return sums(of, text, finite) as Aggregator<unknown, number | null>
}

/** The mean; null of no values. */
export function avg(of: Reader, text = 'avg'): Aggregator<unknown, number | null> {
  return sums(of, text, (total, n) => (n === 0 ? null : finite(total / n))) as Aggregator<unknown, number | null>
}

/** How many values, their mean, and the sum of the squares of their distances from it. */
type Moments = [count: number, mean: number, squares: number]

export interface SpreadOptions {
  /** The values are all there are, not a sample of them: divided by n, not by n - 1. Default false, as in SQL. */
  readonly population?: boolean
}

/** The standard deviation; null of fewer than two values (of none with `population`). */
export function stddev(of: Reader, options: SpreadOptions = {}, text = 'stddev'): Aggregator<unknown, number | null> {
  return spread(of, options, text, Math.sqrt)
}

/** The variance; null of fewer than two values (of none with `population`). */
export function variance(
  of: Reader,
  options: SpreadOptions = {},
  text = 'variance',
): Aggregator<unknown, number | null> {
  return spread(of, options, text, (value) => value)
}

/**
 * Welford's recurrence (Technometrics 4, 1962), and for parts the merge of Chan, Golub and LeVeque (1979): the sums of
 * squares that the textbook formula subtracts are never made.
 */
function spread(
  of: Reader,
  { population = false }: SpreadOptions,
  text: string,
  result: (variance: number) => number,
): Aggregator<unknown, number | null> {
  const aggregator: Aggregator<Moments, number | null> = {
    text: population ? `${text},population` : text,
    init: () => [0, 0, 0],
    add(moments, event) {
      const value = readNumber(of, event, text)
      if (value === undefined) return moments
      const distance = value - moments[1]
      moments[0]++
      moments[1] += distance / moments[0]
      moments[2] += distance * (value - moments[1])
      return moments
    },
    merge: mergeMoments,
    result([n, , squares]) {
      const divisor = population ? n : n - 1
      return divisor <= 0 ? null : finite(result(Math.max(0, squares) / divisor))
    },
    save: (moments) => moments.map(saveNumber),
    load: (saved) => (saved as unknown[]).map(Number) as Moments,
  }
  return aggregator as Aggregator<unknown, number | null>
}

function mergeMoments(into: Moments, [count, mean, squares]: Moments): Moments {
  if (count === 0) return into
  const n = into[0] + count
  const distance = mean - into[1]
  into[1] += (distance * count) / n
  into[2] += squares + (distance * distance * into[0] * count) / n
  into[0] = n
  return into
}
