import type { StreamDeclaration } from '../../broker/define-stream.js'
import { EXIT } from '../../error/exit-code.js'
import type { Deployment } from '../../runtime/deployment.js'
import type { CliContext } from '../context.js'
import { orStopped } from '../or-stopped.js'
import { createProgress } from '../progress.js'
import { counted } from '../table.js'
import { newAnswers, resumedAnswers, type AnswersFile } from './answers-file.js'
import { askCandidates, checkAsking, describeAsked, modelClientOf, type Candidate } from './ask-candidates.js'
import { jobNamed, recordStreams } from './find-job.js'
import { pinned, recordedJobs } from './recorded-jobs.js'
import { asks, checkResume, selectionOf, type ReplayFlags, type Selection } from './replay-flags.js'
import { printReplay, printReplayJson, type ReplayReport } from './replay-report.js'
import { recordedRow, summaryOf, type ReplayRow } from './replay-rows.js'

/**
 * Decides jobs of the past again: from their recorded answers, or from what models answer now with another prompt or model. The log of
 * the jobs is read only.
 * @throws USAGE, DECLARATION_UNKNOWN, PROMPT_VERSION_UNKNOWN, PRICE_MISSING, MODEL_KEY_MISSING, MODEL_SDK_MISSING, JOBS_WAIT,
 *   INPUT_UNREADABLE, OUTPUT_UNWRITABLE, JOB_REPLAY_BUSY, JOB_HISTORY_INVALID, and errors of the broker
 */
export async function replayCommand(context: CliContext, flags: ReplayFlags): Promise<void> {
  if (flags.resume !== undefined) checkResume(flags)
  const resumed = flags.resume === undefined ? undefined : await resumedAnswers(flags.resume)
  if (resumed !== undefined) context.atEnd(() => resumed.close())
  try {
    await replay(context, flags, resumed)
  } finally {
    await resumed?.close()
  }
}

async function replay(context: CliContext, flags: ReplayFlags, resumed: AnswersFile | undefined): Promise<void> {
  const { signal, json, out } = context
  const given = resumed?.selection ?? selectionOf(flags, context)
  const deployment = await context.deployment({ rules: false })
  if (given.job !== undefined) jobNamed(deployment, given.job)
  checkAsking(deployment, given, flags)
  const streams = meant(deployment, given)
  const connection = await orStopped(context.connect(), signal)
  const selection = await orStopped(pinned(connection, streams, given), signal)
  const candidates = await read(context, deployment, { connection, streams, selection })
  const report = asks(selection)
    ? await asked(context, flags, { deployment, selection, candidates, resumed })
    : recorded(candidates, flags)
  if (out.isGone) return
  if (json) printReplayJson(context, report)
  else printReplay(context, report)
  const { same, jobs } = summaryOf(report.rows)
  if (flags.check === true && same < jobs) context.exitWith(EXIT.check)
}

/** Streams of records; of the one job that is meant, its own. */
function meant(deployment: Deployment, { job, stream }: Selection): readonly StreamDeclaration[] {
  return job === undefined ? recordStreams(deployment, stream) : [jobNamed(deployment, job).records]
}

interface Read {
  readonly connection: Parameters<typeof recordedJobs>[1]
  readonly streams: readonly StreamDeclaration[]
  readonly selection: Selection
}

/** Jobs with the declarations that they have now; those that have none are left out, and that is said. */
async function read(
  context: CliContext,
  deployment: Deployment,
  { connection, streams, selection }: Read,
): Promise<readonly Candidate[]> {
  const progress = createProgress(context, { label: 'reading', unit: 'jobs' })
  try {
    const jobs = await recordedJobs(context, connection, streams, selection, (done, part) =>
      progress.update(done, part),
    )
    const declared = new Map((deployment.jobs ?? []).map(({ declaration }) => [declaration.name, declaration]))
    const candidates = jobs.flatMap((job) => {
      const declaration = declared.get(job.name)
      return declaration === undefined ? [] : [{ job, declaration }]
    })
    progress.end()
    const gone = jobs.length - candidates.length
    const { err } = context
    if (gone > 0) err.line(`${err.style('yellow', 'note')} ${counted(gone, 'job')} left out: nothing declares them now`)
    return candidates
  } finally {
    progress.end()
  }
}

function recorded(candidates: readonly Candidate[], { all = false }: ReplayFlags): ReplayReport {
  const rows = candidates.map(({ job, declaration }) => recordedRow(job, declaration))
  const spent = { calls: 0, inputTokens: 0, outputTokens: 0, nanos: 0 }
  const nothing = { asked: undefined, currency: undefined, file: undefined, ended: 'complete' } as const
  return { rows, spent, jobs: rows.length, all, ...nothing }
}

interface Asked {
  readonly deployment: Deployment
  readonly selection: Selection
  readonly candidates: readonly Candidate[]
  readonly resumed: AnswersFile | undefined
}

async function asked(
  context: CliContext,
  flags: ReplayFlags,
  { deployment, selection, candidates, resumed }: Asked,
): Promise<ReplayReport> {
  const { clock, err } = context
  const client = await modelClientOf(context)
  const path = flags.output ?? `job-replay-${new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-')}.ndjson`
  const file = resumed ?? (await newAnswers(path, selection))
  if (resumed === undefined) context.atEnd(() => file.close())
  err.line(`answers are kept in ${file.path}`)
  const rows: ReplayRow[] = []
  const onRow = (row: ReplayRow): void => void rows.push(row)
  const asking = { candidates, deployment, selection, client, file, onRow }
  const { ended, spent } = await askCandidates(context, flags, asking).finally(() => file.close())
  // contexts have jobs of one id, and none of one name
  const placeOf = ({ name, id }: Pick<ReplayRow, 'name' | 'id'>): string => `${name} ${id}`
  const order = new Map(candidates.map(({ job }, at) => [placeOf(job), at]))
  const { currency } = deployment.models?.prices ?? {}
  return {
    rows: rows.toSorted((a, b) => (order.get(placeOf(a)) ?? 0) - (order.get(placeOf(b)) ?? 0)),
    asked: describeAsked(selection),
    spent,
    currency,
    ended,
    jobs: candidates.length,
    all: flags.all ?? false,
    file: file.path,
  }
}
