import type { Aggregator, Reader } from '../../../src/cep/aggregate/aggregator.ts'
import { storedEvent } from '../stored-event.ts'

/** Reads the value of an event made by `fold`. */
export const value: Reader = (event) => event.data

/**
 * The result of values, one at a time.
 * @param parts how many values each part has that is accumulated apart; the rest is one part
 * @param saved what is accumulated goes through JSON after each value
 */
export function fold<R>(
  aggregator: Aggregator<unknown, R>,
  values: readonly unknown[],
  { parts = [] as readonly number[], saved = false } = {},
): R {
  const accumulate = (some: readonly unknown[], from: number): unknown =>
    some.reduce<unknown>((known, data, at) => {
      const next = aggregator.add(known, storedEvent({ type: 'a', time: from + at, data }))
      return saved ? aggregator.load(JSON.parse(JSON.stringify(aggregator.save(next)))) : next
    }, aggregator.init())
  let from = 0
  let merged = aggregator.init()
  for (const length of [...parts, values.length]) {
    merged = aggregator.merge(merged, accumulate(values.slice(from, from + length), from))
    from += length
  }
  return aggregator.result(merged)
}
