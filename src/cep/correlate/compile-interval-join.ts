import { fault } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import type { AnyEvent } from '../engine/any-event.js'
import type { Executable } from '../engine/executor.js'
import type { BoundPolicy } from '../pattern/pattern.js'
import { IntervalExecutor, type IntervalPlan, type IntervalSide, type IntervalState } from './interval-executor.js'

/** One side of an interval join. */
export interface IntervalJoinSide {
  /** Its stage in the matches. Default `left` or `right`. */
  readonly name?: string
  /** Types of its events; none named: any. */
  readonly events: readonly string[]
  /** Which of them. What it throws counts as an evaluation error, and the event is not of this side. */
  readonly where?: (event: AnyEvent, key: string) => boolean
}

export interface IntervalJoinBounds {
  /** Keys with events. Default 100,000. */
  readonly keys: number
  /** Events of each side of one key. Default 10,000. */
  readonly eventsPerSide: number
  /** What gives way at these two. Default `drop-oldest`: the key that began first, the oldest event. */
  readonly policy: BoundPolicy
  /** Events that wait for late ones, with `lateness`; the oldest are let through before their time. Default 100,000. */
  readonly waiting: number
  /** Matches that one event or time advance may bring; the rest are dropped. Default 1,000,000. */
  readonly matchesPerAdvance: number
}

export interface IntervalJoinOptions {
  readonly left: IntervalJoinSide
  readonly right: IntervalJoinSide
  /** How much later than the left event the right one comes, at least and at most; `-5s`: it may come earlier. */
  readonly lower: number | string
  readonly upper: number | string
  /** Which pairs. What it throws counts as an evaluation error, and they are no pair. */
  readonly on?: (left: AnyEvent, right: AnyEvent, key: string) => boolean
  /** Events of which side are put out also when nothing was paired with them. Default neither. */
  readonly outer?: 'left' | 'right' | 'both'
  /** How far behind the newest event another may be and still take its place in order. Default 0. */
  readonly lateness?: number | string
  readonly bounds?: { readonly [Name in keyof IntervalJoinBounds]?: IntervalJoinBounds[Name] }
}

const DEFAULTS: IntervalJoinBounds = {
  keys: 100_000,
  eventsPerSide: 10_000,
  policy: 'drop-oldest',
  waiting: 100_000,
  matchesPerAdvance: 1_000_000,
}

/**
 * Every pair of a left and a right event of one key with `lower <= right.time - left.time <= upper`. Of a match the two
 * are the stages, and `values.gap` is right.time - left.time in ms. With `outer`, an event that has found none is a match
 * with the outcome `missing` when no partner can come any more. An event that is of both sides is not paired with itself.
 * @throws PATTERN_INVALID with every fault found, DURATION_INVALID
 */
export function compileIntervalJoin(options: IntervalJoinOptions): Executable {
  const limits = { ...DEFAULTS, ...options.bounds }
  const lateness = parseDuration(options.lateness ?? 0)
  const { outer, on } = options
  const plan: IntervalPlan = {
    sides: [
      sideOf(options.left, 'left', outer === 'left' || outer === 'both'),
      sideOf(options.right, 'right', outer === 'right' || outer === 'both'),
    ],
    lower: signed(options.lower),
    upper: signed(options.upper),
    on,
    limits,
  }
  const faults = faultsOf(plan, limits)
  if (faults.length > 0)
    throw fault('PATTERN_INVALID', faults.join('; '), { issues: faults.map((detail) => ({ detail })) })
  const sides = plan.sides.map(({ name, types }) => [name, [...types]])
  return {
    signature: JSON.stringify(['interval-join', sides, plan.lower, plan.upper, outer ?? null, lateness]),
    lateness,
    grace: 0,
    reach: Math.max(plan.upper, -plan.lower, 0) + 1,
    bounds: { waiting: limits.waiting, matchesPerAdvance: limits.matchesPerAdvance },
    start: (out, state) => new IntervalExecutor(plan, out, state as IntervalState | undefined),
  }
}

function sideOf({ name, events, where }: IntervalJoinSide, usual: string, outer: boolean): IntervalSide {
  return { name: name ?? usual, types: new Set(events), where, outer }
}

function signed(duration: number | string): number {
  if (typeof duration === 'number') return duration < 0 ? -parseDuration(-duration) : parseDuration(duration)
  return duration.startsWith('-') ? -parseDuration(duration.slice(1)) : parseDuration(duration)
}

function faultsOf({ sides, lower, upper }: IntervalPlan, bounds: IntervalJoinBounds): string[] {
  const faults: string[] = []
  if (sides[0].name === sides[1].name) faults.push(`both sides are called ${sides[0].name}`)
  if (lower > upper) faults.push('lower is above upper')
  const { policy, ...numbers } = bounds
  if (!['drop-oldest', 'drop-newest', 'fail'].includes(policy)) faults.push(`there is no policy ${String(policy)}`)
  for (const [name, most] of Object.entries(numbers))
    if (!(Number.isInteger(most) && most > 0)) faults.push(`${name} must be a whole number above 0`)
  return faults
}
