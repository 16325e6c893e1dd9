import { fault } from '../../error/millrace-error.js'
import { jobOf } from '../../job/decide-job.js'
import type { JobEvent } from '../../job/job-event.js'
import type { JobAccount, JobState } from '../../job/job-state.js'
import { readJob } from '../../runtime/open-job.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { count, counted, printTable, type Column } from '../table.js'
import { priceOf, saidBy, standingOf } from './job-story.js'
import { timeText } from './job-time.js'
import { whyItWaits } from './why-it-waits.js'

interface Found {
  /** Of its records. */
  readonly stream: string
  readonly account: JobAccount
  readonly state: JobState
  readonly events: readonly JobEvent[]
  /** Why it is not begun; undefined: it is, or its turn comes. */
  readonly waitsFor: string | undefined
}

const COLUMNS: readonly Column<JobEvent>[] = [
  { title: 'TIME', value: ({ at }) => timeText(at) },
  { title: 'EVENT', value: ({ type }) => type },
  { title: 'ATTEMPT', align: 'right', value: (event) => ('attempt' in event ? count(event.attempt) : '') },
  { title: 'WHAT', flexible: true, value: (event) => saidBy(event, timeText) },
]

/**
 * Prints all that became of a job, from its events alone; of each where contexts have jobs with this id.
 * @throws JOB_NOT_FOUND, JOB_HISTORY_INVALID, and errors of the broker
 */
export async function showCommand(context: CliContext, id: string): Promise<void> {
  const { out, json, signal } = context
  const { jobs = [] } = await context.deployment({ rules: false })
  const connection = await orStopped(context.connect(), signal)
  const all: Found[] = []
  for (const job of new Map(jobs.map((one) => [one.records, one])).values()) {
    const { records } = job
    const events = await orStopped(readJob(records, { connection, clock: context.clock }, id), signal)
    const state = jobOf(events)
    if (state.kind === 'none') continue
    const waitsFor = await orStopped(whyItWaits(connection, context.clock, job, state), signal)
    all.push({ stream: records.name, account: state.account, state, events, waitsFor })
  }
  if (all.length === 0) throw fault('JOB_NOT_FOUND', id)
  if (json) return printJson(context, { jobs: all.map(jobJson) })
  for (const [at, found] of all.entries()) {
    if (at > 0) out.line()
    printJob(context, found)
  }
}

function printJob({ out }: CliContext, { account, state, events, stream, waitsFor }: Found): void {
  const { request, begun, counted: failed, billed, inputTokens, outputTokens, unknown } = account
  const row = (name: string, value: string): void => out.line(`${`${name}:`.padEnd(10)} ${value}`)
  out.line(out.style('bold', `job ${request.id}: ${request.name}, ${request.lane}, tenant ${request.tenant}`))
  row('state', standingOf(state, timeText))
  if (waitsFor !== undefined) row('waits for', waitsFor)
  if (state.kind === 'decided') row('decision', JSON.stringify(state.decision))
  row('input', JSON.stringify(request.input) ?? '')
  row('of events', request.inputEvents.join(', '))
  if (request.deadline !== undefined) row('deadline', timeText(request.deadline))
  row('attempts', `${count(begun)} begun, ${count(failed)} failed that count, ${count(billed.length)} billed`)
  row('billed', `${count(inputTokens)} tokens in, ${count(outputTokens)} out, ${priceOf(account)}`)
  if (unknown.length > 0) {
    const most = unknown.reduce((sum, { tokens }) => sum + tokens, 0)
    row('not known', `the bills of ${counted(unknown.length, 'call')} without an answer, ${count(most)} tokens at most`)
  }
  row('records', stream)
  out.line()
  printTable(out, COLUMNS, events)
}

function jobJson({ account, state, events, stream, waitsFor }: Found): object {
  const { request, ...counts } = account
  const decision = state.kind === 'decided' ? state.decision : null
  return { ...request, state: state.kind, decision, waitsFor: waitsFor ?? null, ...counts, stream, events }
}
