import type { RuleAtWork } from '../rule/rule-at-work.js'
import type { Begin } from '../engine/executor.js'

/** What a lane has counted of its events. */
export interface Counts {
  readonly events: number
  readonly raised: number
  readonly withoutKey: number
  readonly ahead: number
}

/** A rule of a set. */
export interface Member {
  /** Its place in the order in which rules were added. */
  readonly order: number
  readonly work: RuleAtWork
  /** With which events something can begin; undefined: it must be shown every event. */
  readonly begins: readonly Begin[] | undefined
  /** What its lane had counted when it last saw an event. */
  seen: Counts
  /** When it is to be looked at next, as its lane has noted it: for what time brings, and for what is due. In ms. */
  wakeAt: number
  dueAt: number
  /** The event for which it was last chosen. */
  chosenFor: number
}
