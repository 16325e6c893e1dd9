import type { EventReport } from '../../replay/backtest/found-match.js'
import type { ExplanationReport, PartialReport } from '../../replay/explain/explanation-report.js'
import { plain } from '../backtest/plain.js'
import type { Output } from '../output.js'
import { count, counted } from '../table.js'
import { printReadings } from './print-readings.js'

/** Most events of one partial match that are printed. */
const MOST_EVENTS = 6

/** What became of the events of a key, for a person. */
export function printExplanation(
  out: Output,
  report: ExplanationReport,
  { show, isRange }: { readonly show: number; readonly isRange: boolean },
): void {
  const { rule, key, stream, range, clock, partials } = report
  const where = isRange
    ? `sequences ${count(range.first)} to ${count(range.last)}`
    : `up to sequence ${count(range.last)}`
  out.line(`${out.style('bold', rule)}, key ${plain(key)}, ${stream} ${where}`)
  if (clock !== null) out.line(out.style('gray', `event time has come to ${clock}`))
  if (!report.known) {
    const like = report.nearest === null ? '' : `; did you mean ${plain(report.nearest)}?`
    const from = isRange && range.readFrom >= range.first ? '' : ` from sequence ${count(range.readFrom)} on`
    return out.line(out.style('yellow', `no event that the rule reads has this key${from}${like}`))
  }
  if (report.readings !== undefined) return printReadings(out, report.readings, show)
  const now = isRange ? 'under way at the end' : 'under way now'
  out.line(partials.length === 0 ? `nothing is ${now}` : `${now}: ${count(partials.length)}`)
  for (const partial of partials.slice(-show)) printPartial(out, partial)
  more(out, partials.length - show)
  if (!isRange && partials.length === 0) out.line('with --last 1h or --from: what came of its events')
  if (!isRange) return
  printMatches(out, report, show)
  printEnded(out, report, show)
  printNothing(out, report, show)
}

function printPartial(out: Output, { reached, taken, waitsFor, until }: PartialReport): void {
  const waits = waitsFor.length === 0 ? 'is complete but for time' : `waits for ${waitsFor.join(' or ')}`
  const window = until === null ? '' : `, until ${until}`
  out.line(`  at ${out.style('bold', reached)}, ${waits}${window}`)
  printEvents(out, taken)
}

function printMatches(out: Output, { matches }: ExplanationReport, show: number): void {
  if (matches.length === 0) return
  out.line(`found: ${counted(matches.length, 'match', 'matches')}`)
  for (const { time, events } of matches.slice(-show)) {
    out.line(`  ${out.style('green', 'match')} at ${time}`)
    printEvents(out, events)
  }
  more(out, matches.length - show)
}

function printEnded(out: Output, { ended }: ExplanationReport, show: number): void {
  if (ended.length === 0) return
  out.line(`came to nothing: ${count(ended.length)}`)
  for (const { reached, taken, why, time } of ended.slice(-show)) {
    out.line(`  at ${out.style('bold', reached)}: ${plain(why)} ${out.style('gray', `(${time})`)}`)
    printEvents(out, taken)
  }
  more(out, ended.length - show)
}

function printNothing(out: Output, { nothing, events }: ExplanationReport, show: number): void {
  if (events === 0) out.line('the range has no event of this key that the rule reads')
  if (nothing.length === 0) return
  out.line(`began nothing and took nothing further: ${count(nothing.length)} of ${counted(events, 'event')}`)
  for (const { event, why } of nothing.slice(-show)) out.line(`  ${nameOf(event)}: ${plain(why)}`)
  more(out, nothing.length - show)
}

function printEvents(out: Output, taken: readonly (EventReport & { readonly stage: string })[]): void {
  const shown = taken.length > MOST_EVENTS ? [...taken.slice(0, MOST_EVENTS - 1), ...taken.slice(-1)] : taken
  for (const [at, event] of shown.entries()) {
    if (at === shown.length - 1 && taken.length > shown.length)
      out.line(out.style('gray', `    and ${count(taken.length - shown.length)} more between`))
    out.line(out.style('gray', `    ${event.stage}: ${nameOf(event)} ${plain(event.id)}`))
  }
}

function nameOf({ type, sequence, time }: EventReport): string {
  return `${type} (sequence ${sequence}, ${time})`
}

function more(out: Output, rest: number): void {
  if (rest > 0) out.line(out.style('gray', `  and ${count(rest)} before; --show or --json has them`))
}
