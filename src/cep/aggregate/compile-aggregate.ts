import { fault } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import type { BoundPolicy } from '../pattern/pattern.js'
import type { AnyEvent } from '../engine/any-event.js'
import type { Executable } from '../engine/executor.js'
import type { Named, ResultsOf } from './aggregator.js'
import { Accumulators } from './part.js'
import { WindowExecutor, type WindowState } from './window-executor.js'
import type { WindowPlan, WindowValues } from './window-plan.js'
import type { WindowShape } from './window-shape.js'

/** Milliseconds, or a text such as `10s`. */
type Duration = number | string

/** Which stretches of time are looked at. Windows begin at `offset` and multiples of their size, or step, since 1970. */
export type WindowOptions =
  | { readonly tumbling: Duration; readonly offset?: Duration }
  | { readonly sliding: Duration; readonly step: Duration; readonly offset?: Duration }
  /** Events that follow each other by less than this are together. */
  | { readonly session: Duration }

export interface AggregateBounds {
  /** Keys with windows. Default 100,000. */
  readonly keys: number
  /** Slices (two for each step at most) or sessions of one key. Default 10,000. */
  readonly windowsPerKey: number
  /** What gives way at these two. Default `drop-oldest`: the key that began first, the oldest slice or session. */
  readonly policy: BoundPolicy
  /** Events that wait for late ones, with `lateness`; the oldest are let through before their time. Default 100,000. */
  readonly waiting: number
  /** Results that one event or time advance may bring; the rest are dropped. Default 1,000,000. */
  readonly matchesPerAdvance: number
}

export interface AggregateOptions<Values extends Named = Named> {
  /** Types of the events that count; none named: all that come. */
  readonly events: readonly string[]
  /** Only events that satisfy it count. What it throws counts as an evaluation error, and the event does not. */
  readonly where?: (event: AnyEvent, key: string) => boolean
  readonly window: WindowOptions
  /** What is computed, by name; not `kind`, `start`, `end` or `replaces`. */
  readonly values: Values
  /** Which results are put out. Default all. What it throws counts as an evaluation error. */
  readonly having?: (values: WindowValues & ResultsOf<Values>, key: string) => boolean
  /** Results before the end of a window: after so many `events` in it, and at multiples of `every` when something came. */
  readonly early?: { readonly events?: number; readonly every?: Duration }
  /** How far behind the newest event another may be and still take its place in order: results wait that long. Default 0. */
  readonly lateness?: Duration
  /** How long after its end a window is kept, and put out again with each event that comes late. Default 0. */
  readonly allowedLateness?: Duration
  readonly bounds?: Partial<AggregateBounds>
}

const DEFAULTS: AggregateBounds = {
  keys: 100_000,
  windowsPerKey: 10_000,
  policy: 'drop-oldest',
  waiting: 100_000,
  matchesPerAdvance: 1_000_000,
}
const RESERVED = new Set(['kind', 'start', 'end', 'replaces'])

/**
 * Windows per key in event time, and what their events come to. A match is a result: its `values` say of which window and
 * whether it is `early`, `final` or `late`; `first` and `last` are events of the window. Windows without events are none.
 * @throws PATTERN_INVALID with every fault found, DURATION_INVALID
 */
export function compileAggregate<const Values extends Named>(options: AggregateOptions<Values>): Executable {
  const { events, where, values, having, early = {} } = options
  const bounds = { ...DEFAULTS, ...options.bounds }
  const shape = shapeOf(options.window)
  const lateness = parseDuration(options.lateness ?? 0)
  const keep = parseDuration(options.allowedLateness ?? 0)
  const every = early.every === undefined ? Infinity : parseDuration(early.every)
  const plan: WindowPlan = {
    shape,
    accumulators: new Accumulators(values),
    early: { events: early.events ?? Infinity, every },
    keep,
    limits: bounds,
    types: new Set(events),
    where,
    having: having as WindowPlan['having'],
  }
  const faults = faultsOf(plan, Object.keys(values), bounds)
  if (faults.length > 0)
    throw fault('PATTERN_INVALID', faults.join('; '), { issues: faults.map((detail) => ({ detail })) })
  const texts = Object.entries(values).map(([name, { text }]) => [name, text])
  const earlyText = [early.events ?? null, early.every === undefined ? null : every]
  return {
    signature: JSON.stringify(['aggregate', shape, events, texts, earlyText, lateness, keep]),
    lateness,
    grace: 0,
    ...(shape.kind === 'session' ? {} : { reach: shape.size + keep }),
    bounds: { waiting: bounds.waiting, matchesPerAdvance: bounds.matchesPerAdvance },
    start: (out, state) => new WindowExecutor(plan, out, state as WindowState | undefined),
  }
}

function shapeOf(window: WindowOptions): WindowShape {
  if ('session' in window) return { kind: 'session', gap: parseDuration(window.session) }
  const offset = parseDuration(window.offset ?? 0)
  if ('sliding' in window) {
    const [size, step] = [parseDuration(window.sliding), parseDuration(window.step)]
    return { kind: 'aligned', size, step, offset }
  }
  const size = parseDuration(window.tumbling)
  return { kind: 'aligned', size, step: size, offset }
}

function faultsOf({ shape, early }: WindowPlan, names: readonly string[], bounds: AggregateBounds): string[] {
  const faults: string[] = []
  const lengths = shape.kind === 'session' ? { session: shape.gap } : { size: shape.size, step: shape.step }
  for (const [name, ms] of Object.entries(lengths)) if (!(ms > 0)) faults.push(`${name} must be above 0`)
  if (names.length === 0) faults.push('no value is computed')
  for (const name of names) if (RESERVED.has(name)) faults.push(`a value cannot be called ${name}`)
  if (early.events !== Infinity && !(Number.isInteger(early.events) && early.events >= 1))
    faults.push('early results come after a whole number of events, from 1')
  if (!(early.every > 0)) faults.push('early results come every so often: above 0')
  const { policy, ...numbers } = bounds
  if (!['drop-oldest', 'drop-newest', 'fail'].includes(policy)) faults.push(`there is no policy ${String(policy)}`)
  for (const [name, most] of Object.entries(numbers))
    if (!(Number.isInteger(most) && most > 0)) faults.push(`${name} must be a whole number above 0`)
  return faults
}
