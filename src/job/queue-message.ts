import { createHash } from 'node:crypto'
import { delayedSubject } from '../broker/work-stream.js'
import { encodeHeaderValue } from '../event/header-value.js'
import type { WireMessage } from '../event/wire.js'
import { isLane } from './job-event.js'
import { laneSubject } from './job-streams.js'
import type { FirstRecord, QueuedJob } from './take-request.js'
import { isRecord } from './unknown-json.js'

// What is in a queue of jobs: an id and what a scheduler needs. A message may be there twice, or for a job that is over: what is to
// be done is on the log. The first message of a job has what the log has too, where it is small: it is read there only if it is not
// all that the log has.

/** What is put off waits under this name beside what handlers have put off. */
const PLACE = 'jobs'
/** Of the record of a request, so many characters: with larger ones a queue is no queue any more, but a second log. */
const MOST_CARRIED = 4_096

/**
 * @param id by which the server knows it again for two minutes
 * @param first what the log has of the job, where that is all
 */
export function queueMessage(queue: string, job: QueuedJob, id: string, first?: FirstRecord): WireMessage {
  const carried = first === undefined ? '' : JSON.stringify(first)
  const text = JSON.stringify(job)
  const fits = carried !== '' && carried.length <= MOST_CARRIED
  return {
    subject: laneSubject(queue, job.lane),
    headers: [['Nats-Msg-Id', encodeHeaderValue(id)]],
    data: Buffer.from(fits ? `${text.slice(0, -1)},"first":${carried}}` : text),
  }
}

/**
 * A job that comes back to its lane at a time: a message schedule, of which each job has one.
 * @param copy sequence of the message that was handled: what follows from another one is another one
 * @param at in ms since the Unix epoch, by the clock of the server
 */
export function laterMessage(queue: string, job: QueuedJob, copy: number, at: number): WireMessage {
  const token = createHash('sha256').update(job.id).digest('hex').slice(0, 32)
  return {
    subject: delayedSubject(queue, PLACE, token),
    headers: [
      ['Nats-Schedule', `@at ${new Date(at).toISOString()}`],
      ['Nats-Schedule-Target', laneSubject(queue, job.lane)],
      ['Nats-Msg-Id', `later ${token} ${copy}`],
    ],
    data: Buffer.from(JSON.stringify(job)),
  }
}

/** Where all that waits for its time is. */
export function laterFilter(queue: string): string {
  return delayedSubject(queue, PLACE, '>')
}

/** A message of the queue. */
export interface ReadQueued {
  readonly job: QueuedJob
  readonly first: FirstRecord | undefined
}

/** undefined: nobody of ours has written it. */
export function readQueued(data: Uint8Array): ReadQueued | undefined {
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (!isRecord(read)) return undefined
  const { id, lane, tenant, tokens, first } = read
  if (typeof id !== 'string' || !isLane(lane) || typeof tenant !== 'string') return undefined
  const job = { id, lane, tenant, tokens: typeof tokens === 'number' && tokens >= 1 ? tokens : 1 }
  return { job, first: isFirst(first, id) ? first : undefined }
}

/** Whether it is what `queueMessage` writes, of the version that runs here: anything else is read from the log. */
function isFirst(first: unknown, id: string): first is FirstRecord {
  if (!isRecord(first) || !isRecord(first['requested'])) return false
  const { sequence, requested } = first as { sequence: unknown; requested: Record<string, unknown> }
  const { type, at, request } = requested
  if (!Number.isSafeInteger(sequence) || type !== 'job.requested' || typeof at !== 'number' || !isRecord(request))
    return false
  const { name, lane, tenant, inputEvents } = request
  return (
    request['id'] === id &&
    typeof name === 'string' &&
    isLane(lane) &&
    typeof tenant === 'string' &&
    Array.isArray(inputEvents)
  )
}
