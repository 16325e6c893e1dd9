import { EXIT } from '../../error/exit-code.js'
import { fault } from '../../error/millrace-error.js'
import { backtest } from '../../replay/backtest/backtest.js'
import type { BacktestOptions, BacktestResult } from '../../replay/backtest/backtest-result.js'
import { matchReport, type FoundMatch } from '../../replay/backtest/found-match.js'
import type { RangePlan } from '../../replay/backtest/plan-range.js'
import { backtestReport, isSame, type BacktestReport } from '../../replay/backtest/report.js'
import { parseDuration } from '../../time/duration.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped, settled } from '../or-stopped.js'
import { createProgress } from '../progress.js'
import { openOutput, type FileOutput } from '../replay/file-output.js'
import { count } from '../table.js'
import { checkFlags, type BacktestFlags } from './backtest-flags.js'
import { backtestJob, type BacktestJob } from './backtest-job.js'
import { driftNote, liveNotes } from './deployed-state.js'
import { printBacktest } from './print-backtest.js'
import { rangeOf, type AskedRange } from './range-flags.js'
import { reportPage } from './report-page.js'
import { whyOnly, type WhyOnly } from './why-only.js'

/** Most matches in one JSON document; --out has no limit. */
const MOST_IN_JSON = 100_000
/** Most matches in the page. */
const MOST_IN_PAGE = 500
const BUCKETS = 180

/**
 * Backtests a rule and says what it found.
 * @throws USAGE, LABEL_INVALID, RULE_INVALID, DECLARATION_UNKNOWN, REPLAY_RANGE_INVALID, STREAM_NOT_FOUND, OUTPUT_UNWRITABLE
 *   and errors of the broker
 */
export async function backtestCommand(context: CliContext, given: string, flags: BacktestFlags): Promise<void> {
  checkFlags(flags)
  const asked = rangeOf(flags, context.clock.now())
  if (asked === undefined) throw fault('USAGE', 'where to begin is missing: --from or --last; all of it: --from 1')
  const deployment = await context.deployment({ rules: false })
  const job = await backtestJob(context, given, flags, deployment)
  const out = flags.out === undefined ? undefined : await openOutput(flags.out, false)
  const page = flags.html === undefined ? undefined : await openOutput(flags.html, false)
  for (const file of [out, page]) if (file !== undefined) context.atEnd(() => file.close())
  const { result, report } = await run(context, { flags, asked, job, out, registry: deployment.registry })
  await page?.write(reportPage(report))
  const live = report.difference?.kind === 'live' ? liveNotes(job, job.state, report.range.first) : []
  if (context.json)
    printJson(context, { ...report, notes: [driftNote(job, job.state), ...live].filter((n) => n !== undefined) })
  else {
    printBacktest(context.out, report, { show: flags.show, out: flags.out, html: flags.html })
    for (const note of live) context.out.line(`${context.out.style('yellow', 'note')} ${note}`)
  }
  if (result.ended === 'interrupted') context.err.line('Stopped: this is what was found until then.')
  if (flags.check === true && !isSame(report)) context.exitWith(EXIT.check)
}

interface Setting {
  readonly flags: BacktestFlags
  readonly asked: AskedRange
  readonly job: BacktestJob
  readonly out: FileOutput | undefined
  readonly registry: Parameters<typeof backtest>[0]['registry']
}

async function run(
  context: CliContext,
  { flags, asked, job, out, registry }: Setting,
): Promise<{ result: BacktestResult; report: BacktestReport }> {
  const { clock, signal, json } = context
  const connection = await orStopped(context.connect(), signal)
  const progress = createProgress(context, { label: `backtesting ${job.rule.name}`, unit: 'events' })
  const keep = json ? MOST_IN_JSON : flags.html === undefined ? flags.show : Math.max(MOST_IN_PAGE, flags.show)
  const options = {
    connection,
    clock,
    registry,
    signal,
    stream: job.stream,
    rule: job.rule,
    against: job.against,
    score: job.score,
    keep,
    ...asked,
    warmUp: warmUpOf(flags),
  }
  try {
    const running = backtest({
      ...options,
      onPlan: (plan) => {
        if (!json)
          for (const note of notesOf(plan, job)) context.err.line(`${context.err.style('yellow', 'note')} ${note}`)
      },
      onProgress: ({ events, messages, of }) => progress.update(events, of === 0 ? 1 : messages / of),
      ...(out === undefined ? {} : writerTo(out)),
    })
    const result = await settled(context, running)
    const why = await settled(context, whysOf(result, job, { connection, clock, signal, registry, stream: job.stream }))
    const details = { ...job, buckets: BUCKETS, why }
    return { result, report: backtestReport(result, details) }
  } finally {
    progress.end()
  }
}

function whysOf(
  result: BacktestResult,
  job: BacktestJob,
  reading: WhyOnly['reading'],
): Promise<Map<FoundMatch, string>> {
  if (job.against?.kind !== 'rule') return Promise.resolve(new Map())
  return whyOnly(result, { here: job, there: { rule: job.against.rule, text: job.againstText }, reading })
}

/** Matches as lines, many in one write. */
function writerTo(out: FileOutput): Pick<BacktestOptions, 'onMatch' | 'onTaken'> {
  let lines: string[] = []
  return {
    onMatch: (found) => void lines.push(`${JSON.stringify(matchReport(found))}\n`),
    onTaken: () => {
      if (lines.length === 0) return
      const text = lines.join('')
      lines = []
      return out.write(text)
    },
  }
}

function warmUpOf({ warmUp }: BacktestFlags): number | undefined {
  if (warmUp === undefined) return undefined
  if (warmUp === 'all') return Number.POSITIVE_INFINITY
  return warmUp === '0' || warmUp === 'none' ? 0 : parseDuration(warmUp)
}

function notesOf({ notices, readFrom, first, isWarm, stream }: RangePlan, job: BacktestJob): string[] {
  const { rule } = job
  const drift = driftNote(job, job.state)
  const notes = notices.map((notice) =>
    notice.kind === 'begins-later'
      ? `${stream} begins at sequence ${count(notice.first)}: nothing is stored before it now`
      : `${stream} ends at sequence ${count(notice.last)} now`,
  )
  if (readFrom < first)
    notes.push(
      `reads from sequence ${count(readFrom)}, for what began before ${count(first)}; matches before are not counted`,
    )
  if (!isWarm) notes.push(`${rule.name} begins at ${count(first)} without what it would remember from before`)
  return drift === undefined ? notes : [drift, ...notes]
}
