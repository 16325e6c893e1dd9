import type { StoredEvent } from '../../event/event.js'
import { counts, decide, type Decision, type Standing } from './decision.js'
import type { Score } from './detector.js'

/** Why a value was no alarm. A closed set. */
export type NoAlarm =
  /** The detector does not know enough to score. */
  | { readonly kind: 'no-score' }
  /** In line with what was expected. */
  | { readonly kind: 'in-line' }
  /** Out of line, on the side that does not count. */
  | { readonly kind: 'other-side' }
  /** Out of line, but not as many in a row as are asked for. */
  | { readonly kind: 'too-few'; readonly row: number; readonly persist: number }
  /** The same finding goes on: its alarm was told at `since`, in event time, ms. */
  | { readonly kind: 'told'; readonly since: number }
  | { readonly kind: 'warm-up'; readonly seen: number; readonly warmUp: number }
  /** The last alarm was too short a time ago; `until` in event time, ms. */
  | { readonly kind: 'cool-down'; readonly until: number }

/** What a detector made of one value, as it is shown to who asks why there was no alarm. */
export interface Judgement {
  readonly key: string
  readonly event: StoredEvent
  /** In event time, ms. That of the event, but for a silence, which is judged when it was due. */
  readonly time: number
  /** null: nothing came, and that is the finding. */
  readonly value: number | readonly number[] | null
  readonly score: Score | null
  /** From which score a value is out of line. */
  readonly threshold: number
  /** undefined: it is an alarm. */
  readonly no: NoAlarm | undefined
}

/** As `decide`, and says why not. @returns undefined when it is an alarm */
export function judge(decision: Decision, standing: Standing, score: Score | null, time: number): NoAlarm | undefined {
  if (decide(decision, standing, score, time) && score !== null) return undefined
  if (score === null) return { kind: 'no-score' }
  const { threshold, persist, warmUp, coolDown } = decision
  if (score.score < threshold) return { kind: 'in-line' }
  if (!counts(decision, score.direction)) return { kind: 'other-side' }
  const [seen, row, told, toldAt] = standing
  if (seen <= warmUp) return { kind: 'warm-up', seen, warmUp }
  if (row < persist) return { kind: 'too-few', row, persist }
  if (told === 1) return { kind: 'told', since: toldAt ?? time }
  return { kind: 'cool-down', until: (toldAt ?? time) + coolDown }
}
