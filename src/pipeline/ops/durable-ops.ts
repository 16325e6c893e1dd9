import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs'
import type { Named } from '../../cep/aggregate/aggregator.js'
import type { Executable } from '../../cep/engine/executor.js'
import type { Match, Timeout } from '../../cep/engine/match.js'
import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import { collect, type Aggregate } from './aggregates.js'
import { bufferCount, bufferTime, bufferTimeAligned } from './buffers.js'
import { distinct, type DistinctKey } from './distinct.js'
import type { OperatorHost } from './durable.js'
import { engineOperator } from './engines.js'
import {
  aggregationOf,
  correlationOf,
  detectionOf,
  intervalJoinOf,
  patternOf,
  type AggregateInput,
  type CorrelateInput,
  type DetectInput,
  type EngineOptions,
  type IntervalJoinInput,
  type PatternInput,
} from './engine-options.js'
import { join, type Joined, type LeftJoined } from './join.js'
import { joinShape, type JoinOptions } from './join-options.js'
import { distinctUntilChanged, NO_SEED, pairwise, scan, skip, take } from './memory.js'
import { positive, whole, type BufferTimeOptions, type Duration, type RateLimitOptions } from './operator-options.js'
import { auditTime, debounceTime, delay, rateLimit, sampleTime, sampleTimeAligned, throttleTime } from './rates.js'
import { session, sliding, tumbling, type Window } from './windows.js'

/**
 * Operators whose state is plain data: in mode `checkpoint` it is stored with each commit, so that a restart reads it
 * instead of the log; in mode `slots` they are operators like others. Where RxJS 7.8 has an operator of the name, they
 * do the same as it does. Times are event time.
 *
 * What they hold must be plain JSON data (KEYED_STATE_NOT_STORABLE), and must not be changed after it was handed on.
 */
export class DurableOps {
  readonly #host: OperatorHost

  constructor(host: OperatorHost) {
    this.#host = host
  }

  /** As `scan` of RxJS. */
  scan<T, A>(accumulator: (accumulated: A, value: T, index: number) => A, seed: A): OperatorFunction<T, A>
  scan<T>(accumulator: (accumulated: T, value: T, index: number) => T): MonoTypeOperatorFunction<T>
  scan<T, A>(accumulator: (accumulated: A, value: T, index: number) => A, ...seed: [A] | []): OperatorFunction<T, A> {
    return scan(this.#host, accumulator, seed.length === 0 ? NO_SEED : seed[0])
  }

  /** As `pairwise` of RxJS. */
  pairwise<T>(): OperatorFunction<T, [T, T]> {
    return pairwise(this.#host)
  }

  /** As `distinctUntilChanged` of RxJS. Compare by content: after a restart an object is not the same object. */
  distinctUntilChanged<T>(same?: (previous: T, current: T) => boolean): MonoTypeOperatorFunction<T>
  distinctUntilChanged<T, K>(
    same: ((previous: K, current: K) => boolean) | undefined,
    keyOf: (value: T) => K,
  ): MonoTypeOperatorFunction<T>
  distinctUntilChanged<T>(
    same: (previous: unknown, current: unknown) => boolean = (previous, current) => previous === current,
    keyOf: (value: T) => unknown = (value) => value,
  ): MonoTypeOperatorFunction<T> {
    return distinctUntilChanged(this.#host, same, keyOf)
  }

  /** As `take` of RxJS. */
  take<T>(count: number): MonoTypeOperatorFunction<T> {
    return take(this.#host, count)
  }

  /** As `skip` of RxJS. */
  skip<T>(count: number): MonoTypeOperatorFunction<T> {
    return skip(this.#host, count)
  }

  /** As `bufferCount` of RxJS. */
  bufferCount<T>(size: number, every: number = size): OperatorFunction<T, T[]> {
    return bufferCount(this.#host, whole('bufferCount', size), whole('bufferCount', every))
  }

  /** As `bufferTime` of RxJS, whose buffers begin with the subscription; with `align` at multiples of the span. */
  bufferTime<T>(
    span: Duration,
    { every, max = Infinity, align = false }: BufferTimeOptions = {},
  ): OperatorFunction<T, T[]> {
    const ms = positive('bufferTime', span)
    if (!align)
      return bufferTime(this.#host, {
        span: ms,
        every: every === undefined ? undefined : positive('every', every),
        max,
      })
    if (every !== undefined) throw fault('PIPELINE_INVALID', 'bufferTime: with align there is no every; see sliding')
    return bufferTimeAligned(this.#host, ms, max)
  }

  /** As `debounceTime` of RxJS. */
  debounceTime<T>(quiet: Duration): MonoTypeOperatorFunction<T> {
    return debounceTime(this.#host, parseDuration(quiet))
  }

  /** As `throttleTime` of RxJS. */
  throttleTime<T>(
    pause: Duration,
    { leading = true, trailing = false }: { readonly leading?: boolean; readonly trailing?: boolean } = {},
  ): MonoTypeOperatorFunction<T> {
    return throttleTime(this.#host, parseDuration(pause), leading, trailing)
  }

  /** As `auditTime` of RxJS. */
  auditTime<T>(pause: Duration): MonoTypeOperatorFunction<T> {
    return auditTime(this.#host, parseDuration(pause))
  }

  /** As `sampleTime` of RxJS; with `align` at multiples of the period, and without a timer while there is no value. */
  sampleTime<T>(period: Duration, { align = false }: { readonly align?: boolean } = {}): MonoTypeOperatorFunction<T> {
    const ms = positive('sampleTime', period)
    return align ? sampleTimeAligned(this.#host, ms) : sampleTime(this.#host, ms)
  }

  /** As `delay` of RxJS. */
  delay<T>(by: Duration): MonoTypeOperatorFunction<T> {
    return delay(this.#host, parseDuration(by))
  }

  /** Lets `count` values pass in each `per`, as a token bucket. */
  rateLimit<T>({ count, per, burst = count, over = 'drop' }: RateLimitOptions): MonoTypeOperatorFunction<T> {
    if (!(count > 0) || !(burst >= 1)) throw fault('PIPELINE_INVALID', `rateLimit: count ${count}, burst ${burst}`)
    return rateLimit(this.#host, { count, per: positive('per', per), burst, over })
  }

  /**
   * Lets pass what was not seen before: as `distinct` of RxJS, but that what has not passed for `ttl` is forgotten.
   * @param options.by default the value itself. @param options.ttl default for ever: the state grows with each value
   */
  distinct<T>(
    options: { readonly by?: (value: T) => DistinctKey; readonly ttl?: Duration } = {},
  ): MonoTypeOperatorFunction<T> {
    const { by = (value: T) => value as DistinctKey, ttl } = options
    const remembered = { ttl: ttl === undefined ? Infinity : positive('ttl', ttl), refresh: false }
    return distinct(this.#host, 'distinct', by, remembered)
  }

  /** Drops repetitions: what was seen less than `ttl` ago, also when it was dropped then. */
  dedupe<T>(by: (value: T) => DistinctKey, ttl: Duration): MonoTypeOperatorFunction<T> {
    return distinct(this.#host, 'dedupe', by, { ttl: positive('ttl', ttl), refresh: true })
  }

  /** Windows of `size`, one after the other, from multiples of it since 1970. A window without values is none. */
  tumbling<T>(size: Duration): OperatorFunction<T, Window<T[]>>
  tumbling<T, A, R>(size: Duration, aggregate: Aggregate<T, A, R>): OperatorFunction<T, Window<R>>
  tumbling<T>(size: Duration, aggregate?: Aggregate<T, unknown, unknown>): OperatorFunction<T, Window<unknown>> {
    return tumbling(this.#host, positive('size', size), aggregate ?? valuesOf<T>())
  }

  /** Windows of `size`, one each `step`. A window without values is none. @param size a multiple of `step` */
  sliding<T>(size: Duration, step: Duration): OperatorFunction<T, Window<T[]>>
  sliding<T, A, R>(size: Duration, step: Duration, aggregate: Aggregate<T, A, R>): OperatorFunction<T, Window<R>>
  sliding<T>(
    size: Duration,
    step: Duration,
    aggregate?: Aggregate<T, unknown, unknown>,
  ): OperatorFunction<T, Window<unknown>> {
    const [long, short] = [positive('size', size), positive('step', step)]
    if (long % short !== 0) throw fault('PIPELINE_INVALID', `sliding: ${long} ms is no multiple of ${short} ms`)
    return sliding(this.#host, long, short, aggregate ?? valuesOf<T>())
  }

  /** A window of values that follow each other by less than `gap`; it ends when nothing has come for that long. */
  session<T>(gap: Duration): OperatorFunction<T, Window<T[]>>
  session<T, A, R>(gap: Duration, aggregate: Aggregate<T, A, R>): OperatorFunction<T, Window<R>>
  session<T>(gap: Duration, aggregate?: Aggregate<T, unknown, unknown>): OperatorFunction<T, Window<unknown>> {
    return session(this.#host, positive('gap', gap), aggregate ?? valuesOf<T>())
  }

  /** Every left value with every right one that is near enough in event time. */
  join<T, L extends T, R extends T>(options: JoinOptions<T, L, R>): OperatorFunction<T, Joined<L, R>> {
    return join(this.#host, { ...joinShape(options), kind: 'inner' }) as OperatorFunction<T, Joined<L, R>>
  }

  /** As `join`; a left value that has found none when its time is over is put out without `right`. */
  leftJoin<T, L extends T, R extends T>(options: JoinOptions<T, L, R>): OperatorFunction<T, LeftJoined<L, R>> {
    return join(this.#host, { ...joinShape(options), kind: 'left' })
  }

  /**
   * Finds a pattern in the events of a key. See docs/windows.md for what operators with an engine have in common.
   * @param pattern as data, or compiled: compile it once, outside of the pipeline, if it is not a constant there
   * @param options.timeouts puts out partial matches too that ran out of time
   * @throws PATTERN_INVALID
   */
  matchPattern<E extends StoredEvent>(pattern: PatternInput, options?: EngineOptions<E>): OperatorFunction<E, Match>
  matchPattern<E extends StoredEvent>(
    pattern: PatternInput,
    options: EngineOptions<E> & { readonly timeouts: true },
  ): OperatorFunction<E, Match | Timeout>
  matchPattern<E extends StoredEvent>(
    pattern: PatternInput,
    { by, timeouts = false }: EngineOptions<E> & { readonly timeouts?: boolean } = {},
  ): OperatorFunction<E, Match | Timeout> {
    const executable = patternOf(pattern)
    return engineOperator(this.#host, executable, { name: 'matchPattern', by, timeouts, flush: false })
  }

  /** Joins events of several sides within a window: complete, partial or missing. @throws PATTERN_INVALID */
  correlate<E extends StoredEvent>(options: CorrelateInput, { by }: EngineOptions<E> = {}): OperatorFunction<E, Match> {
    return this.#engine('correlate', correlationOf(options), by)
  }

  /** Every pair of events of two sides that are so far apart. @throws PATTERN_INVALID */
  intervalJoin<E extends StoredEvent>(
    options: IntervalJoinInput,
    { by }: EngineOptions<E> = {},
  ): OperatorFunction<E, Match> {
    return this.#engine('intervalJoin', intervalJoinOf(options), by)
  }

  /** Windows of events, and what they come to: early and final results. @throws PATTERN_INVALID */
  aggregate<E extends StoredEvent, const Values extends Named>(
    options: AggregateInput<Values>,
    { by }: EngineOptions<E> = {},
  ): OperatorFunction<E, Match> {
    return this.#engine('aggregate', aggregationOf(options as AggregateInput), by)
  }

  /** Alarms of an anomaly detector. @throws DETECTOR_INVALID */
  detect<E extends StoredEvent>(options: DetectInput, { by }: EngineOptions<E> = {}): OperatorFunction<E, Match> {
    return engineOperator(this.#host, detectionOf(options), {
      name: 'detect',
      by,
      timeouts: false,
      flush: false,
    }) as OperatorFunction<E, Match>
  }

  #engine<E extends StoredEvent>(name: string, executable: Executable, by: EngineOptions<E>['by']) {
    const use = { name, by, timeouts: false, flush: true }
    return engineOperator(this.#host, executable, use) as OperatorFunction<E, Match>
  }
}

function valuesOf<T>(): Aggregate<T, unknown, unknown> {
  return collect<T>() as Aggregate<T, unknown, unknown>
}
