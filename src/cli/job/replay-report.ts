import type { JobOutcome } from '../../job/decide-again.js'
import type { CliContext } from '../context.js'
import { printJsonLine } from '../json.js'
import { count, counted, printTable, type Column } from '../table.js'
import { priceText } from './job-story.js'
import { summaryOf, type ReplayRow, type Spent } from './replay-rows.js'

export interface ReplayReport {
  readonly rows: readonly ReplayRow[]
  /** What was asked; undefined: nothing, answers are those that were recorded. */
  readonly asked: string | undefined
  /** All that the comparison has cost, that of jobs which are not done among it. */
  readonly spent: Spent
  /** Of the prices; undefined: what calls cost is not known. */
  readonly currency: string | undefined
  readonly ended: 'complete' | 'interrupted' | 'max-cost'
  /** Jobs that it was to be about. */
  readonly jobs: number
  /** Whether those that came to the same are printed, too. */
  readonly all: boolean
  /** Where the answers are. */
  readonly file: string | undefined
}

const COLUMNS: readonly Column<ReplayRow>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'JOB', value: ({ name }) => name },
  { title: 'VERDICT', value: ({ verdict }) => verdict },
  { title: 'OLD', value: ({ old }) => outcomeText(old) },
  { title: 'NEW', value: ({ now }) => outcomeText(now) },
  {
    title: 'BY A HUMAN',
    flexible: true,
    value: ({ human }) => (human === undefined ? '' : `${JSON.stringify(human.decision)} ${human.by}: ${human.why}`),
  },
]

/** As lines of JSON: each job, then the summary. */
export function printReplayJson(context: CliContext, report: ReplayReport): void {
  for (const row of report.rows) printJsonLine(context, { kind: 'job', ...row })
  const { asked = null, ended, jobs, currency = null, file = null, spent } = report
  const summary = summaryOf(report.rows)
  const known = currency === null ? { ...spent, nanos: null } : spent
  printJsonLine(context, { kind: 'summary', asked, ended, of: jobs, ...summary, comparison: known, currency, file })
}

/** What differs, side by side, and the figures. */
export function printReplay({ out, err }: CliContext, report: ReplayReport): void {
  const { rows, asked, all, ended, jobs } = report
  const shown = rows.filter(({ verdict, human }) => all || verdict !== 'same' || human !== undefined)
  if (shown.length > 0) {
    printTable(out, COLUMNS, shown)
    out.line()
  }
  const { same, changed, failed, open, human, otherText, spent } = summaryOf(rows)
  const how = asked === undefined ? 'decided again from recorded answers' : `asked again: ${asked}`
  const figures = `${count(same)} same, ${count(changed)} changed, ${count(failed)} failed, ${count(open)} open`
  const of = rows.length < jobs ? ` of ${count(jobs)}` : ''
  out.line(out.style('bold', `${count(rows.length)}${of} ${jobs === 1 ? 'job' : 'jobs'} ${how}`))
  out.line(figures)
  if (human.jobs > 0)
    out.line(`as a human decided ${counted(human.jobs, 'job')}: old ${count(human.old)}, new ${count(human.now)}`)
  if (otherText > 0)
    err.line(
      `${err.style('yellow', 'note')} ${counted(otherText, 'job')} asked with another text of a prompt than is declared under its version`,
    )
  if (asked !== undefined) {
    out.line(`recorded calls of these: ${spentText(spent.old, report.currency)}`)
    out.line(`this comparison: ${spentText(report.spent, report.currency)}`)
  }
  if (ended === 'max-cost') err.line('stopped: the next call may pass --max-cost')
  if (ended !== 'complete' && report.file !== undefined)
    err.line(`go on with: millrace job replay --resume ${report.file}`)
}

function spentText({ calls, inputTokens, outputTokens, nanos }: Spent, currency: string | undefined): string {
  const price = currency === undefined ? 'no prices' : `${priceText(nanos)} ${currency}`
  return `${counted(calls, 'call')}, ${count(inputTokens)} tokens in, ${count(outputTokens)} out, ${price}`
}

function outcomeText(outcome: JobOutcome): string {
  switch (outcome.kind) {
    case 'decided':
      return JSON.stringify(outcome.decision)
    case 'dead':
      return `dead: ${outcome.code ?? outcome.reason}`
    case 'open':
      return 'would be asked'
  }
}
