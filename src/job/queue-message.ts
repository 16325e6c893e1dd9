import { createHash } from 'node:crypto'
import { delayedSubject } from '../broker/work-stream.js'
import { encodeHeaderValue } from '../event/header-value.js'
import type { WireMessage } from '../event/wire.js'
import { isLane } from './job-event.js'
import { laneSubject } from './job-streams.js'
import type { QueuedJob } from './take-request.js'
import { isRecord } from './unknown-json.js'

// What is in a queue of jobs: an id and what a scheduler needs. A message may be there twice, or for a job that is over: what is to
// be done is on the log.

/** What is put off waits under this name beside what handlers have put off. */
const PLACE = 'jobs'

/** @param id by which the server knows it again for two minutes */
export function queueMessage(queue: string, job: QueuedJob, id: string): WireMessage {
  return {
    subject: laneSubject(queue, job.lane),
    headers: [['Nats-Msg-Id', encodeHeaderValue(id)]],
    data: Buffer.from(JSON.stringify(job)),
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

/** undefined: nobody of ours has written it. */
export function readQueued(data: Uint8Array): QueuedJob | undefined {
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (!isRecord(read)) return undefined
  const { id, lane, tenant, tokens } = read
  if (typeof id !== 'string' || !isLane(lane) || typeof tenant !== 'string') return undefined
  return { id, lane, tenant, tokens: typeof tokens === 'number' && tokens >= 1 ? tokens : 1 }
}
