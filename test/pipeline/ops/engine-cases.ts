// Operators with an engine, on events made from whatever flows.
import { map, pipe, type OperatorFunction } from 'rxjs'
import { aggregators } from '../../../src/cep/aggregate/aggregators.ts'
import type { AggregateOptions } from '../../../src/cep/aggregate/compile-aggregate.ts'
import type { CorrelateOptions } from '../../../src/cep/correlate/compile-correlate.ts'
import type { IntervalJoinOptions } from '../../../src/cep/correlate/compile-interval-join.ts'
import type { Match, Timeout } from '../../../src/cep/engine/match.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import type { DurableOps } from '../../../src/pipeline/ops/durable-ops.ts'
import { storedEvent } from '../../cep/stored-event.ts'

const { avg, count, distinct, quantile, topK } = aggregators

/** An event whose type says whether the number is even, and which is a plain as JSON. */
export function eventOf(number: number): StoredEvent {
  const type = number % 2 === 0 ? 'even' : 'odd'
  return JSON.parse(JSON.stringify(storedEvent({ type, id: `n${number}`, data: number }))) as StoredEvent
}

const data = ({ data: number }: StoredEvent): unknown => number
const large = ({ data: number }: StoredEvent): boolean => (number as number) > 10

export function pattern(d: number): Pattern {
  return {
    stages: [
      { kind: 'take', name: 'one', events: ['even'] },
      { kind: 'take', name: 'two', events: ['odd'], where: large },
      { kind: 'not', contiguity: 'relaxed', events: ['even'], where: large },
    ],
    within: d,
  }
}

export function correlation(d: number): CorrelateOptions {
  return {
    sides: { one: { events: ['even'] }, two: { events: ['odd'], where: large, max: 2 } },
    within: d,
    outcomes: ['complete', 'partial', 'missing'],
    completes: 'end',
  }
}

export function intervals(d: number, n: number): IntervalJoinOptions {
  return { left: { events: ['even'] }, right: { events: ['odd'] }, lower: -n, upper: d, outer: 'both' }
}

export function windows(d: number, n: number): AggregateOptions {
  return {
    events: [],
    window: n === 1 ? { session: d } : { sliding: d, step: Math.ceil(d / n) },
    values: { n: count(), mean: avg(data), kinds: distinct(data), top: topK(data, 1), p: quantile(data, 0.9) },
    early: { events: n + 1 },
  }
}

/** A short account of a match, in plain data. */
function summary({ kind, time, events, ...rest }: Match | Timeout): unknown[] {
  return [kind, time, events.map((event) => [event.data, event.time]), ('values' in rest && rest.values) || 0]
}

type Operator = OperatorFunction<unknown, unknown>
const over = (
  operator: OperatorFunction<StoredEvent, Match | Timeout>,
  numberOf: (value: unknown) => number,
): Operator =>
  pipe(
    map((value: unknown) => eventOf(numberOf(value))),
    operator,
    map(summary),
  )

/** As links of random chains. */
export function engineOperators(
  numberOf: (value: unknown) => number,
): Readonly<Record<string, { readonly ours: (ops: DurableOps, d: number, n: number) => Operator }>> {
  const by = ({ data: number }: StoredEvent): string => String(Math.abs(number as number) % 3)
  return {
    matchPattern: { ours: (ops, d) => over(ops.matchPattern(pattern(d)), numberOf) },
    matchTimeouts: { ours: (ops, d) => over(ops.matchPattern(pattern(d), { timeouts: true, by }), numberOf) },
    correlate: { ours: (ops, d) => over(ops.correlate(correlation(d), { by }), numberOf) },
    intervalJoin: { ours: (ops, d, n) => over(ops.intervalJoin(intervals(d, n)), numberOf) },
    aggregate: { ours: (ops, d, n) => over(ops.aggregate(windows(d, n), { by }), numberOf) },
  }
}
