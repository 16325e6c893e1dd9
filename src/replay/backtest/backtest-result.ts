import type { Rule } from '../../cep/rule/rule.js'
import type { Difference } from './difference.js'
import type { FoundMatch } from './found-match.js'
import type { LiveDifference, LivePlace } from './live-outputs.js'
import type { PlanRequest, RangePlan } from './plan-range.js'
import type { RulePass } from './rule-pass.js'
import type { ScoreOptions, ScoreReport } from './score.js'
import type { Timeline } from './timeline.js'

/** What the rule is compared with. */
export type Against =
  /** What it, or the rule of this name, has emitted. */
  | { readonly kind: 'live'; readonly place: LivePlace }
  /** What another rule, or another version of it, finds. */
  | { readonly kind: 'rule'; readonly rule: Rule }

export interface BacktestOptions extends Omit<PlanRequest, 'rules' | 'types'> {
  readonly rule: Rule
  readonly against?: Against | undefined
  readonly score?: ScoreOptions | undefined
  /** Most matches of the range that are kept, the first of them. */
  readonly keep: number
  /** Told once what will be read. */
  readonly onPlan?: (plan: RangePlan) => void
  readonly onProgress?: (done: { readonly events: number; readonly messages: number; readonly of: number }) => void
  /** Takes each match of the range, in order. */
  readonly onMatch?: (found: FoundMatch) => void
  /** Called when some events were taken, and at the end; a promise holds back what is read next. */
  readonly onTaken?: () => void | Promise<void>
}

export interface Rejection {
  readonly sequence: number
  readonly code: string
  readonly detail: string
}

/** What became of a backtest. */
export interface BacktestResult {
  readonly rule: Rule
  readonly plan: RangePlan
  readonly ended: 'complete' | 'interrupted'
  /** Events of the range that the rule reads. */
  readonly events: number
  /** Events that were read before it, and matches among them. */
  readonly before: { readonly events: number; readonly matches: number }
  readonly pass: RulePass
  readonly there: RulePass | undefined
  /** Matches that could not be emitted. */
  readonly unemitted: number
  readonly matches: readonly FoundMatch[]
  readonly rejected: { readonly count: number; readonly samples: readonly Rejection[] }
  readonly timeline: Timeline
  readonly score: ScoreReport | undefined
  readonly scoreThere: ScoreReport | undefined
  readonly difference: Difference | undefined
  readonly live: LiveDifference | undefined
  /** In ms: all of it, and how much of it went into decoding and into the rules. */
  readonly spent: { readonly all: number; readonly decoding: number; readonly matching: number }
}
