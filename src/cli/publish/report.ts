import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { issueLine } from '../print-error.js'
import { rate } from '../progress.js'
import { count, counted } from '../table.js'
import type { RejectedLine, Rejections } from './rejections.js'

/** What became of an input. */
export interface PublishOutcome {
  readonly input: string
  readonly published: number
  readonly duplicates: number
  readonly rejections: Rejections
  readonly byStream: ReadonlyMap<string, number>
  readonly ms: number
  readonly isDryRun: boolean
  /** The first line that is not settled; undefined when all are. */
  readonly resumeLine: number | undefined
}

/** Most rejected lines that are shown; --rejected FILE has all. */
const SHOWN = 20

/** Totals on `out`, each rejected line on `err` as `file:line: code detail`. */
export function printReport(out: Output, err: Output, outcome: PublishOutcome): void {
  const { published, duplicates, rejections, byStream, ms, isDryRun, input } = outcome
  const kept = rejections.kept
  for (const rejected of kept.slice(0, SHOWN)) printRejected(err, input, rejected)
  if (rejections.count > SHOWN)
    err.line(`and ${count(rejections.count - SHOWN)} more rejected lines; --rejected FILE writes all of them`)
  const streams = [...byStream.keys()].join(', ')
  const verb = isDryRun ? 'would publish' : 'published'
  const to = streams === '' ? '' : ` to ${streams}`
  out.line(`${verb} ${counted(published, 'event')}${to} in ${formatDuration(ms)}, ${rate(published + duplicates, ms)}`)
  if (duplicates > 0)
    out.line(`${counted(duplicates, 'event')} stored before: same id within the stream’s duplicate window`)
  if (rejections.count > 0) {
    const codes = [...rejections.byCode].map(([code, times]) => `${code} ${count(times)}`).join(', ')
    out.line(`rejected ${count(rejections.count)}: ${codes}`)
  }
}

/** The same for machines. */
export function reportJson(outcome: PublishOutcome): object {
  const { rejections, ms, published, byStream, resumeLine } = outcome
  return {
    input: outcome.input,
    dryRun: outcome.isDryRun,
    published,
    duplicates: outcome.duplicates,
    rejected: rejections.count,
    byStream: Object.fromEntries(byStream),
    byCode: Object.fromEntries(rejections.byCode),
    seconds: ms / 1_000,
    resumeLine: resumeLine ?? null,
    rejections: rejections.kept,
  }
}

function printRejected(err: Output, input: string, { line, code, detail, issues }: RejectedLine): void {
  err.line(`${input}:${line}: ${err.style('yellow', code)} ${detail}`)
  const more = issues.length > 1 ? issues : []
  for (const issue of more) err.line(`    ${issueLine(issue)}`)
}
