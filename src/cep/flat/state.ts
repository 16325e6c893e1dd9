import type { Matcher, TakeStage } from '../pattern/pattern.js'

/** A condition at its place in the compiled pattern. */
export interface Condition {
  readonly bit: number
  readonly index: number
  readonly matcher: Matcher
}

/** A stage that takes events, with what is forbidden between its neighbour and it. */
export interface Step {
  readonly stage: TakeStage
  readonly index: number
  readonly condition: Condition
  readonly until: Condition | null
  readonly min: number
  readonly max: number | null
  /** None of these between the stage before and this one. */
  readonly bans: readonly Condition[]
  /** The event right after the stage before satisfies none of these. */
  readonly nextBans: readonly Condition[]
}

/** What is forbidden after the last stage. */
export interface Tail {
  readonly bans: readonly Condition[]
  readonly nextBans: readonly Condition[]
}

export interface Place {
  readonly step: number
  /** Events that this stage has taken. At an unlimited repetition it stops counting at the minimum. */
  readonly count: number
  /** Not open to events that the greedy repetition of this stage takes. */
  readonly gate: number | null
}

/** What a partial match waits for, as data: the same text means the same state, also in a snapshot. */
export interface StateData {
  readonly places: readonly Place[]
  readonly bans: readonly number[]
  readonly nextBans: readonly number[]
  readonly nextBanGate: number | null
  /** In how many ways the match could go on from here, counted as Flink does: one until an event was ignored. */
  readonly ways: number
  /** Complete as soon as the next event has come and is not banned. */
  readonly endsNext: boolean
  /** Complete when the window closes. */
  readonly endsLater: boolean
}

/** One thing a state can do with an event. */
export interface Branch {
  readonly place: Place
  readonly step: Step
  readonly condition: Condition
  readonly until: Condition | null
  readonly gate: Step | null
  readonly ignore: 'never' | 'unless' | 'always'
  /** Where taking the event leads; filled in when first needed. */
  taken: Taken | null
}

/** `completes`: the match may end here. `state`: it may go on (none: it cannot). */
export interface Taken {
  readonly completes: boolean
  /** It may end here only with an event that satisfies none of these. */
  readonly unless: readonly Condition[]
  readonly state: State | null
}

/**
 * A set of places that wait for the next event together: as long as events are only ignored, a partial match stays
 * one object however many ways it could go on.
 */
export interface State {
  readonly text: string
  readonly data: StateData
  readonly branches: readonly Branch[]
  readonly bans: readonly Condition[]
  readonly nextBans: readonly Condition[]
  readonly nextBanGate: Step | null
  readonly endsNext: boolean
  readonly endsLater: boolean
  /** Bits of every condition that can change anything here. */
  readonly watch: number
  /** What is left after an event that was ignored by the branches of the mask; filled in when first needed. */
  readonly left: Map<number, State | null>
  /** The mask of branches that ignore an event which satisfies nothing. */
  readonly patient: number
}
