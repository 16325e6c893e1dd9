import type { Matcher } from '../pattern/pattern.js'
import type { Ground, Live, Parent } from './live.js'
import type { Traits } from './traits.js'

/** A part of a tree, ready to be run: `make` gives a running one. */
interface Base extends Traits {
  /** How it is named to people. */
  readonly shown: string
  readonly make: (parent: Parent, ground: Ground) => Live
}

export interface FilterPlan extends Base {
  readonly kind: 'filter'
  readonly tag: string | null
  readonly matcher: Matcher
  /** Its place in the order in which filters are shown an event: those that end something come first. */
  index: number
  /** It stands in a `not`, or in the end of an `until`. */
  readonly ends: boolean
  /** It waits when the tree begins. */
  starts: boolean
}

export interface PartsPlan extends Base {
  readonly kind: 'seq' | 'and' | 'or'
  readonly parts: readonly Plan[]
  /** For each part: how long the parts behind it take when no event comes, ms. */
  readonly idleAfter: readonly number[]
}

export interface NotPlan extends Base {
  readonly kind: 'not'
  readonly part: Plan
}

export interface EveryPlan extends Base {
  readonly kind: 'every'
  readonly part: Plan
}

export interface UntilPlan extends Base {
  readonly kind: 'until'
  readonly part: Plan
  /** None: of a `repeat`. */
  readonly end: Plan | null
  readonly min: number
  readonly max: number | null
}

export interface IntervalPlan extends Base {
  readonly kind: 'interval'
  readonly ms: number
}

export interface WithinPlan extends Base {
  readonly kind: 'within'
  readonly part: Plan
  readonly ms: number
}

export type Plan = FilterPlan | PartsPlan | NotPlan | EveryPlan | UntilPlan | IntervalPlan | WithinPlan
