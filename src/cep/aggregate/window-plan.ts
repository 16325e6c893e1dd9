import type { StoredEvent } from '../../event/event.js'
import type { Drops } from '../engine/drops.js'
import type { BoundPolicy } from '../pattern/pattern.js'
import type { EvaluationErrors } from '../engine/evaluation-errors.js'
import type { EarlyPlan } from './early-results.js'
import type { Accumulators, Part } from './part.js'
import type { Span, WindowShape } from './window-shape.js'

/** Limits on state. */
export interface AggregateLimits {
  readonly keys: number
  /** Slices or sessions of one key. */
  readonly windowsPerKey: number
  readonly policy: BoundPolicy
}

/** An aggregation in the form in which it runs. Durations in ms. */
export interface WindowPlan {
  readonly shape: WindowShape
  readonly accumulators: Accumulators
  readonly early: EarlyPlan
  /** How long after its end a window is kept, so that late events may still change its result. */
  readonly keep: number
  readonly limits: AggregateLimits
  /** None: all. */
  readonly types: ReadonlySet<string>
  readonly where: ((event: StoredEvent, key: string) => boolean) | undefined
  readonly having: ((values: WindowValues, key: string) => boolean) | undefined
}

/**
 * What a result of a window is called. `early`: it may still change. `final`: time has passed the end of the window.
 * `late`: an event came after that, and this is the result now.
 */
export type ResultKind = 'early' | 'final' | 'late'

/** What a window came to: each result under its name, and of which window it is. */
export interface WindowValues extends Readonly<Record<string, unknown>> {
  readonly kind: ResultKind
  /** In ms; for a session the time of its first event. */
  readonly start: number
  /** In ms; the first moment that is not in it. */
  readonly end: number
  /** Of a session: results that were given and have become part of it. */
  readonly replaces?: readonly Span[]
}

/** What windows of a key work with: the plan, where results go, and what is counted. */
export interface WindowContext {
  readonly plan: WindowPlan
  readonly errors: EvaluationErrors
  readonly drops: Drops
  /** @param time event time of the result */
  put(
    key: string,
    window: Span & { readonly replaces?: readonly Span[] },
    part: Part,
    kind: ResultKind,
    time: number,
  ): void
}

/** The windows of one key. Times in ms. */
export interface KeyWindows {
  /** When the next result comes by time alone; Infinity: none does. */
  readonly deadline: number
  /** When the oldest that is kept for late events can be forgotten; Infinity when there is none. */
  readonly forgetAt: number
  /** Time of the earliest event; Infinity when there is none. */
  readonly oldest: number
  /** Slices or sessions. */
  readonly size: number
  /** The window that ends next, so far; undefined when none is open. Looking changes nothing. */
  readonly open: Part | undefined
  /** Takes an event that is in order. */
  add(event: StoredEvent): void
  /** Whether an event of this time, which is behind `now`, is too late for every window. */
  isTooLate(time: number, now: number): boolean
  /** Takes an event that is behind `now`, and not too late. */
  addBehind(event: StoredEvent, now: number): void
  /** The deadline has come. */
  fire(): void
  /** Forgets what is not kept any longer. */
  forget(now: number): void
  save(): unknown
}
