import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs'
import { fault } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import { collect, type Aggregate } from './aggregates.js'
import { bufferCount, bufferTime, bufferTimeAligned } from './buffers.js'
import { distinct, type DistinctKey } from './distinct.js'
import type { OperatorHost } from './durable.js'
import { join, type Joined, type LeftJoined } from './join.js'
import { distinctUntilChanged, NO_SEED, pairwise, scan, skip, take } from './memory.js'
import { auditTime, debounceTime, delay, rateLimit, sampleTime, sampleTimeAligned, throttleTime } from './rates.js'
import { session, sliding, tumbling, type Window } from './windows.js'

/** Milliseconds, or a text such as `10s`. */
type Duration = number | string

export interface BufferTimeOptions {
  /** A buffer begins each time this has passed, and they overlap or leave gaps. Default: when the one before ends. */
  readonly every?: Duration
  /** A buffer with so many values ends. Default: no limit. */
  readonly max?: number
  /**
   * The buffer begins with its first value and ends at a multiple of the span since 1970. Nothing is put out, and no
   * timer waits, while there is nothing: ten days without events cost one firing.
   */
  readonly align?: boolean
}

export interface RateLimitOptions {
  /** So many values… */
  readonly count: number
  /** …in this time. */
  readonly per: Duration
  /** Values that may pass at once after a pause. Default `count`. */
  readonly burst?: number
  /** What becomes of the others: they are dropped (default), or wait for their turn. */
  readonly over?: 'drop' | 'delay'
}

export interface JoinOptions<T, L extends T, R extends T> {
  readonly left: (value: T) => value is L
  readonly right: (value: T) => value is R
  /** What they must have in common. Default: nothing beside the key of the pipeline. */
  readonly by?: (value: L | R) => string
  /** How far apart in event time they may be: less than this, whichever comes first. */
  readonly within?: Duration
  /** In place of `within`: how much earlier than the left one the right one may come. Default 0. */
  readonly before?: Duration
  /** In place of `within`: how much later. */
  readonly after?: Duration
}

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
}

function valuesOf<T>(): Aggregate<T, unknown, unknown> {
  return collect<T>() as Aggregate<T, unknown, unknown>
}

function joinShape<T, L extends T, R extends T>({ left, right, by, within, before, after }: JoinOptions<T, L, R>) {
  const earlier = before ?? within ?? 0
  const later = after ?? within
  if (later === undefined) throw fault('PIPELINE_INVALID', 'join: within or after is missing')
  return { left, right, by: by ?? (() => ''), before: parseDuration(earlier), after: positive('after', later) }
}

function positive(what: string, duration: Duration): number {
  const ms = parseDuration(duration)
  if (ms > 0) return ms
  throw fault('PIPELINE_INVALID', `${what} ${JSON.stringify(duration)} must be above 0`)
}

function whole(what: string, count: number): number {
  if (Number.isInteger(count) && count >= 1) return count
  throw fault('PIPELINE_INVALID', `${what}: ${count} must be a whole number from 1`)
}
