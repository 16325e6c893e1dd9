import type { MatchReport } from '../../replay/backtest/found-match.js'
import type { BacktestReport } from '../../replay/backtest/report.js'
import type { ScoreReport } from '../../replay/backtest/score.js'
import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { count, counted } from '../table.js'
import { plain } from './plain.js'
import { printDifference } from './print-difference.js'
import { perBar, sparkline } from './sparkline.js'

export interface Shown {
  /** Matches that are printed. */
  readonly show: number
  /** Files that were written. */
  readonly out: string | undefined
  readonly html: string | undefined
}

/** What a backtest found, for a person. */
export function printBacktest(out: Output, report: BacktestReport, { show, out: file, html }: Shown): void {
  for (const match of report.found.slice(0, show)) printMatch(out, match)
  const rest = report.matches - Math.min(show, report.found.length)
  if (rest > 0 && show > 0) out.line(out.style('gray', `and ${count(rest)} more; --show, --out or --json has them`))
  if (report.matches > 0 && show > 0) out.line()
  printCounts(out, report)
  printTimeline(out, report)
  if (report.score !== null) printScore(out, report.score, report.scoreAgainst)
  if (report.difference !== null) printDifference(out, report.difference)
  for (const problem of problemsOf(report)) out.line(`${out.style('yellow', 'note')} ${problem}`)
  if (file !== undefined) out.line(`matches: ${file}`)
  if (html !== undefined) out.line(`report: ${html}`)
}

function printMatch(out: Output, match: MatchReport): void {
  const stages = Object.entries(match.stages).map(
    ([stage, events]) => `${stage} ${events.map(({ sequence }) => sequence).join(',')}`,
  )
  const span = match.from === match.to ? match.from : `${match.from} to ${match.to}`
  out.line(`${out.style('bold', plain(match.key))}  ${span}  ${out.style('gray', `sequences: ${stages.join('; ')}`)}`)
  if (match.emits !== null) out.line(`    ${match.emits.type} ${plain(JSON.stringify(match.emits.data))}`)
  else out.line(`    ${out.style('red', 'cannot be emitted:')} ${plain(match.problem ?? '')}`)
}

function printCounts(out: Output, report: BacktestReport): void {
  const { rule, stream, range, events, matches, speed } = report
  const text = rule.file === null || rule.file === rule.name ? '' : ` (${plain(rule.file)})`
  const span = range.last < range.first ? 'nothing' : `sequences ${count(range.first)} to ${count(range.last)}`
  const found = out.style('bold', counted(matches, 'match', 'matches'))
  out.line(`${rule.name}${text} over ${stream}, ${span}: ${found} in ${counted(events, 'event')}`)
  const shares = (['reading', 'decoding', 'matching'] as const).map((part) => `${part} ${percent(speed[part])}`)
  const rate = `${count(speed.eventsPerSecond)} events/s`
  out.line(
    `${formatDuration(Math.round(speed.seconds * 1_000))}, ${rate} (${shares.join(', ')}); nothing was published`,
  )
}

function printTimeline(out: Output, { timeline, difference }: BacktestReport): void {
  const { buckets } = timeline
  const [first] = buckets
  const last = buckets.at(-1)
  if (first === undefined || last === undefined) return
  const width = Math.min(out.columns - 10, 100)
  const row = (label: string, counts: readonly number[]): void =>
    out.line(`${label.padEnd(8)} ${sparkline(counts, width)}`.trimEnd())
  row(
    'events',
    buckets.map(({ events }) => events),
  )
  row(
    'matches',
    buckets.map(({ matches }) => matches),
  )
  if (difference !== null)
    row(
      difference.kind === 'live' ? 'live' : 'other',
      buckets.map(({ against }) => against),
    )
  out.line(
    out.style(
      'gray',
      `${' '.repeat(9)}${first.time} to ${last.time}, ${formatDuration(timeline.width * perBar(buckets.length, width))} a bar`,
    ),
  )
}

function printScore(out: Output, score: ScoreReport, against: ScoreReport | null): void {
  const line = ({ precision, recall, f1 }: ScoreReport): string =>
    `precision ${percent(precision)}  recall ${percent(recall)}  F1 ${f1 === null ? '-' : f1.toFixed(3)}`
  out.line(`${out.style('bold', line(score))}  by ${plain(score.label)}`)
  const what = score.by === 'key' ? 'key' : score.kind === 'event' ? 'label event' : 'labelled event'
  out.line(
    `  ${count(score.truePositives)} of ${counted(score.matches, 'match', 'matches')} right; ${count(score.found)} of ${counted(score.labelled, what)} found`,
  )
  if (against !== null) out.line(`  the other: ${line(against)}`)
}

/** What of the events or the rule was not as it should be. */
export function problemsOf(report: BacktestReport): string[] {
  const { late, ahead, withoutKey, rejected, evaluationErrors, bounds, unemitted, score, complete } = report
  const dropped = Object.entries(bounds).map(([name, times]) => `${count(times)} ${words(name)}`)
  const [sample] = rejected.samples
  const lines: (string | false)[] = [
    !complete && 'it was stopped before the end of the range',
    late > 0 && `${counted(late, 'event')} too late to be matched`,
    ahead > 0 && `${counted(ahead, 'event')} dated too far after being stored: live, dead letters`,
    withoutKey > 0 && `${counted(withoutKey, 'event')} without a key for this rule`,
    rejected.count > 0 &&
      `${counted(rejected.count, 'message')} that ${rejected.count === 1 ? 'is no event' : 'are no events'}: live, dead letters; first at ${sample?.sequence}: ${sample?.code} ${sample?.detail}`,
    evaluationErrors.count > 0 &&
      `${counted(evaluationErrors.count, 'condition')} without a value, first: ${evaluationErrors.samples[0] ?? ''}`,
    dropped.length > 0 && `bounds of the rule were hit, and dropped: ${dropped.join(', ')}`,
    unemitted > 0 && `${counted(unemitted, 'match', 'matches')} not to be emitted: live, dead letters`,
    score !== null && score.unlabelled > 0 && `${counted(score.unlabelled, 'event')} without the label`,
  ]
  return lines.filter((line) => line !== false)
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

/** A share for people: 12.3 %. */
export function percent(share: number | null): string {
  if (share === null) return '-'
  const value = share * 100
  return `${value === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)}%`
}
