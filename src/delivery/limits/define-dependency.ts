import { fault } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import type { HandlerDependency } from '../handler-options.js'
import type { BreakerRules } from './breaker.js'

export interface BreakerOptions {
  /** The share of runs that fail from which on it opens, above 0 and up to 1. Default 0.5. */
  readonly failures?: number
  /** Of so many runs, the last ones of a process. Default 20. */
  readonly of?: number
  /** Runs that ended longer ago do not count, in ms or like `30s`. Default 30 s. */
  readonly within?: string | number
  /** How long it is open for the first time, in ms or like `30s`; after each probe that fails twice as long. Default 30 s. */
  readonly open?: string | number
  /** The longest time that it is open at once. Default 5 min. */
  readonly most?: string | number
  /** Probes in a row that close it. Default 1. */
  readonly probes?: number
}

export interface DependencyRate {
  readonly limit: number
  /** In ms, or like `1s`. */
  readonly per: string | number
  /** How many at once after a pause. Default: as many as come in 200 ms, at least 1. */
  readonly burst?: number
}

export interface DependencyOptions {
  readonly breaker?: BreakerOptions
  /** Most runs at a time, in all processes together. */
  readonly concurrency?: number
  /** Most events in a time, in all processes together. */
  readonly rate?: DependencyRate
}

/** Times in ms. */
export interface RateRules {
  readonly limit: number
  readonly per: number
  readonly burst: number
}

/** A declared dependency. Times in ms. */
export interface DependencyDeclaration extends HandlerDependency {
  readonly breaker: BreakerRules | undefined
  readonly concurrency: number | undefined
  readonly rate: RateRules | undefined
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Declares something outside that handlers depend on, such as a bank or a mail server, with what it can take. All
 * handlers that name it in `uses` share its limits, in all processes.
 *
 * @example
 * export const bank = defineDependency('bank', {
 *   breaker: { failures: 0.5, of: 20, within: '30s', open: '30s', most: '5m' },
 *   concurrency: 20,
 *   rate: { limit: 100, per: '1s' },
 * })
 * @throws DEPENDENCY_INVALID, DURATION_INVALID
 */
export function defineDependency(name: string, options: DependencyOptions = {}): DependencyDeclaration {
  const invalid = (detail: string): never => {
    throw fault('DEPENDENCY_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  const { breaker, concurrency, rate } = options
  if (concurrency !== undefined && !isCount(concurrency))
    invalid(`concurrency ${concurrency} is no whole number from 1`)
  return Object.freeze<DependencyDeclaration>({
    kind: 'dependency',
    name,
    breaker: breaker === undefined ? undefined : readBreaker(breaker, invalid),
    concurrency,
    rate: rate === undefined ? undefined : readRate(rate, invalid),
  })
}

/** @param invalid throws */
export function readRate({ limit, per, burst }: DependencyRate, invalid: (detail: string) => never): RateRules {
  if (!isCount(limit)) invalid(`rate.limit ${limit} is no whole number from 1`)
  const time = parseDuration(per)
  if (time <= 0) invalid('rate.per must be above 0')
  const most = burst ?? defaultBurst(limit, time)
  if (!isCount(most)) invalid(`rate.burst ${burst} is no whole number from 1`)
  return Object.freeze({ limit, per: time, burst: most })
}

const BURST_MS = 200

/** As many as come in 200 ms: what a process leases at a time, so that a lease is never longer than that. */
export function defaultBurst(limit: number, per: number): number {
  return Math.max(1, Math.floor((limit / per) * BURST_MS))
}

function readBreaker(options: BreakerOptions, invalid: (detail: string) => never): BreakerRules {
  const { failures = 0.5, of = 20, probes = 1 } = options
  if (!(failures > 0 && failures <= 1)) invalid(`breaker.failures ${failures} must be above 0 and at most 1`)
  if (!isCount(of) || of > 10_000) invalid(`breaker.of ${of} must be a whole number from 1 to 10000`)
  if (!isCount(probes)) invalid(`breaker.probes ${probes} must be a whole number from 1`)
  const within = parseDuration(options.within ?? 30_000)
  const open = parseDuration(options.open ?? 30_000)
  const most = parseDuration(options.most ?? Math.max(open, 300_000))
  if (within <= 0 || open <= 0) invalid('breaker.within and breaker.open must be above 0')
  if (most < open) invalid(`breaker.most ${most} ms is below breaker.open ${open} ms`)
  return Object.freeze({ failures, of, within, open, most, probes })
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}
