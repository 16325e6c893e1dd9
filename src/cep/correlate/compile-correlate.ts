import { fault } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import type { AnyEvent } from '../engine/any-event.js'
import type { Executable } from '../engine/executor.js'
import type { BoundPolicy } from '../pattern/pattern.js'
import { CorrelateExecutor, type CorrelateState } from './correlate-executor.js'
import type { CorrelatePlan, CorrelationValues, Outcome, Side, Taken } from './correlate-plan.js'

/** One side of a correlation. */
export interface CorrelateSide {
  /** Types of its events; none named: any. */
  readonly events: readonly string[]
  /**
   * Which of them. `taken` has the events of each side so far. What it throws counts as an evaluation error, and the
   * event is not of this side.
   */
  readonly where?: (event: AnyEvent, taken: Taken, key: string) => boolean
  /** How many it needs: 0 makes it optional. Default 1. */
  readonly min?: number
  /** How many it takes; null: no limit but `bounds.eventsPerSide`. Default `min`, at least 1. */
  readonly max?: number | null
  /** Whether an event of it begins a correlation. Default true; at least one side must. */
  readonly starts?: boolean
}

export interface CorrelateBounds {
  /** Correlations at one time. Default 100,000. */
  readonly correlations: number
  /** Events of a side without limit. Default 1,000. */
  readonly eventsPerSide: number
  /** With `by: 'cause'`: events of a correlation that others may name as their cause; later ones are none. Default 1,000. */
  readonly links: number
  /** What gives way at the first two. Default `drop-oldest`: the correlation that began first, the oldest event. */
  readonly policy: BoundPolicy
  /** Events that wait for late ones, with `lateness`; the oldest are let through before their time. Default 100,000. */
  readonly waiting: number
  /** Matches that one event or time advance may bring; the rest are dropped. Default 1,000,000. */
  readonly matchesPerAdvance: number
}

export interface CorrelateOptions {
  /** The sides by name, two at least. An event is of the first side that takes it. */
  readonly sides: Readonly<Record<string, CorrelateSide>>
  /** The last event comes less than this after the first. */
  readonly within: number | string
  /**
   * What belongs together: events of one `key` (default), of one conversation (`correlation`: the same correlation id, or
   * that of the event which began it), or what follows from one event (`cause`: each event after the first names one of
   * them as its cause, also one that is of no side).
   */
  readonly by?: 'key' | 'correlation' | 'cause'
  /** Which outcomes are matches. Default `complete`. */
  readonly outcomes?: readonly Outcome[]
  /** It is complete as soon as every side has what it needs (default), or when none can take more or the window closes. */
  readonly completes?: 'soonest' | 'end'
  /** Of a side that has all it takes, the first events stay (default), or the oldest gives way. Both are counted. */
  readonly duplicates?: 'first' | 'last'
  /** After a complete one the next event begins another (default); false: what comes until its window closes is dropped. */
  readonly again?: boolean
  /** Which matches are put out, by their values. What it throws counts as an evaluation error. */
  readonly having?: (values: CorrelationValues, key: string) => boolean
  /** How far behind the newest event another may be and still take its place in order. Default 0. */
  readonly lateness?: number | string
  readonly bounds?: { readonly [Name in keyof CorrelateBounds]?: CorrelateBounds[Name] }
}

const DEFAULTS: CorrelateBounds = {
  correlations: 100_000,
  eventsPerSide: 1_000,
  links: 1_000,
  policy: 'drop-oldest',
  waiting: 100_000,
  matchesPerAdvance: 1_000_000,
}
const OUTCOMES = ['complete', 'partial', 'missing']

/**
 * A join of several sides within a window. Of a match, the sides are the stages, and `values` say the `outcome` and which
 * sides are `missing`; its key is what links the events.
 * @throws PATTERN_INVALID with every fault found, DURATION_INVALID
 */
export function compileCorrelate(options: CorrelateOptions): Executable {
  const { by = 'key', outcomes = ['complete'], completes = 'soonest', duplicates = 'first', again = true } = options
  const limits = { ...DEFAULTS, ...options.bounds }
  const lateness = parseDuration(options.lateness ?? 0)
  const plan: CorrelatePlan = {
    sides: Object.entries(options.sides).map(sideOf),
    within: parseDuration(options.within),
    by,
    outcomes: new Set(outcomes),
    soonest: completes === 'soonest',
    duplicates,
    again,
    having: options.having,
    limits,
  }
  const faults = faultsOf(plan, limits)
  if (faults.length > 0)
    throw fault('PATTERN_INVALID', faults.join('; '), { issues: faults.map((detail) => ({ detail })) })
  const sides = plan.sides.map(({ name, types, min, max, starts }) => [name, [...types], min, max, starts])
  return {
    signature: JSON.stringify(['correlate', sides, plan.within, by, [...outcomes].sort(), completes, again, lateness]),
    lateness,
    grace: 0,
    reach: plan.within,
    bounds: { waiting: limits.waiting, matchesPerAdvance: limits.matchesPerAdvance },
    start: (out, state, trace) => new CorrelateExecutor(plan, out, state as CorrelateState | undefined, trace),
  }
}

function sideOf([name, { events, where, min = 1, max, starts = true }]: [string, CorrelateSide]): Side {
  const most = max === undefined ? Math.max(1, min) : (max ?? Infinity)
  return { name, types: new Set(events), where, min, max: most, starts }
}

function faultsOf({ sides, within, outcomes }: CorrelatePlan, bounds: CorrelateBounds): string[] {
  const faults: string[] = []
  if (sides.length < 2) faults.push('a correlation has two sides at least')
  if (!sides.some(({ starts }) => starts)) faults.push('no side begins a correlation')
  if (!sides.some(({ min }) => min > 0)) faults.push('no side is needed')
  for (const { name, min, max } of sides) {
    if (!Number.isInteger(min) || min < 0) faults.push(`${name}: min must be a whole number`)
    if (!(max >= Math.max(1, min)) || (max !== Infinity && !Number.isInteger(max)))
      faults.push(`${name}: max must be a whole number from min up, or null`)
  }
  if (!(within > 0)) faults.push('within must be above 0')
  if (outcomes.size === 0) faults.push('no outcome is wanted')
  for (const outcome of outcomes) if (!OUTCOMES.includes(outcome)) faults.push(`there is no outcome ${String(outcome)}`)
  const { policy, ...numbers } = bounds
  if (!['drop-oldest', 'drop-newest', 'fail'].includes(policy)) faults.push(`there is no policy ${String(policy)}`)
  for (const [name, most] of Object.entries(numbers))
    if (!(Number.isInteger(most) && most > 0)) faults.push(`${name} must be a whole number above 0`)
  return faults
}
