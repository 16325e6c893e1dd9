import type { AnyEvent } from '../engine/any-event.js'
import type { BoundPolicy } from '../pattern/pattern.js'

/** Events of each side so far, in order of time; a side without events has an empty list. */
export type Taken = Readonly<Record<string, readonly AnyEvent[]>>

/**
 * How a correlation ended. `complete`: every side has as many events as it needs. When the window closed before that,
 * `missing`: only one side had come; `partial`: several had, but not all.
 */
export type Outcome = 'complete' | 'partial' | 'missing'

/** What a correlation says beside its events. */
export interface CorrelationValues extends Readonly<Record<string, unknown>> {
  readonly outcome: Outcome
  /** The sides that have not as many events as they need. */
  readonly missing: readonly string[]
  /** In ms: when the first event came, and when the window closes. */
  readonly start: number
  readonly end: number
}

export interface Side {
  readonly name: string
  readonly types: ReadonlySet<string>
  readonly where: ((event: AnyEvent, taken: Taken, key: string) => boolean) | undefined
  readonly min: number
  /** Infinity: no limit. */
  readonly max: number
  /** Whether an event of it begins a correlation. */
  readonly starts: boolean
}

export interface CorrelateLimits {
  /** Correlations that are open. */
  readonly correlations: number
  /** Events of a side that has no limit of its own. */
  readonly eventsPerSide: number
  /** Events of one correlation to which others can link as their cause. */
  readonly links: number
  readonly policy: BoundPolicy
}

/** A correlation in the form in which it runs. Durations in ms. */
export interface CorrelatePlan {
  readonly sides: readonly Side[]
  readonly within: number
  readonly by: 'key' | 'correlation' | 'cause'
  readonly outcomes: ReadonlySet<Outcome>
  /** It is complete as soon as every side has what it needs, or only when no side can take more. */
  readonly soonest: boolean
  readonly duplicates: 'first' | 'last'
  /** A complete correlation is over at once, and the next event begins another; or only when its window closes. */
  readonly again: boolean
  readonly having: ((values: CorrelationValues, key: string) => boolean) | undefined
  readonly limits: CorrelateLimits
}
