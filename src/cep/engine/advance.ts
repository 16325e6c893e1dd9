import type { StoredEvent } from '../../event/event.js'
import type { Match, Timeout } from './match.js'
import type { Partial } from './partial.js'
import type { EngineCounters, EngineSnapshot } from './engine-snapshot.js'

/** An event with the key it has for this pattern, or time that passed without one; both in event time, milliseconds. */
export type EngineInput =
  | { readonly kind: 'event'; readonly event: StoredEvent; readonly key: string }
  | { readonly kind: 'time'; readonly time: number }

/** What one input brought. Matches and timeouts are in order of (time, start): the same input always gives the same. */
export interface Advance {
  readonly matches: readonly Match[]
  /** Partial matches whose window closed. */
  readonly timeouts: readonly Timeout[]
  /** Events that came too late to be matched. */
  readonly late: readonly StoredEvent[]
}

export interface EngineStats extends EngineCounters {
  /** Keys with state. */
  readonly keys: number
  /** What is under way: partial matches, open windows, joins that wait. */
  readonly partialMatches: number
  /** Events that wait in the reorder buffer. */
  readonly waiting: number
  /** Event time so far; undefined before the first input. */
  readonly clock: number | undefined
  /** Time of the earliest event that state still depends on; undefined when there is none. */
  readonly horizon: number | undefined
}

/**
 * Runs one pattern, correlation, aggregation or detector over events. Holds no clock, timer or handle. Time comes from
 * the inputs and never goes back: an event moves it for all keys, whatever the event's type.
 */
export interface Engine {
  /**
   * Takes one input. Never throws for what is in an event: see `stats().evaluationErrors`. After an error the engine is
   * of no more use: its state is between two inputs.
   * @throws BOUND_EXCEEDED at a bound whose policy is `fail`
   * @throws SKIP_TARGET_MISSING with `throwOnMiss`
   */
  advance(input: EngineInput): Advance
  /**
   * Earliest event time in ms at which an input of kind `time` would bring a match; Infinity when nothing waits for
   * time. Events that wait for late ones count.
   */
  readonly due: number
  /** The whole state as plain data that JSON can carry. An engine made from it goes on exactly as this one would. */
  snapshot(): EngineSnapshot
  stats(): EngineStats
  /** Event time reached, in ms; -Infinity before the first input. */
  readonly clock: number
  /**
   * Earliest event time in ms at which time alone would bring or free anything; -Infinity: it cannot tell, or keeps events
   * waiting for late ones, so that it must be shown every event.
   */
  readonly wakes: number
  /** Whether anything is under way for the key; true when it cannot tell. */
  has(key: string): boolean
  /** Every key for which something is under way; none when it cannot tell. */
  liveKeys(): Iterable<string>
  /**
   * Says that events went by which it was not shown, because they could change nothing but the time: no key of theirs had
   * anything under way, none of them could begin anything, and time did not come to `wakes`.
   * @param time that they brought, in ms
   * @param events how many they were, `raised` of them by grace
   */
  passOver(time: number, events: number, raised: number): void
  /** What is under way for a key, oldest first; undefined when its executor cannot tell. */
  partials(key: string): readonly Partial[] | undefined
}
