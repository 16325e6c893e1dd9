// Random chains of durable operators, with their RxJS counterparts where there are some.
import * as fc from 'fast-check'
import * as rx from 'rxjs'
import { all, average, count, max, sum } from '../../../src/pipeline/ops/aggregates.ts'
import type { DurableOps } from '../../../src/pipeline/ops/durable-ops.ts'
import { engineOperators } from './engine-cases.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- what flows through a random chain
type Operator = rx.OperatorFunction<any, any>

export interface Link {
  readonly name: string
  /** A duration in ms. */
  readonly d: number
  /** A count. */
  readonly n: number
}

interface Pair {
  readonly ours: (ops: DurableOps, d: number, n: number) => Operator
  /** The operators of RxJS that do the same; undefined: there is none. */
  readonly theirs?: (d: number, n: number) => Operator
}

/** Makes a number of whatever flows. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.reduce<number>((total, each) => total + numberOf(each), value.length)
  return typeof value === 'object' && value !== null ? numberOf(Object.values(value)) : 0
}

const isEven = (value: unknown): value is 'even' => Math.abs(numberOf(value)) % 2 === 0
const isOdd = (value: unknown): value is 'odd' => Math.abs(numberOf(value)) % 2 === 1
const fold = (accumulated: unknown, value: unknown, index: number): unknown =>
  (numberOf(accumulated) * 31 + numberOf(value) + index) % 10_007
const same =
  (n: number) =>
  (one: unknown, other: unknown): boolean =>
    numberOf(one) % n === numberOf(other) % n
const both = { leading: true, trailing: true }
const last = { leading: false, trailing: true }

/** Stateless operators of RxJS are the same on both sides. */
const STATELESS: Readonly<Record<string, (d: number, n: number) => Operator>> = {
  map: (_, n) => rx.map((value) => numberOf(value) + n),
  filter: (_, n) => rx.filter((value) => numberOf(value) % (n + 1) !== 0),
  mergeMap: (_, n) => rx.mergeMap((value) => rx.of(...Array.from({ length: n }, (_each, at) => numberOf(value) + at))),
  startWith: (_, n) => rx.startWith(n),
  share: () => (source) => {
    const shared = source.pipe(rx.share())
    return rx.merge(shared, shared.pipe(rx.map((value) => -numberOf(value))))
  },
}

const PAIRS: Readonly<Record<string, Pair>> = {
  scan: { ours: (ops) => ops.scan(fold, 7), theirs: () => rx.scan(fold, 7) },
  scanUnseeded: {
    ours: (ops) => ops.scan(fold),
    theirs: () => rx.scan(fold),
  },
  pairwise: { ours: (ops) => ops.pairwise(), theirs: () => rx.pairwise() },
  distinctUntilChanged: {
    ours: (ops, _, n) => ops.distinctUntilChanged(same(n)),
    theirs: (_, n) => rx.distinctUntilChanged(same(n)),
  },
  distinctUntilKeyChanged: {
    ours: (ops, _, n) => ops.distinctUntilChanged(undefined, (value) => numberOf(value) % n),
    theirs: (_, n) =>
      rx.distinctUntilChanged(
        (one, other) => one === other,
        (value) => numberOf(value) % n,
      ),
  },
  distinct: {
    ours: (ops, d) => ops.distinct({ by: (value) => numberOf(value) % d }),
    theirs: (d) => rx.distinct((value) => numberOf(value) % d),
  },
  take: { ours: (ops, d, n) => ops.take(n * d), theirs: (d, n) => rx.take(n * d) },
  skip: { ours: (ops, _, n) => ops.skip(n), theirs: (_, n) => rx.skip(n) },
  bufferCount: { ours: (ops, _, n) => ops.bufferCount(n), theirs: (_, n) => rx.bufferCount(n) },
  bufferCountEvery: {
    ours: (ops, d, n) => ops.bufferCount(n, (d % 3) + 1),
    theirs: (d, n) => rx.bufferCount(n, (d % 3) + 1),
  },
  bufferTime: { ours: (ops, d) => ops.bufferTime(d), theirs: (d) => rx.bufferTime(d) },
  bufferTimeMax: {
    ours: (ops, d, n) => ops.bufferTime(d, { max: n }),
    theirs: (d, n) => rx.bufferTime(d, null, n),
  },
  bufferTimeEvery: {
    ours: (ops, d, n) => ops.bufferTime(d, { every: Math.ceil(d / n) }),
    theirs: (d, n) => rx.bufferTime(d, Math.ceil(d / n)),
  },
  bufferTimeGaps: {
    ours: (ops, d, n) => ops.bufferTime(d, { every: d + n, max: n }),
    theirs: (d, n) => rx.bufferTime(d, d + n, n),
  },
  debounceTime: { ours: (ops, d) => ops.debounceTime(d), theirs: (d) => rx.debounceTime(d) },
  throttleTime: { ours: (ops, d) => ops.throttleTime(d), theirs: (d) => rx.throttleTime(d) },
  throttleBoth: {
    ours: (ops, d) => ops.throttleTime(d, both),
    theirs: (d) => rx.throttleTime(d, undefined, both),
  },
  throttleLast: {
    ours: (ops, d) => ops.throttleTime(d, last),
    theirs: (d) => rx.throttleTime(d, undefined, last),
  },
  auditTime: { ours: (ops, d) => ops.auditTime(d), theirs: (d) => rx.auditTime(d) },
  sampleTime: { ours: (ops, d) => ops.sampleTime(d), theirs: (d) => rx.sampleTime(d) },
  delay: { ours: (ops, d) => ops.delay(d), theirs: (d) => rx.delay(d) },
  delayZero: { ours: (ops) => ops.delay(0), theirs: () => rx.delay(0) },
  bufferTimeAligned: { ours: (ops, d, n) => ops.bufferTime(d, { align: true, max: n * 2 }) },
  sampleTimeAligned: { ours: (ops, d) => ops.sampleTime(d, { align: true }) },
  rateLimit: { ours: (ops, d, n) => ops.rateLimit({ count: n, per: d }) },
  rateDelay: { ours: (ops, d, n) => ops.rateLimit({ count: n, per: d, burst: 1, over: 'delay' }) },
  distinctTtl: { ours: (ops, d) => ops.distinct({ by: (value) => numberOf(value) % 7, ttl: d }) },
  dedupe: { ours: (ops, d) => ops.dedupe((value) => numberOf(value) % 5, d) },
  tumbling: { ours: (ops, d) => ops.tumbling(d) },
  tumblingAll: {
    ours: (ops, d) => ops.tumbling(d, all({ n: count(), s: sum(numberOf), m: max(numberOf), a: average(numberOf) })),
  },
  sliding: { ours: (ops, d, n) => ops.sliding(d * n, d) },
  slidingSum: { ours: (ops, d, n) => ops.sliding(d * n, d, sum(numberOf)) },
  session: { ours: (ops, d) => ops.session(d) },
  join: { ours: (ops, d) => ops.join({ left: isEven, right: isOdd, within: d }) },
  leftJoin: {
    ours: (ops, d, n) =>
      ops.leftJoin({ left: isEven, right: isOdd, before: n, after: d, by: (value) => String(numberOf(value) % 3) }),
  },
}

const ALL: Readonly<Record<string, Pair>> = { ...PAIRS, ...engineOperators(numberOf) }

/** Names of operators that RxJS has too. */
export const SHARED: readonly string[] = Object.keys(PAIRS).filter((name) => PAIRS[name]?.theirs !== undefined)
/** Names of all durable operators. */
export const DURABLE: readonly string[] = Object.keys(ALL)

export function chainOf(names: readonly string[]): fc.Arbitrary<Link[]> {
  const name = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(STATELESS)) },
  )
  const link = fc.record({ name, d: fc.integer({ min: 1, max: 60 }), n: fc.integer({ min: 1, max: 4 }) })
  return fc.array(link, { minLength: 1, maxLength: 4, size: 'max' })
}

export function withOps(chain: readonly Link[], ops: DurableOps): Operator {
  return piped(chain.map(({ name, d, n }) => STATELESS[name]?.(d, n) ?? (ALL[name] as Pair).ours(ops, d, n)))
}

export function withRxjs(chain: readonly Link[]): Operator {
  return piped(chain.map(({ name, d, n }) => STATELESS[name]?.(d, n) ?? (PAIRS[name]?.theirs?.(d, n) as Operator)))
}

function piped(operators: readonly Operator[]): Operator {
  return (source) => operators.reduce((result, operator) => result.pipe(operator), source)
}
