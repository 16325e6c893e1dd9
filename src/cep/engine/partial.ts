import type { StoredEvent } from '../../event/event.js'
import type { Judgement } from '../detect/judgement.js'

/** Something that has begun and is not complete, as it is shown to who asks why there is no match yet. */
export interface Partial {
  readonly key: string
  /** What was taken so far, in order: stage (or side) and event. */
  readonly taken: readonly { readonly stage: string; readonly event: StoredEvent }[]
  /** What would take it further: names of stages, or a sentence where there is no stage. */
  readonly waitsFor: readonly string[]
  /** Event time in ms at which its window closes; null when nothing closes it. */
  readonly until: number | null
}

/** Why something that had begun came to nothing, or was not begun. A closed set. */
export type EndReason =
  /** The window closed. */
  | { readonly kind: 'window' }
  /** An event came that must not come. */
  | { readonly kind: 'forbidden'; readonly stage: string; readonly event: StoredEvent }
  /** The next event had to be another: strict contiguity. */
  | { readonly kind: 'not-next'; readonly event: StoredEvent }
  /** A match ruled it out by the skip strategy. */
  | { readonly kind: 'skipped' }
  /** There was no room: a bound. */
  | { readonly kind: 'bound'; readonly bound: string }

/** Told of what comes to nothing, by executors that can tell. For explanations only: it changes nothing. */
export interface Trace {
  ended(partial: Partial, reason: EndReason, time: number): void
  /** Told of each value that a detector scored for itself, by key. */
  judged?(judgement: Judgement): void
}
