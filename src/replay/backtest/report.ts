import type { Rule } from '../../cep/rule/rule.js'
import type { Against, BacktestResult } from './backtest-result.js'
import { matchReport, text, type FoundMatch, type MatchReport } from './found-match.js'
import type { LiveOutput } from './live-outputs.js'
import type { ScoreReport } from './score.js'
import type { TimelineReport } from './timeline.js'

/** A match that one side has and the other not, and why where that can be told. */
export interface DifferentMatch {
  readonly match: MatchReport
  readonly why: string | null
}

/** What a rule emitted live. */
export interface OutputReport {
  readonly id: string
  readonly type: string
  readonly key: string | null
  readonly time: string
  readonly cause: number
  readonly revision: string | null
  readonly data: unknown
}

export interface DifferenceReport {
  readonly kind: 'live' | 'rule'
  /** What it is compared with, for people. */
  readonly with: string
  readonly common: number
  readonly otherwise: number
  readonly onlyHere: number
  readonly onlyThere: number
  /** Found with events that the live rule has not come to yet. */
  readonly ahead: number
  /** Last sequence that was compared. */
  readonly reached: number
  readonly same: boolean
  readonly examples: {
    readonly otherwise: readonly { readonly here: MatchReport; readonly there: MatchReport | OutputReport }[]
    readonly onlyHere: readonly DifferentMatch[]
    readonly onlyThere: readonly (DifferentMatch | { readonly output: OutputReport; readonly why: string | null })[]
  }
}

/** What a backtest found, as one document. Its shape is stable: members may be added, none changes its meaning. */
export interface BacktestReport {
  readonly format: 1
  readonly rule: {
    readonly name: string
    readonly hash: string
    readonly file: string | null
    readonly text: string | null
  }
  readonly stream: string
  readonly range: {
    readonly first: number
    readonly last: number
    readonly begins: string | null
    readonly ends: string
    /** What was read before it, and is not counted. */
    readonly before: {
      readonly from: number
      readonly events: number
      readonly matches: number
      readonly enough: boolean
    }
  }
  readonly complete: boolean
  readonly events: number
  readonly matches: number
  readonly unemitted: number
  readonly timeouts: number
  readonly late: number
  readonly ahead: number
  readonly withoutKey: number
  readonly rejected: { readonly count: number; readonly samples: BacktestResult['rejected']['samples'] }
  readonly evaluationErrors: { readonly count: number; readonly samples: readonly string[] }
  /** What bounds dropped, by name; empty when nothing was. */
  readonly bounds: Readonly<Record<string, number>>
  /** Under way at the end. */
  readonly open: { readonly keys: number; readonly partialMatches: number }
  readonly speed: {
    readonly seconds: number
    readonly eventsPerSecond: number
    /** Shares of the time, together 1. Reading is what is left: the server, the network, the client. */
    readonly reading: number
    readonly decoding: number
    readonly matching: number
  }
  readonly timeline: {
    readonly width: number
    readonly outside: number
    readonly buckets: readonly {
      readonly time: string
      readonly events: number
      readonly matches: number
      readonly against: number
    }[]
  }
  readonly score: ScoreReport | null
  readonly scoreAgainst: ScoreReport | null
  readonly difference: DifferenceReport | null
  /** The first matches of the range; `more` are not among them. */
  readonly found: readonly MatchReport[]
  readonly more: number
}

export interface ReportDetails {
  readonly file: string | undefined
  readonly text: string | undefined
  readonly against: Against | undefined
  /** Says what the comparison is with. */
  readonly withName: string
  /** Most buckets of the timeline. */
  readonly buckets: number
  /** Why the other side does not have a match. */
  readonly why: ReadonlyMap<FoundMatch, string>
}

/** @param details what the report says besides what was found */
export function backtestReport(result: BacktestResult, details: ReportDetails): BacktestReport {
  const { rule, plan, pass, matches, rejected } = result
  const stats = pass.stats()
  const { counts, counters } = pass
  return {
    format: 1,
    rule: { name: rule.name, hash: rule.hash, file: details.file ?? null, text: details.text ?? null },
    stream: plan.stream,
    range: {
      first: plan.first,
      last: plan.last,
      begins: plan.begins === undefined ? null : text(plan.begins),
      ends: text(plan.ends),
      before: { from: plan.readFrom, ...result.before, enough: plan.isWarm },
    },
    complete: result.ended === 'complete',
    events: result.events,
    ...counts,
    unemitted: result.unemitted,
    ahead: counters.ahead,
    withoutKey: counters.withoutKey,
    rejected,
    evaluationErrors: { count: counters.evaluationErrors, samples: stats.errorSamples },
    bounds: counters.dropped,
    open: { keys: stats.keys, partialMatches: stats.partialMatches },
    speed: speedOf(result),
    timeline: timelineOf(result.timeline.report(details.buckets)),
    score: result.score ?? null,
    scoreAgainst: result.scoreThere ?? null,
    difference: differenceOf(result, details),
    found: matches.map(matchReport),
    more: counts.matches - matches.length,
  }
}

/** Whether it found the same as what it was compared with, in all of the range. */
export function isSame({ difference, complete }: BacktestReport): boolean {
  return complete && difference !== null && difference.same
}

function speedOf({ events, before, spent }: BacktestResult): BacktestReport['speed'] {
  const all = Math.max(spent.all, 0.001)
  const [decoding, matching] = [spent.decoding / all, spent.matching / all]
  return {
    seconds: all / 1_000,
    eventsPerSecond: Math.round(((events + before.events) * 1_000) / all),
    reading: Math.max(0, 1 - decoding - matching),
    decoding,
    matching,
  }
}

function timelineOf({ width, outside, buckets }: TimelineReport): BacktestReport['timeline'] {
  return { width, outside, buckets: buckets.map(({ time, ...counts }) => ({ time: text(time), ...counts })) }
}

function differenceOf(result: BacktestResult, details: ReportDetails): DifferenceReport | null {
  const { difference, live, plan } = result
  const why = (found: FoundMatch): DifferentMatch => ({
    match: matchReport(found),
    why: details.why.get(found) ?? null,
  })
  if (difference !== undefined) {
    const { examples, ...counts } = difference
    const pairs = examples.otherwise.map(({ here, there }) => ({ here: matchReport(here), there: matchReport(there) }))
    const same = counts.otherwise + counts.onlyHere + counts.onlyThere === 0
    const shown = { otherwise: pairs, onlyHere: examples.onlyHere.map(why), onlyThere: examples.onlyThere.map(why) }
    return { kind: 'rule', with: details.withName, ...counts, ahead: 0, reached: plan.last, same, examples: shown }
  }
  if (live === undefined) return null
  const { examples, ...counts } = live
  return {
    kind: 'live',
    with: details.withName,
    ...counts,
    same: counts.otherwise + counts.onlyHere + counts.onlyThere === 0 && counts.reached >= plan.first,
    examples: {
      otherwise: examples.otherwise.map(({ here, there }) => ({ here: matchReport(here), there: outputReport(there) })),
      onlyHere: examples.onlyHere.map(why),
      onlyThere: examples.onlyThere.map((output) => ({ output: outputReport(output), why: null })),
    },
  }
}

function outputReport({ id, type, key, time, cause, revision, data }: LiveOutput): OutputReport {
  return { id, type, key: key ?? null, time: text(time), cause, revision: revision ?? null, data }
}

/** For people: what a comparison is with. */
export function againstName(against: Against | undefined, rule: Rule): string {
  if (against === undefined) return ''
  return against.kind === 'live' ? `what ${rule.name} emitted live` : against.rule.name
}
