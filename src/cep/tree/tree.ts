import type { Aggregate, BoundPolicies, Bounds, Matcher } from '../pattern/pattern.js'

/**
 * One event. With a `tag` it is found under that name in the match; without one it is among the match's events only.
 * `where` reads what was taken before the filter began to wait, in `bound` as in a stage.
 */
export interface FilterTree extends Matcher {
  readonly kind: 'filter'
  readonly tag?: string
}

/** One after the other: each part begins when the one before it is there, once for each time that it is. */
export interface SeqTree {
  readonly kind: 'seq'
  readonly parts: readonly Tree[]
}

/**
 * All of them, in any order; they run side by side and one event may serve several. A part that comes several times is
 * combined with everything that the others had. False for good as soon as one part is.
 */
export interface AndTree {
  readonly kind: 'and'
  readonly parts: readonly Tree[]
}

/** Any of them. When one part is complete for good, the others end with it. */
export interface OrTree {
  readonly kind: 'or'
  readonly parts: readonly Tree[]
}

/** True from its start until its part comes; false for good then. An event is shown to it before others. */
export interface NotTree {
  readonly kind: 'not'
  readonly part: Tree
}

/**
 * Its part again and again: the part begins anew each time it comes, and when it is false for good. A part that comes
 * more than once by itself multiplies, another `every` for instance: each coming adds one that runs beside it.
 */
export interface EveryTree {
  readonly kind: 'every'
  readonly part: Tree
}

/**
 * Its part as often as it comes, one after the other, until `end` comes: then it is true, and false for good when the
 * part came less than `min` times. After `max` times no more are taken. With `min` equal to `max` it is true as soon as
 * that many came. `end` sees an event before the part does.
 */
export interface UntilTree {
  readonly kind: 'until'
  readonly part: Tree
  readonly end: Tree
  /** Default 0. */
  readonly min?: number
  /** Default null: without limit. */
  readonly max?: number | null
}

/** Its part `count` times, one after the other. */
export interface RepeatTree {
  readonly kind: 'repeat'
  readonly part: Tree
  readonly count: number
}

/** True `ms` after it began: time does it, no event. */
export interface IntervalTree {
  readonly kind: 'interval'
  readonly ms: number
}

/** Its part, as long as less than `ms` have passed since it began; false for good then. */
export interface WithinTree {
  readonly kind: 'within'
  readonly part: Tree
  readonly ms: number
}

/** An expression of the pattern algebra, as data. */
export type Tree =
  FilterTree | SeqTree | AndTree | OrTree | NotTree | EveryTree | UntilTree | RepeatTree | IntervalTree | WithinTree

/**
 * What to look for, as a tree. `compileTree` makes it executable. For each key it begins at the key's first event that
 * the rule sees; without `every` around it, it comes at most once.
 */
export interface TreePattern {
  readonly tree: Tree
  /**
   * A key without an event for this long, in ms of event time, is forgotten with all that is under way; its next event
   * begins anew. Needed unless all that is under way ends by itself in time. A key that is as at its beginning is
   * forgotten at once: nobody can tell.
   */
  readonly forget?: number
  /** As of a `Pattern`: how far behind the newest event another may be, in ms, and still take its place in order. */
  readonly lateness?: number
  /** As of a `Pattern`: how far behind the time reached an event may be, in ms, and still be taken. */
  readonly grace?: number
  /** More event types that the rule sees: they begin a key, and keep it from being forgotten. */
  readonly events?: readonly string[]
  /** Values over tags; `stage` is the tag. */
  readonly aggregates?: readonly Aggregate[]
  /** `partialMatchesPerKey` is needed where nothing else bounds what is under way. */
  readonly bounds?: Partial<Bounds>
  readonly policies?: BoundPolicies
  /**
   * `esper`: time passes in jumps, and what a timer begins is begun at the time that was jumped to. Without it each timer
   * has its own time, so that what is found does not depend on how far time passed at once.
   */
  readonly compat?: 'esper'
}
