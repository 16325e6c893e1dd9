import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { fault } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { jobOf } from '../../job/decide-job.js'
import type { JobEvent } from '../../job/job-event.js'
import type { JobState } from '../../job/job-state.js'
import type { DeployedJob } from '../../runtime/deployed-jobs.js'
import type { Deployment } from '../../runtime/deployment.js'
import { readJob } from '../../runtime/open-job.js'
import type { CliContext } from '../context.js'
import { orStopped } from '../or-stopped.js'

type Jobs = Pick<Deployment, 'jobs'>

/** A job as it is on the log of a context. */
export interface FoundJob {
  /** The stream that has its records. */
  readonly records: StreamDeclaration
  readonly state: Exclude<JobState, { kind: 'none' }>
  readonly events: readonly JobEvent[]
}

/** Streams that have records of jobs, each once; of one context only with `stream`, its name or theirs. @throws USAGE */
export function recordStreams({ jobs = [] }: Jobs, stream?: string): readonly StreamDeclaration[] {
  const of = jobs.filter((job) => stream === undefined || job.stream.name === stream || job.records.name === stream)
  if (of.length === 0 && stream !== undefined) throw fault('USAGE', `no jobs are declared for --stream ${stream}`)
  return [...new Set(of.map(({ records }) => records))]
}

/** The declaration of a job. @throws DECLARATION_UNKNOWN */
export function jobNamed({ jobs = [] }: Jobs, name: string): DeployedJob {
  const found = jobs.find(({ declaration }) => declaration.name === name)
  if (found !== undefined) return found
  throw fault('DECLARATION_UNKNOWN', missing(name, jobs))
}

/** What is to be said of a name that no job has now, though jobs of the past may have it; undefined: one has it. */
export function unknownJob({ jobs = [] }: Jobs, name: string): string | undefined {
  if (jobs.some(({ declaration }) => declaration.name === name)) return undefined
  return `none is declared: ${missing(name, jobs)}`
}

function missing(name: string, jobs: readonly DeployedJob[]): string {
  const known = jobs.map(({ declaration }) => declaration.name)
  const near = nearestName(name, known)
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return `job ${JSON.stringify(name)}${hint}; there are: ${known.join(', ')}`
}

/** Every job with this id: contexts count for themselves. @throws JOB_HISTORY_INVALID, and errors of the broker */
export async function findJobs(
  { clock, signal }: CliContext,
  connection: Connection,
  streams: readonly StreamDeclaration[],
  id: string,
): Promise<readonly FoundJob[]> {
  const found: FoundJob[] = []
  for (const records of streams) {
    const events = await orStopped(readJob(records, { connection, clock }, id), signal)
    const state = jobOf(events)
    if (state.kind !== 'none') found.push({ records, state, events })
  }
  return found
}

/** @throws USAGE several contexts have one · JOB_NOT_FOUND */
export function onlyJob(found: readonly FoundJob[], id: string): FoundJob {
  const [first, second] = found
  if (first === undefined) throw fault('JOB_NOT_FOUND', id)
  if (second === undefined) return first
  const names = found.map(({ records }) => records.name).join(', ')
  throw fault('USAGE', `${names} have a job ${id} each: say which with --stream`)
}
