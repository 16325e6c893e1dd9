import type { CompileOptions } from '../compile-pattern.js'
import type { Condition } from './earlier.js'
import type { BoundPolicies, Bounds, Pattern } from './pattern.js'
import type { EarlierOf, EventIn, Events, Shape, Shapes } from './stage-shape.js'
import type { TypedPattern } from './typed-pattern.js'

/** A time in milliseconds or as text: `10m`. */
export type Time = number | string

/** What is known of the last stage: decides what may be said of it next. */
export interface Last {
  readonly kind: 'stage' | 'group' | 'not'
  readonly any: boolean
  readonly repeat: 'once' | 'times' | 'open'
  readonly optional: boolean
}

type Set<L extends Last, Change extends Partial<Last>> = {
  readonly [K in keyof Last]: K extends keyof Change ? Exclude<Change[K], undefined> : L[K]
}
type Once<Kind extends Last['kind'], Any extends boolean = false> = {
  readonly kind: Kind
  readonly any: Any
  readonly repeat: 'once'
  readonly optional: false
}
type With<S extends Shapes, Name extends string, E> = S & {
  readonly [N in Name]: { readonly event: E; readonly many: false; readonly optional: false }
}
type Change<S extends Shapes, Names extends keyof S, Changed extends Partial<Shape>> = {
  readonly [N in keyof S]: N extends Names ? Omit<S[N], keyof Changed> & Changed & Shape : S[N]
}
/** A name that is not taken; of one that is, an error that says so. */
type New<S extends Shapes, Name extends string> = Name extends keyof S ? `${Name} is the name of another stage` : Name

/** Adds a stage, or a group: a pattern of its own. */
interface Adds<S extends Shapes, Any extends boolean> {
  <const Name extends string, const E extends Events>(
    name: Name & New<S, Name>,
    events: E,
    where?: Condition<EventIn<E>, EarlierOf<S & OwnStage<Name, E>>>,
  ): Chain<With<S, Name, EventIn<E>>, Name, Once<'stage', Any>>
  <G extends Shapes>(group: Group<G>): Chain<S & G, keyof G, Once<'group', Any>>
}
type OwnStage<Name extends string, E> = {
  readonly [N in Name]: { readonly event: EventIn<E>; readonly many: true; readonly optional: true }
}

/** Adds what must not come. The name is for explanations. */
type AddsNot<S extends Shapes> = <const E extends Events>(
  name: string,
  events: E,
  where?: Condition<EventIn<E>, EarlierOf<S>>,
) => Chain<S, never, Once<'not'>>

/** Any chain can stand as a group in another. */
export interface Group<S extends Shapes> {
  readonly shapes?: S
}

/** What follows, and what is said of the whole pattern. */
interface Whole<S extends Shapes, Names extends keyof S, L extends Last> extends Group<S> {
  /** The very next event. */
  readonly next: Adds<S, false>
  /** The next event that satisfies it, whatever lies between. */
  readonly followedBy: Adds<S, false>
  /** Each later event that satisfies it: one match for each. */
  readonly followedByAny: Adds<S, true>
  /** The last event comes less than this after the first. */
  within(time: Time): Chain<S, Names, L>
  /** What a match does to the others of its key; see `Skip`. */
  skip(to: 'none' | 'next' | 'past-last'): Chain<S, Names, L>
  skip(to: 'to-first' | 'to-last', stage: keyof S & string, options?: { throwOnMiss?: boolean }): Chain<S, Names, L>
  /** What belongs together. */
  key(of: (event: S[keyof S]['event']) => string | undefined): Chain<S, Names, L>
  /** More event types that strict contiguity sees. */
  sees(events: Events): Chain<S, Names, L>
  lateness(time: Time): Chain<S, Names, L>
  grace(time: Time): Chain<S, Names, L>
  bounds(bounds: Partial<Bounds>, policies?: BoundPolicies): Chain<S, Names, L>
  /** The rest of what a pattern can say of itself. */
  options(options: Pick<Pattern, 'orderBy' | 'holdback' | 'compat'>): Chain<S, Names, L>
  /** The pattern as data. */
  data(): Pattern
  /** @throws PATTERN_INVALID with every fault found */
  compile(options?: CompileOptions): TypedPattern<S>
}

interface Nots<S extends Shapes> {
  /** The very next event is not one of these. */
  readonly notNext: AddsNot<S>
  /** None of these comes before what follows; as the last stage: before the window closes. */
  readonly notFollowedBy: AddsNot<S>
}

interface Gap<S extends Shapes, Names extends keyof S, L extends Last> {
  /** It comes less than this after the event taken before it; as the last `not`: that long nothing of it comes. */
  withinPrev(time: Time): Chain<S, Names, L>
}

interface Optional<S extends Shapes, Names extends keyof S, L extends Last> {
  /** It may be left out. */
  optional(): Chain<Change<S, Names, { readonly optional: true }>, Names, Set<L, { optional: true }>>
}

interface Repeats<S extends Shapes, Names extends keyof S, L extends Last> {
  /** So many times; with a second number between the two; with null that many at least. */
  times(count: number): Chain<Change<S, Names, { readonly many: true }>, Names, Set<L, { repeat: 'times' }>>
  times(min: number, max: number): Chain<Change<S, Names, { readonly many: true }>, Names, Set<L, { repeat: 'times' }>>
  times(min: number, max: null): Chain<Change<S, Names, { readonly many: true }>, Names, Set<L, { repeat: 'open' }>>
  oneOrMore(): Chain<Change<S, Names, { readonly many: true }>, Names, Set<L, { repeat: 'open' }>>
}

interface Repeated<S extends Shapes, Names extends keyof S, L extends Last> {
  /** Nothing lies between the repetitions. */
  consecutive(): Chain<S, Names, L>
  /** Every combination of repetitions. */
  combinations(): Chain<S, Names, Set<L, { any: true }>>
  /** Each repetition comes less than this after the one before. */
  timesWindow(time: Time): Chain<S, Names, L>
}

interface Greedy<S extends Shapes, Names extends keyof S, L extends Last> {
  /** While an event satisfies the repetition, the match does not move on with it. */
  greedy(): Chain<S, Names, L>
}

interface Open<S extends Shapes, Names extends keyof S, L extends Last> {
  /** From the first such event the repetition takes nothing more. */
  until<const E extends Events>(events: E, where?: Condition<EventIn<E>, EarlierOf<S>>): Chain<S, Names, L>
}

/** A pattern being written. Each call gives a new one. What may be said depends on the last stage. */
export type Chain<S extends Shapes, Names extends keyof S, L extends Last> = Whole<S, Names, L> &
  Gap<S, Names, L> &
  (L['optional'] extends true ? unknown : Nots<S>) &
  (L['kind'] extends 'not'
    ? unknown
    : (L['optional'] extends true ? unknown : Optional<S, Names, L>) &
        (L['repeat'] extends 'once'
          ? Repeats<S, Names, L>
          : Repeated<S, Names, L> &
              (L['repeat'] extends 'open' ? Open<S, Names, L> : unknown) &
              (L['kind'] extends 'stage' ? (L['any'] extends true ? unknown : Greedy<S, Names, L>) : unknown)))

/** A pattern without a stage. */
export interface Beginning {
  /** The first stage: each event that satisfies it begins a partial match. */
  readonly begin: Adds<Record<never, never>, false>
}
