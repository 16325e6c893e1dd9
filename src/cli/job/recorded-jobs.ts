import { createHash } from 'node:crypto'
import type { Connection } from '../../broker/connection.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { fault } from '../../error/millrace-error.js'
import type { JobEvent } from '../../job/job-event.js'
import { readJobEvents } from '../../runtime/read-jobs.js'
import type { CliContext } from '../context.js'
import type { Selection } from './replay-flags.js'

/** A job with all that is recorded of it. */
export interface RecordedJob {
  readonly id: string
  readonly name: string
  /** The stream of its records. */
  readonly stream: string
  /** Sequence of its request there. */
  readonly position: number
  readonly events: readonly JobEvent[]
}

/**
 * Jobs that were requested in a range of the log, in its order, with what became of them since.
 * @param onProgress told how many there are, and how far it is
 * @throws USAGE a range of sequences means nothing in several streams · JOB_HISTORY_INVALID and errors of the broker
 */
export async function recordedJobs(
  { clock, signal }: CliContext,
  connection: Connection,
  streams: readonly StreamDeclaration[],
  selection: Selection,
  onProgress: (jobs: number, fraction: number) => void,
): Promise<readonly RecordedJob[]> {
  const { fromSeq: from = 1, toSeq: to = Number.POSITIVE_INFINITY, since } = selection
  if (streams.length > 1 && (selection.fromSeq !== undefined || selection.toSeq !== undefined)) {
    const names = streams.map(({ name }) => name).join(', ')
    throw fault('USAGE', `sequences are those of one stream: say which with --stream; there are: ${names}`)
  }
  const all: RecordedJob[] = []
  for (const records of streams) {
    const jobs = new Map<string, RecordedJob & { readonly events: JobEvent[] }>()
    const told = (fraction: number): void => onProgress(all.length + jobs.size, fraction)
    const options = { connection, clock, from, since, signal, onProgress: told }
    for await (const { id, event, position } of readJobEvents(records, options)) {
      if (event.type !== 'job.requested') {
        jobs.get(id)?.events.push(event)
        continue
      }
      const { name, tenant } = event.request
      if (position > to || (selection.job ?? name) !== name || (selection.tenant ?? tenant) !== tenant) continue
      jobs.set(id, { id, name, stream: records.name, position, events: [event] })
    }
    all.push(...jobs.values())
  }
  signal.throwIfAborted()
  return sampled(all, selection.sample)
}

/** The last sequence now, where a range has no end and one stream: so that who goes on later means the same jobs. */
export async function pinned(
  connection: Connection,
  streams: readonly StreamDeclaration[],
  selection: Selection,
): Promise<Selection> {
  const [only, second] = streams
  if (selection.toSeq !== undefined || only === undefined || second !== undefined) return selection
  return { ...selection, toSeq: (await readStreamIdentity(connection, only.name)).last }
}

/** The same ones each time, and as good as any: those whose ids have the smallest hashes. In the order of the log. */
export function sampled<Job extends { readonly id: string }>(
  jobs: readonly Job[],
  size: number | undefined,
): readonly Job[] {
  if (size === undefined || size >= jobs.length) return jobs
  const hashOf = ({ id }: Job): string => createHash('sha256').update(id).digest('hex')
  const byHash = jobs.map((job) => ({ job, hash: hashOf(job) })).toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
  const chosen = new Set(byHash.slice(0, size).map(({ job }) => job))
  return jobs.filter((job) => chosen.has(job))
}
