import type { StoredEvent } from '../../event/event.js'
import type { Collector } from './collector.js'
import type { Partial, Trace } from './partial.js'
import type { Equality, Matcher, Threshold } from '../pattern/pattern.js'

/** What an executor counts of itself, beside what it puts out. */
export interface ExecutorStats {
  /** Keys with state. */
  readonly keys: number
  /** What is under way: partial matches, open windows, joins that wait. */
  readonly partialMatches: number
  readonly evaluationErrors: number
  /** The first conditions that could not be evaluated: event id, place, why. */
  readonly errorSamples: readonly string[]
  /** What bounds made it drop, by name. */
  readonly dropped: Readonly<Record<string, number>>
}

/**
 * Finds things in events that come in order of time. Synchronous, without a clock: time is what it is told. What it
 * finds goes to the collector that it was started with. The engine around it puts events in order and sets the late aside.
 */
export interface Executor {
  /** Takes one event. Time passes to the event's first: what ends by then, ends before the event is looked at. */
  take(event: StoredEvent, key: string): void
  /**
   * Takes an event that is behind the time reached, where what it finds can still be put right: a window that is open, or
   * kept for such events. Without it, and where it says false, the event is late.
   * @returns whether the event was taken, or is none that matters here
   */
  takeBehind?(event: StoredEvent, key: string): boolean
  /** Event time, in ms, passes without an event; never back. What ends by then, ends in order of (time, start). */
  passTime(time: number): void
  /** Earliest time in ms at which `passTime` would bring a match, not merely free state; Infinity: nothing waits for time. */
  readonly due: number
  /** Earliest time in ms at which a window of something under way closes; without it, that is `horizon` and the window. */
  readonly closes?: number | undefined
  /** Time in ms of the earliest event that state still depends on; Infinity when there is none. */
  readonly horizon: number
  /** The whole state as data that JSON can carry. */
  snapshot(): unknown
  readonly stats: ExecutorStats
  /** What is under way for a key, oldest first. */
  partials?(key: string): readonly Partial[]
  /** Whether anything is under way for a key. Who cannot tell is shown every event. */
  has?(key: string): boolean
  /** Every key for which something is under way. */
  liveKeys?(): Iterable<string>
  /**
   * Earliest time in ms at which `passTime` would put out anything or free state; it may be too early, never too late.
   * Infinity: never. Who cannot tell is shown every event.
   */
  readonly wakes?: number
}

/** With which events something can begin. */
export interface Begin {
  /** None named: any type. */
  readonly events: readonly string[]
  /** What of the event must be one of these values: all of them, as far as it is known. */
  readonly equals: readonly Equality[]
  /** What of the event must be within these limits, as far as it is known. */
  readonly thresholds: readonly Threshold[]
  /** Conditions that read the event only have a local `where`. What it throws is for the executor to count. */
  readonly where: ((event: StoredEvent, key: string) => boolean) | undefined
}

/** Something that an engine can run: what a compile step gives. May be shared by any number of engines. */
export interface Executable {
  /** The shape that a snapshot depends on. */
  readonly signature: string
  /** How far behind the newest event another may be, in ms, and still take its place in order: events wait that long. */
  readonly lateness: number
  /** Without lateness: how far behind, in ms, an event may be and still be taken, at the time reached. */
  readonly grace: number
  /**
   * How far back from now, in event time in ms, the events lie that what is under way may still hold: the window of a
   * pattern. Infinity: all that there were, as for a detector that learns. Undefined: not known.
   */
  readonly reach?: number | undefined
  /** With lateness: what puts events of one time in order, ascending. Default: order of arrival. */
  readonly orderBy?: (event: StoredEvent) => number | string
  /**
   * Where nothing is under way for a key, an event that is none of these changes nothing but the time. Undefined: any
   * event might.
   */
  readonly begins?: readonly Begin[]
  /** An event that is none of these changes nothing but the time, also where something is under way. */
  readonly concerns?: readonly Begin[]
  /** It tells of each value what it made of it (Trace.judged), and of nothing that is under way. */
  readonly judges?: boolean
  /** The same with other conditions in the place of each of its own, which must say the same. */
  withConditions?(change: (matcher: Matcher) => Matcher): Executable
  readonly bounds: {
    /** Events that wait for late ones; the oldest are let through before their time. */
    readonly waiting: number
    /** Matches that one advance may bring; the rest are dropped. */
    readonly matchesPerAdvance: number
    /** More matches than that are BOUND_EXCEEDED instead. */
    readonly failOnMatches?: boolean
  }
  /**
   * An executor, new or with the state of another.
   * @param trace told of what comes to nothing
   * @throws SNAPSHOT_MISMATCH when the state cannot be of this executable
   */
  start(out: Collector, state?: unknown, trace?: Trace): Executor
}
