import type { RuleAtWork } from '../rule/rule-at-work.js'
import type { Begin } from '../engine/executor.js'

/** What a lane has counted of its events. */
export interface Counts {
  readonly events: number
  readonly raised: number
  readonly withoutKey: number
  readonly ahead: number
}

/** Values of which an event must have one at a path of names in its data. */
export interface Only {
  readonly path: readonly string[]
  readonly values: ReadonlySet<unknown>
}

/** What all that concerns a rule has in common. */
export function onlyOf(concerns: readonly Begin[] | undefined): Only | undefined {
  for (const { path } of concerns?.[0]?.equals ?? []) {
    const text = JSON.stringify(path)
    const all = concerns?.map(({ equals }) => equals.find((each) => JSON.stringify(each.path) === text)) ?? []
    if (all.every((each) => each !== undefined)) return { path, values: new Set(all.flatMap(({ values }) => values)) }
  }
  return undefined
}

/** A rule of a set. */
export interface Member {
  /** Its place in the order in which rules were added. */
  readonly order: number
  readonly work: RuleAtWork
  /** With which events something can begin; undefined: it must be shown every event. */
  readonly begins: readonly Begin[] | undefined
  /** What an event must have to change anything of it but the time; undefined: it may be any event. */
  readonly only: Only | undefined
  /** What its lane had counted when it last saw an event. */
  seen: Counts
  /** When it is to be looked at next, as its lane has noted it: for what time brings, and for what is due. In ms. */
  wakeAt: number
  dueAt: number
  /** The event for which it was last chosen. */
  chosenFor: number
}
