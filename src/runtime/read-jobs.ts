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
  { connection, clock, from = 1, since, signal, onProgress }: ReadJobsOptions,
): AsyncGenerator<LoggedJobEvent, void> {
  const { last } = await readStreamIdentity(connection, records.name)
  const first = Math.max(from, since === undefined ? 1 : await firstSince({ records, connection, since, last }))
  if (first > last) return
  const store = new EventStore(connection, { stream: records, events: JOB_CONTRACTS, clock })
  const range = { from: first - 1, type: AGGREGATE, untilCaughtUp: true, signal }
  for await (const { id, events, position } of store.subscribe(range)) {
    if (position > last) return
    for (const event of events) yield { id, event: jobEventOf(event), position }
    onProgress?.((position - first + 1) / (last - first + 1))
  }
}

async function firstSince({
  records,
  connection,
  since,
  last,
}: Pick<OpenJobOptions, 'connection'> & {
  readonly records: StreamDeclaration
  readonly since: number
  readonly last: number
}): Promise<number> {
  const found = await nextMessageSince(connection, records.name, recordFilter(records.root, AGGREGATE), since)
  return found?.sequence ?? last + 1
}
