// The newest jobs of a log that has far more of them: read from its end in parts, each twice as long as the one behind it, until there
// are as many as are wanted. Pure, but for what reads.
import type { JobEvent } from '../../job/job-event.js'
import { evolveJob, NO_JOB, type JobState } from '../../job/job-state.js'

export type KnownJob = Exclude<JobState, { kind: 'none' }>

/** A job and when it was requested, in ms since the Unix epoch. */
export interface ListedJob {
  readonly requestedAt: number
  readonly state: KnownJob
}

export interface NewestJobsOptions {
  /** Sequences that there are. */
  readonly range: { readonly first: number; readonly last: number }
  readonly limit: number
  /** Records of the first part. Default 1,000. */
  readonly window?: number
  readonly isMeant: (job: ListedJob) => boolean
  /** The events of a range, in its order. */
  readonly read: (from: number, to: number) => AsyncIterable<{ readonly id: string; readonly event: JobEvent }>
}

const FIRST_WINDOW = 1_000

/**
 * The last so many jobs that are meant, in the order of their requests.
 * @returns also whether there may be more
 * @throws JOB_HISTORY_INVALID, and what `read` throws
 */
export async function newestJobs({
  range: { first, last },
  limit,
  window = FIRST_WINDOW,
  isMeant,
  read,
}: NewestJobsOptions): Promise<{ readonly jobs: readonly ListedJob[]; readonly more: boolean }> {
  /** Of jobs that were requested further back. */
  const behind = new Map<string, readonly JobEvent[]>()
  let jobs: readonly ListedJob[] = []
  let to = last
  for (let size = window; to >= first && jobs.length < limit; size *= 2) {
    const from = Math.max(first, to - size + 1)
    const part = new Map<string, JobEvent[]>()
    for await (const { id, event } of read(from, to)) {
      const events = part.get(id)
      if (events === undefined) part.set(id, [event])
      else events.push(event)
    }
    const complete: ListedJob[] = []
    for (const [id, events] of part) {
      const all = [...events, ...(behind.get(id) ?? [])]
      behind.delete(id)
      const [request] = all
      if (request?.type !== 'job.requested') behind.set(id, all)
      else complete.push({ requestedAt: request.at, state: all.reduce<JobState>(evolveJob, NO_JOB) as KnownJob })
    }
    jobs = [...complete.filter(isMeant), ...jobs]
    to = from - 1
  }
  return { jobs: jobs.slice(-limit), more: jobs.length > limit || to >= first }
}
