// Random chains of standard RxJS operators.
import * as fc from 'fast-check'
import * as rx from 'rxjs'

// oxlint-disable-next-line typescript/no-explicit-any -- what flows through a random chain
type Operator = rx.OperatorFunction<any, any>
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any

export interface Link {
  readonly name: string
  /** A duration in ms. */
  readonly d: number
  /** A count. */
  readonly n: number
}

/** Makes a number of whatever flows. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.reduce<number>((total, each) => total + numberOf(each), value.length)
  return typeof value === 'object' && value !== null ? numberOf(Object.values(value)) : 0
}

const full = rx.filter((batch: unknown[]) => batch.length > 0)
const listed = rx.mergeMap((window: rx.Observable<unknown>) => window.pipe(rx.toArray()))
const later = (d: number) => (value: unknown) => rx.timer(d).pipe(rx.map(() => value))

export const OPERATORS: Readonly<Record<string, (d: number, n: number) => Operator>> = {
  map: (_, n) => rx.map((value) => numberOf(value) + n),
  mapIndex: () => rx.map((value, index) => numberOf(value) + index),
  filter: (_, n) => rx.filter((value) => numberOf(value) % (n + 1) !== 0),
  scan: () => rx.scan((sum: number, value: Any) => (sum * 31 + numberOf(value)) % 10_007, 7),
  pairwise: () => rx.pairwise(),
  distinctUntilChanged: (_, n) => rx.distinctUntilChanged((a, b) => numberOf(a) % n === numberOf(b) % n),
  distinct: (d) => rx.distinct((value) => numberOf(value) % d),
  bufferCount: (_, n) => rx.bufferCount(n),
  bufferCountSliding: (_, n) => rx.bufferCount(n + 1, n),
  bufferTime: (d) => (source) => source.pipe(rx.bufferTime(d), full),
  bufferTimeEmpty: (d) => rx.bufferTime(d + 20),
  bufferTimeSliding: (d, n) => (source) => source.pipe(rx.bufferTime(d, Math.ceil(d / n)), full),
  bufferTimeMax: (d, n) => (source) => source.pipe(rx.bufferTime(d, null, n), full),
  bufferDebounced: (d) => (source) => {
    const shared = source.pipe(rx.share())
    return shared.pipe(rx.buffer(shared.pipe(rx.debounceTime(d))))
  },
  windowTime: (d) => (source) => source.pipe(rx.windowTime(d), listed, full),
  windowCount: (_, n) => (source) => source.pipe(rx.windowCount(n), listed),
  debounceTime: (d) => rx.debounceTime(d),
  auditTime: (d) => rx.auditTime(d),
  throttleTime: (d) => rx.throttleTime(d),
  throttleTrailing: (d) => rx.throttleTime(d, undefined, { leading: true, trailing: true }),
  sampleTime: (d) => rx.sampleTime(d),
  delay: (d) => rx.delay(d),
  delayWhen: (d, n) => rx.delayWhen((value) => rx.timer((numberOf(value) % n) * d)),
  timeoutRetry: (d) => (source) =>
    source.pipe(rx.timeout({ each: d, with: () => rx.throwError(() => new Error('silence')) }), rx.retry()),
  timeInterval: () => (source) =>
    source.pipe(
      rx.timeInterval(),
      rx.map(({ value, interval }) => [value, interval]),
    ),
  timestamp: () => (source) =>
    source.pipe(
      rx.timestamp(),
      rx.map(({ value, timestamp }) => [value, timestamp]),
    ),
  take: (_, n) => rx.take(n * 2),
  takeWhile: (_, n) => rx.takeWhile((value) => numberOf(value) % (n * 5) !== 1, true),
  skip: (_, n) => rx.skip(n),
  startWith: (_, n) => rx.startWith(n),
  endWith: (_, n) => rx.endWith(n),
  toArray: () => rx.toArray(),
  reduce: () => rx.reduce((sum: number, value: Any) => sum + numberOf(value), 0),
  groupByDuration: (d, n) => (source) =>
    source.pipe(
      rx.groupBy((value: Any) => numberOf(value) % n, { duration: () => rx.timer(d) }),
      rx.mergeMap((group) =>
        group.pipe(
          rx.toArray(),
          rx.map((values) => [group.key, values]),
        ),
      ),
    ),
  groupByIdle: (d, n) => (source) =>
    source.pipe(
      rx.groupBy((value: Any) => numberOf(value) % n, { duration: (group) => group.pipe(rx.debounceTime(d)) }),
      rx.mergeMap((group) => group.pipe(rx.scan((sum: number, value: Any) => sum + numberOf(value), 0))),
    ),
  switchMap: (d) => rx.switchMap(later(d)),
  mergeMap: (d, n) => rx.mergeMap((value: Any) => later(numberOf(value) % d)(value), n),
  concatMap: (d) => rx.concatMap((value: Any) => rx.of(value).pipe(rx.delay(Math.ceil(d / 4)))),
  exhaustMap: (d) => rx.exhaustMap(later(d)),
  expand: (d) =>
    rx.expand((value: Any) => {
      const number = numberOf(value)
      return number > 0 && number < 40 ? rx.of(number + 40).pipe(rx.delay(d)) : rx.EMPTY
    }),
  asap: () => rx.observeOn(rx.asapScheduler),
  asyncZero: () => rx.observeOn(rx.asyncScheduler),
  queue: () => rx.observeOn(rx.queueScheduler),
  share: () => (source) => {
    const shared = source.pipe(rx.share())
    return rx.merge(shared, shared.pipe(rx.bufferCount(2)))
  },
  shareReplay: (d, n) => (source) => {
    const shared = source.pipe(rx.shareReplay({ bufferSize: n, windowTime: d, refCount: true }))
    return rx.merge(shared, shared.pipe(rx.delay(d)))
  },
  zipWithInterval: (d) => (source) => rx.zip(source, rx.interval(d).pipe(rx.take(20))),
  withLatestFrom: (d) => (source) => source.pipe(rx.withLatestFrom(rx.timer(0, d).pipe(rx.take(30)))),
  repeatWhen: (d, n) => (source) => source.pipe(rx.take(n), rx.repeat({ count: 5, delay: () => rx.timer(d) })),
}

export const operatorNames = Object.keys(OPERATORS)

export const link: fc.Arbitrary<Link> = fc.record({
  name: fc.constantFrom(...operatorNames),
  d: fc.integer({ min: 1, max: 60 }),
  n: fc.integer({ min: 1, max: 4 }),
})

export const chain = fc.array(link, { minLength: 1, maxLength: 4, size: 'max' })

export function pipeAll(source: rx.Observable<Any>, links: readonly Link[]): rx.Observable<Any> {
  let result = source
  for (const { name, d, n } of links)
    result = result.pipe((OPERATORS[name] as (d: number, n: number) => Operator)(d, n))
  return result
}
