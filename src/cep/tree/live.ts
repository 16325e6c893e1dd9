import type { StoredEvent } from '../../event/event.js'
import type { EndReason } from '../engine/partial.js'
import type { FilterPlan, Plan } from './plan.js'
import type { Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/**
 * What a running part tells who runs it. A part that has several things to say at once goes on when it was ended by the
 * first: what comes from a part that is no longer one's own is not listened to.
 */
export interface Parent {
  /**
   * The part came.
   * @param over it is complete for good, and runs no more
   */
  came(part: Live, taken: Taken | null, over: boolean): void
  /** The part is false for good, and runs no more. */
  failed(part: Live): void
}

/** A filter that waits for an event. */
export interface Waiting {
  readonly plan: FilterPlan
  readonly begin: Taken | null
  readonly order: number
  dead: boolean
  take(event: StoredEvent, at: number): void
}

/** A timer that is set. */
export interface Timer {
  readonly time: number
  readonly order: number
  readonly ground: Ground
  dead: boolean
  fire(): void
}

/** What the running parts of one key stand on. */
export interface Ground {
  /** Event time, ms. */
  readonly now: number
  /** Everything that waits is in order of its start. */
  nextOrder(): number
  wait(filter: Waiting): void
  leave(filter: Waiting): void
  set(timer: Timer): void
  cancel(timer: Timer): void
  /** Notes that `by` more things are held: what waits, and what was taken and is kept for later. */
  hold(by: number): void
  /** Whether more is held than is allowed; with the policy `fail` it throws. `newest`: what has come last should go. */
  overfull(): 'no' | 'oldest' | 'newest'
  /** How many combinations one event may complete. */
  readonly most: number
  /** Counts combinations that were not made because there are too many. */
  dropMatches(count: number): void
  /** Counts what a bound made go. */
  dropped(part: Live | null): void
  /** Says that something under way has ended without a match; for explanations only. */
  ended(part: Live, reason: EndReason): void
}

/** What a part shows of itself to who asks. */
export interface Glimpse {
  readonly taken: readonly Taken[]
  readonly waitsFor: readonly string[]
  readonly until: number
}

/** A part of a tree that runs. */
export abstract class Live {
  abstract readonly plan: Plan
  readonly parent: Parent
  readonly ground: Ground
  /** It runs no more. */
  dead = false
  /** What was taken before it began. */
  begin: Taken | null = null

  constructor(parent: Parent, ground: Ground) {
    this.parent = parent
    this.ground = ground
  }

  /** Begins, with what was taken before it. It may come or fail at once. */
  abstract start(begin: Taken | null): void
  /** Ends without a word. */
  abstract quit(): void
  /** When it comes next if no event does, ms; never later than it would. Infinity: only an event can bring it. */
  abstract readonly due: number
  /** When it is false for good if no event comes, ms; never later than it would. */
  abstract readonly endsBy: number
  /** Nothing has happened since it began that a part which began now would not have. */
  abstract readonly isFresh: boolean
  abstract write(writer: StateWriter): unknown
  /** Goes on from what `write` gave, instead of `start`. */
  abstract read(state: unknown, reader: StateReader): void
  abstract glimpses(): Glimpse[]
}
