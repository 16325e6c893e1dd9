import { EventStore } from '../actor/event-store.js'
import { recordFilter } from '../actor/aggregate-subject.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { nextMessageSince } from '../broker/next-message.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { JOB_CONTRACTS, jobEventOf } from '../job/job-contracts.js'
import type { JobEvent } from '../job/job-event.js'
import type { OpenJobOptions } from './open-job.js'

/** An event of a job, and where its record is. */
export interface LoggedJobEvent {
  readonly id: string
  readonly event: JobEvent
  /** Sequence of the record in the stream of the context’s jobs. */
  readonly position: number
}

export interface ReadJobsOptions extends OpenJobOptions {
  /** First sequence. Default 1. */
  readonly from?: number
  /** Last sequence. Default the last one when reading begins. */
  readonly to?: number
  /** Records that were stored before, in ms since the Unix epoch, are left out. */
  readonly since?: number | undefined
  /** Ends the reading, without an error. */
  readonly signal?: AbortSignal
  /** Told now and then how far it is, from 0 to 1. */
  readonly onProgress?: (fraction: number) => void
}

const AGGREGATE = 'job'

/**
 * What happened to the jobs of a context, in the order of the log, up to the last record when reading begins.
 * @throws JOB_HISTORY_INVALID, STREAM_NOT_FOUND and others of the broker
 */
export async function* readJobEvents(
  records: StreamDeclaration,
  { connection, clock, from = 1, to, since, signal, onProgress }: ReadJobsOptions,
): AsyncGenerator<LoggedJobEvent, void> {
  const range = to === undefined || since !== undefined ? await jobRange(records, { connection, since }) : undefined
  const first = Math.max(from, range?.first ?? 1)
  const last = Math.min(to ?? Number.POSITIVE_INFINITY, range?.last ?? Number.POSITIVE_INFINITY)
  if (first > last) return
  const store = new EventStore(connection, { stream: records, events: JOB_CONTRACTS, clock })
  const reading = { from: first - 1, type: AGGREGATE, untilCaughtUp: true, signal }
  for await (const { id, events, position } of store.subscribe(reading)) {
    if (position > last) return
    for (const event of events) yield { id, event: jobEventOf(event), position }
    onProgress?.((position - first + 1) / (last - first + 1))
  }
}

/**
 * Sequences of the records of jobs: all of them, or those that were stored since.
 * @param since in ms since the Unix epoch
 * @throws STREAM_NOT_FOUND and others of the broker
 */
export async function jobRange(
  records: StreamDeclaration,
  { connection, since }: Pick<OpenJobOptions, 'connection'> & { readonly since: number | undefined },
): Promise<{ readonly first: number; readonly last: number }> {
  const { last } = await readStreamIdentity(connection, records.name)
  if (since === undefined) return { first: 1, last }
  const found = await nextMessageSince(connection, records.name, recordFilter(records.root, AGGREGATE), since)
  return { first: found?.sequence ?? last + 1, last }
}
