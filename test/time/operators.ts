// Uses of operators that ask for time, each in two forms: with a scheduler given (explicit), and without (ambient).
import {
  asapScheduler,
  asyncScheduler,
  audit,
  auditTime,
  buffer,
  bufferTime,
  bufferToggle,
  bufferWhen,
  catchError,
  combineLatest,
  concatMap,
  debounce,
  debounceTime,
  defer,
  delay,
  delayWhen,
  exhaustMap,
  expand,
  EMPTY,
  generate,
  groupBy,
  interval,
  map,
  merge,
  mergeMap,
  observeOn,
  of,
  repeat,
  ReplaySubject,
  retry,
  sample,
  sampleTime,
  scan,
  scheduled,
  shareReplay,
  skipUntil,
  subscribeOn,
  switchMap,
  take,
  takeUntil,
  throttle,
  throttleTime,
  throwError,
  timeInterval,
  timeout,
  timer,
  timestamp,
  toArray,
  windowTime,
  windowToggle,
  windowWhen,
  withLatestFrom,
  type Observable,
  type SchedulerLike,
} from 'rxjs'

/** @param s the scheduler to name everywhere; undefined: name none */
export type Use = (source: Observable<number>, s: SchedulerLike | undefined) => Observable<unknown>

const named = (s: SchedulerLike | undefined): { scheduler?: SchedulerLike } => (s === undefined ? {} : { scheduler: s })
const lists = mergeMap((window: Observable<unknown>) => window.pipe(toArray()))

/** What an object of a time becomes, so that the next operator of a chain has a number. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + toNumber(each), value.length * 7) % 9_973
  return Object.values(value as Record<string, number>).reduce((sum, each) => sum + each, 3) % 9_973
}

export const USES: Readonly<Record<string, Use>> = {
  auditTime: (e, s) => e.pipe(auditTime(7, s)),
  debounceTime: (e, s) => e.pipe(debounceTime(6, s)),
  delay: (e, s) => e.pipe(delay(9, s)),
  'delay until a date': (e, s) => e.pipe(delay(new Date(31), s)),
  sampleTime: (e, s) => e.pipe(sampleTime(8, s)),
  throttleTime: (e, s) => e.pipe(throttleTime(9, s)),
  'throttleTime, trailing': (e, s) => e.pipe(throttleTime(9, s, { leading: false, trailing: true })),
  'throttleTime, both': (e, s) => e.pipe(throttleTime(9, s, { leading: true, trailing: true })),
  bufferTime: (e, s) => e.pipe(bufferTime(10, s)),
  'bufferTime, sliding': (e, s) => e.pipe(bufferTime(10, 4, s)),
  'bufferTime, bounded': (e, s) => e.pipe(bufferTime(10, null, 3, s)),
  windowTime: (e, s) => e.pipe(windowTime(10, s), lists),
  'windowTime, sliding': (e, s) => e.pipe(windowTime(10, 4, s), lists),
  timeInterval: (e, s) => e.pipe(timeInterval(s)),
  timestamp: (e, s) => e.pipe(timestamp(s)),
  'timeout, each': (e, s) => e.pipe(timeout({ each: 12, with: () => of(-1), ...named(s) })),
  'timeout, first': (e, s) => e.pipe(timeout({ first: 5, with: () => of(-1), ...named(s) })),
  'timeout, error': (e, s) => e.pipe(timeout({ each: 9, ...named(s) })).pipe(catchError(() => of(-2))),
  interval: (e, s) => merge(e, interval(11, s).pipe(map((n) => 1_000 + n))),
  timer: (e, s) => merge(e, timer(5, 13, s).pipe(map((n) => 2_000 + n))),
  'timer at a date': (e, s) => merge(e, timer(new Date(23), s)),
  mergeMap: (e, s) => e.pipe(mergeMap((n) => timer(5, s).pipe(map(() => n)))),
  switchMap: (e, s) => e.pipe(switchMap((n) => timer(6, s).pipe(map(() => n)))),
  concatMap: (e, s) => e.pipe(concatMap((n) => timer(3, s).pipe(map(() => n)))),
  exhaustMap: (e, s) =>
    e.pipe(
      exhaustMap((n) =>
        interval(4, s).pipe(
          take(2),
          map((i) => n + i),
        ),
      ),
    ),
  debounce: (e, s) => e.pipe(debounce((n) => timer(n % 9, s))),
  audit: (e, s) => e.pipe(audit(() => timer(5, s))),
  throttle: (e, s) => e.pipe(throttle(() => timer(5, s))),
  delayWhen: (e, s) => e.pipe(delayWhen((n) => timer(n % 17, s))),
  'groupBy with a duration': (e, s) =>
    e.pipe(
      groupBy((n) => n % 3, { duration: () => timer(20, s) }),
      mergeMap((group) => group.pipe(toArray())),
    ),
  bufferToggle: (e, s) => e.pipe(bufferToggle(interval(20, s), () => timer(8, s))),
  windowToggle: (e, s) =>
    e.pipe(
      windowToggle(interval(20, s), () => timer(8, s)),
      lists,
    ),
  bufferWhen: (e, s) => e.pipe(bufferWhen(() => timer(9, s))),
  windowWhen: (e, s) =>
    e.pipe(
      windowWhen(() => timer(9, s)),
      lists,
    ),
  sample: (e, s) => e.pipe(sample(interval(7, s))),
  buffer: (e, s) => e.pipe(buffer(interval(9, s))),
  expand: (e, s) => e.pipe(expand((n, depth) => (depth < 3 ? timer(4, s).pipe(map(() => n + 100)) : EMPTY))),
  takeUntil: (e, s) => e.pipe(takeUntil(timer(40, s))),
  skipUntil: (e, s) => e.pipe(skipUntil(timer(15, s))),
  withLatestFrom: (e, s) => e.pipe(withLatestFrom(interval(6, s))),
  combineLatest: (e, s) => combineLatest([e, interval(17, s)]),
  'repeat with a delay': (e, s) => merge(e, repeated(s)),
  'retry with a delay': (e, s) => merge(e, retried(s)),
  'shareReplay of a time': (e, s) => replayed(e.pipe(shareReplay({ windowTime: 12, refCount: true, ...named(s) })), s),
  'observeOn async': (e, s) => e.pipe(observeOn(s ?? asyncScheduler, 3)),
  'observeOn asap': (e, s) =>
    e.pipe(
      observeOn(s ?? asapScheduler),
      scan((sum, n) => sum + n, 0),
    ),
  'subscribeOn asap': (e, s) => e.pipe(subscribeOn(s ?? asapScheduler)),
  'subscribeOn later': (e, s) => e.pipe(subscribeOn(s ?? asyncScheduler, 10)),
  generate: (e, s) =>
    e.pipe(
      mergeMap((n) =>
        generate({
          initialState: n,
          condition: (i) => i < n + 3,
          iterate: (i) => i + 1,
          scheduler: s ?? asapScheduler,
        }),
      ),
    ),
  scheduled: (e, s) => e.pipe(mergeMap((n) => scheduled([n, n + 1], s ?? asyncScheduler))),
  ReplaySubject: (e, s) => replayedBySubject(e, s),
}

function repeated(s: SchedulerLike | undefined): Observable<number> {
  return of(-3).pipe(repeat({ count: 4, delay: s === undefined ? 10 : () => timer(10, s) }))
}

function retried(s: SchedulerLike | undefined): Observable<number> {
  let attempts = 0
  const failing = defer(() => (++attempts < 4 ? throwError(() => new Error('again')) : of(-4)))
  return failing.pipe(retry({ count: 5, delay: s === undefined ? 7 : () => timer(7, s) }))
}

/** Somebody subscribes later, and gets what is young enough. */
function replayed(shared: Observable<number>, s: SchedulerLike | undefined): Observable<number> {
  return merge(shared, timer(30, s).pipe(mergeMap(() => shared)))
}

function replayedBySubject(source: Observable<number>, s: SchedulerLike | undefined): Observable<number> {
  const subject = new ReplaySubject<number>(Infinity, 12, s)
  source.subscribe(subject)
  return timer(9, 14, s).pipe(
    take(4),
    concatMap(() => subject.pipe(takeUntil(timer(0, s)))),
  )
}
