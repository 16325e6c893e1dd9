import type { StoredEvent } from '../../event/event.js'

/**
 * How a stage relates to the event before it, among the events of one key that the rule sees (every event whose type
 * is named by a stage or by the rule's `events`):
 * - `strict`: it is the very next one
 * - `relaxed`: events that do not satisfy the stage may lie between
 * - `any`: events that do satisfy it may lie between too, so that every combination is found
 */
export type Contiguity = 'strict' | 'relaxed' | 'any'

/** Running values over the events that a partial match has taken so far, one per entry of `Pattern.aggregates`. */
export type Bound = readonly unknown[]

/**
 * A condition on one event. What it throws counts as an evaluation error, and the event does not satisfy it.
 * `bound` holds what was taken before: the current event is not yet in.
 */
export type Where = (event: StoredEvent, bound: Bound, key: string) => boolean

/** Which events are meant: their types (none named: every event that the rule sees) and a condition. */
export interface Matcher {
  readonly events: readonly string[]
  readonly where?: Where
  /** The condition reads the current event only, never `bound`: it is evaluated once per event, not once per partial match. */
  readonly local?: boolean
  /** What `where` says, in a canonical form: of two local conditions with one text, either can stand for the other. */
  readonly text?: string
  /** What an event must have to satisfy `where`, as far as it is known. Conditions are found by it. */
  readonly equals?: readonly Equality[]
  /** Numbers that an event must reach or stay below to satisfy `where`, as far as they are known. */
  readonly thresholds?: readonly Threshold[]
}

/** A path of names in an event's data, and the values of which it must have one. */
export interface Equality {
  readonly path: readonly string[]
  readonly values: readonly (string | number | boolean)[]
}

/** A path of names in an event's data, whose number must not be below (`above`) or above the limit. */
export interface Threshold {
  readonly path: readonly string[]
  readonly above: boolean
  readonly limit: number
}

/** What may be repeated or left out: a stage that takes events, or a group of stages. */
export interface Repetition {
  /** Relation to the stage before it; without meaning on the first stage. Default `relaxed`. */
  readonly contiguity?: Contiguity
  /** How many times. `max: null` is without limit. Default once. */
  readonly times?: { readonly min: number; readonly max: number | null }
  /** Relation between the repetitions. Default `relaxed`. */
  readonly inner?: Contiguity
  /** It may be left out. */
  readonly optional?: boolean
  /** From the first event that satisfies it, the repetition takes nothing more. Needs `times` without an upper limit. */
  readonly until?: Matcher
  /**
   * Gap window, ms: each event that is taken here comes less than this after the event taken before it. For a group:
   * the first event of each repetition.
   */
  readonly withinPrev?: number
  /** Gap window between repetitions, ms: each comes less than this after the last event of the repetition before it. */
  readonly timesWindow?: number
}

/** A stage that takes events. */
export interface TakeStage extends Matcher, Repetition {
  readonly kind: 'take'
  readonly name: string
  /** While an event satisfies the repetition, the match does not move on with it. */
  readonly greedy?: boolean
}

/**
 * Stages that are repeated or left out together. `contiguity` is that of its first stage to what comes before, `inner`
 * that of the first stage of each repetition to the repetition before. It has no name: a match lists events by the names
 * of the stages inside.
 */
export interface GroupStage extends Repetition {
  readonly kind: 'group'
  readonly stages: readonly Stage[]
}

/**
 * What must not happen between its neighbours. `strict`: the very next event does not satisfy it. `relaxed`: none does.
 * As the last stage, `relaxed` needs `within`, and the match comes when the window closes, also after a repetition that
 * could have gone on. An event that both completes the match and satisfies a `relaxed` not before it completes it.
 */
export interface NotStage extends Matcher {
  readonly kind: 'not'
  /** For explanations only. */
  readonly name?: string
  readonly contiguity: 'strict' | 'relaxed'
  /** Of a last, relaxed not: how long after the last event taken nothing forbidden may come, in ms. Default `within`. */
  readonly withinPrev?: number
}

export type Stage = TakeStage | NotStage | GroupStage

/**
 * What a match does to the others of its key. `none`: nothing. `next`: those that began at the same event go.
 * `past-last`: those that began at or before its last event go. `to-first`, `to-last`: those that began before the
 * first or last event of the named stage go. A match without an event of that stage rules nothing out; with
 * `throwOnMiss` it is an error that stops the engine, and so is one that begins with the event that is skipped to,
 * because nothing would be skipped.
 */
export type Skip =
  | { readonly type: 'none' | 'next' | 'past-last' }
  | { readonly type: 'to-first' | 'to-last'; readonly stage: string; readonly throwOnMiss?: boolean }

/** A value kept while events are taken, so that a condition on earlier events costs the same however many there are. */
export interface Aggregate {
  /** Name of the stage whose events it is about. */
  readonly stage: string
  /** For messages: `sum(probe.data.amount)`. */
  readonly text: string
  readonly initial: unknown
  readonly add: (value: unknown, event: StoredEvent) => unknown
}

/**
 * What happens when a bound is reached. `drop-oldest`: what began first goes. `drop-newest`: what has come last goes.
 * `fail`: BOUND_EXCEEDED, which ends the rule, and whoever runs a pattern by itself.
 */
export type BoundPolicy = 'drop-oldest' | 'drop-newest' | 'fail'

/** Limits on state. What they drop is counted in the engine's stats, never silent. */
export interface Bounds {
  /** Live partial matches of one key. */
  readonly partialMatchesPerKey: number
  /** Live partial matches of all keys. */
  readonly partialMatches: number
  /** Keys with partial matches. */
  readonly keys: number
  /** Matches that one event or time advance may complete; never `drop-oldest`: the rest of them are dropped. */
  readonly matchesPerAdvance: number
  /** Events that wait for late ones, with `lateness`; the oldest are let through before their time. */
  readonly waiting: number
}

/** What happens at each bound. */
export interface BoundPolicies {
  /** Default `drop-oldest`. */
  readonly partialMatchesPerKey?: BoundPolicy
  /** Default `drop-oldest`. */
  readonly partialMatches?: BoundPolicy
  /** Default `drop-oldest`: the key that was met first goes, with all its partial matches. */
  readonly keys?: BoundPolicy
  /** Default `drop-newest`. */
  readonly matchesPerAdvance?: Exclude<BoundPolicy, 'drop-oldest'>
}

/** What to look for, as data. `compilePattern` makes it executable. */
export interface Pattern {
  readonly stages: readonly Stage[]
  /** The last event comes less than this many milliseconds after the first. */
  readonly within?: number
  /** Default none. */
  readonly skip?: Skip
  /**
   * How far behind the newest event another may be, in milliseconds, and still take its place in order. Events then
   * wait until time has passed them by that much. Default 0: events are taken as they come.
   */
  readonly lateness?: number
  /**
   * How far behind the time reached an event may be, in milliseconds, and still be taken as it comes: at the time
   * reached. What is matched is then a copy of it whose `time` is that time; conditions, windows and the match see no
   * other. For producers whose clocks differ a little: each key in order, all keys not quite. A window may so end early
   * by as much as the clocks differ. Means nothing with `lateness`, which puts events in order instead. Default 0: an
   * event behind the time reached is late.
   */
  readonly grace?: number
  /** More event types that the rule sees: they matter to strict contiguity only. */
  readonly events?: readonly string[]
  readonly aggregates?: readonly Aggregate[]
  /** Needed when there is no `within`. */
  readonly bounds?: Partial<Bounds>
  readonly policies?: BoundPolicies
  /**
   * With `lateness`: what puts events of one time in order, ascending; events with equal values stay in order of
   * arrival. Default: all in order of arrival.
   */
  readonly orderBy?: (event: StoredEvent) => number | string
  /**
   * With a skip strategy: a match is held back while a partial match of its key that began earlier lives, because that
   * could still rule it out. Default false: a match is put out as soon as it is certain.
   */
  readonly holdback?: boolean
  /** `flink`: exactly as Flink's NFA, also where that is surprising (docs/flink.md); turns `holdback` on. */
  readonly compat?: 'flink'
}

/** Stages that take events, those inside groups too, in order. */
export function takeStages(stages: readonly Stage[]): TakeStage[] {
  return stages.flatMap((stage) =>
    stage.kind === 'take' ? [stage] : stage.kind === 'group' ? takeStages(stage.stages) : [],
  )
}

/** Every stage that has a matcher, those inside groups too, in order. */
export function matchingStages(stages: readonly Stage[]): (TakeStage | NotStage)[] {
  return stages.flatMap((stage) => (stage.kind === 'group' ? matchingStages(stage.stages) : [stage]))
}

/** Event types that the stages name. */
export function stageTypes(stages: readonly Stage[]): string[] {
  return matchingStages(stages).flatMap((stage) => stage.events)
}
