import { jobRange, readJobEvents } from '../../runtime/read-jobs.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { pastTime } from '../past-time.js'
import { createProgress } from '../progress.js'
import { count, counted, printTable, type Column } from '../table.js'
import { recordStreams, unknownJob } from './find-job.js'
import { priceOf, standingOf } from './job-story.js'
import { timeText } from './job-time.js'
import { newestJobs, type KnownJob, type ListedJob } from './newest-jobs.js'

/** Where a job is, for who looks for some: `running` is all between the beginning of an attempt and a decision. */
export const STANDINGS = ['waiting', 'running', 'decided', 'overridden', 'dead'] as const
export type Standing = (typeof STANDINGS)[number]

export interface ListFlags {
  readonly state?: Standing
  readonly job?: string
  readonly tenant?: string
  readonly stream?: string
  readonly since?: string
  readonly limit: number
}

interface Row extends ListedJob {
  readonly stream: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'REQUESTED', value: ({ requestedAt }) => timeText(requestedAt) },
  { title: 'ID', value: ({ state }) => state.account.request.id },
  { title: 'JOB', value: ({ state }) => state.account.request.name },
  { title: 'LANE', value: ({ state }) => state.account.request.lane },
  { title: 'TENANT', value: ({ state }) => state.account.request.tenant },
  { title: 'ATTEMPTS', align: 'right', value: ({ state }) => count(state.account.begun) },
  {
    title: 'TOKENS',
    align: 'right',
    value: ({ state: { account } }) => count(account.inputTokens + account.outputTokens),
  },
  { title: 'PRICE', align: 'right', value: ({ state: { account } }) => priceOf(account) },
  { title: 'STATE', flexible: true, value: ({ state }) => standingOf(state, timeText) },
]

/**
 * Lists the newest jobs, oldest of them first, from the events alone: it reads the log from its end, until there are as many as are
 * wanted, or to where it is told to.
 * @throws USAGE, JOB_HISTORY_INVALID, and errors of the broker
 */
export async function listCommand(context: CliContext, flags: ListFlags): Promise<void> {
  const { clock, out, err, signal, json } = context
  const since = flags.since === undefined ? undefined : pastTime('--since', flags.since, clock)
  const deployment = await context.deployment({ rules: false })
  const streams = recordStreams(deployment, flags.stream)
  const connection = await orStopped(context.connect(), signal)
  const progress = createProgress(context, { label: 'reading', unit: 'records' })
  const found: Row[] = []
  let more = false
  try {
    for (const records of streams) {
      const range = await orStopped(jobRange(records, { connection, since }), signal)
      let read = 0
      const newest = await newestJobs({
        range,
        limit: flags.limit,
        isMeant: (row) => isMeant(row, flags),
        read: async function* (from, to) {
          for await (const logged of readJobEvents(records, { connection, clock, from, to, signal })) {
            progress.update((read += 1), (range.last - from + 1) / Math.max(1, range.last - range.first + 1))
            yield logged
          }
          signal.throwIfAborted()
        },
      })
      found.push(...newest.jobs.map((job) => ({ ...job, stream: records.name })))
      more ||= newest.more
    }
  } finally {
    progress.end()
  }
  const rows = found.toSorted((a, b) => a.requestedAt - b.requestedAt)
  const shown = rows.slice(-flags.limit)
  more ||= rows.length > shown.length
  if (json) return printJson(context, { jobs: shown.map(rowJson), more })
  if (shown.length === 0) {
    out.line('no such jobs')
    const near = flags.job === undefined ? undefined : unknownJob(deployment, flags.job)
    return near === undefined ? undefined : err.line(near)
  }
  printTable(out, COLUMNS, shown)
  if (more) err.line(`the newest ${counted(shown.length, 'job')}; there may be more: --limit`)
}

export function standing(state: KnownJob): Standing {
  switch (state.kind) {
    case 'waiting':
    case 'dead':
      return state.kind
    case 'decided':
      return state.overriddenBy === undefined ? 'decided' : 'overridden'
    case 'admitted':
    case 'running':
    case 'answered':
    case 'valid':
      return 'running'
  }
}

function isMeant({ state }: ListedJob, flags: ListFlags): boolean {
  const { name, tenant } = state.account.request
  if (flags.job !== undefined && name !== flags.job) return false
  if (flags.tenant !== undefined && tenant !== flags.tenant) return false
  return flags.state === undefined || standing(state) === flags.state
}

function rowJson({ stream, requestedAt, state }: Row): object {
  const { request, begun, inputTokens, outputTokens, nanos } = state.account
  const { id, name, lane, tenant } = request
  const standings = { state: state.kind, standing: standing(state) }
  const said =
    state.kind === 'decided' ? { decision: state.decision } : state.kind === 'dead' ? { reason: state.reason } : {}
  return { id, name, lane, tenant, ...standings, requestedAt, begun, inputTokens, outputTokens, nanos, stream, ...said }
}
