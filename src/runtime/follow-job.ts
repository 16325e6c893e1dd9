import type { Connection } from '../broker/connection.js'
import { messagesFrom } from '../broker/messages-from.js'
import { fault, isFault } from '../error/millrace-error.js'
import { jobOf } from '../job/decide-job.js'
import type { JobState } from '../job/job-state.js'
import { readProgressEvent, type ProgressEvent } from '../job/progress/progress-event.js'
import { progressFilter } from '../job/progress/progress-stream.js'
import type { Clock } from '../time/clock.js'
import type { DeployedJob } from './deployed-jobs.js'
import { readJob } from './open-job.js'

export interface FollowJobOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** Behind which sequence of the stream of progress to begin; default: with all that it has of the job. */
  readonly after?: number
  /** Ends it, without an error. */
  readonly signal?: AbortSignal
}

/** What was told of a job. Without a sequence it is from the log: the end, which comes in any case. */
export type FollowedProgress = ProgressEvent & { readonly sequence: number | undefined }

/** How often the log is asked whether the job is over, in ms. */
const LOOK_MS = 2_000
const ENDS: readonly string[] = ['job.completed', 'job.failed']
/** The stream was made anew, or cannot be read: what there is on the log is what there is. */
const GONE = ['STREAM_NOT_FOUND', 'STREAM_REPLACED', 'BROKER_PERMISSION_DENIED'] as const

/**
 * Follows a job: attempts, pieces of their answers, and how it ends. What is told on the way may have gaps, as it is
 * kept in memory for minutes; the end is read from the log of the job, and is the last that comes.
 * @throws JOB_NOT_FOUND, and errors of the broker
 */
export async function* followJob(
  job: Pick<DeployedJob, 'records' | 'progress'>,
  id: string,
  options: FollowJobOptions,
): AsyncGenerator<FollowedProgress, void> {
  const { signal } = options
  const place = { after: options.after ?? 0 }
  const isEnded = (): boolean => signal?.aborted === true
  let end = await endOf(job, id, options)
  while (!isEnded()) {
    for await (const event of told(job, id, options, place, end === undefined)) {
      // one that failed may have been redriven: whether it is over is on the log
      if (!ENDS.includes(event.type)) yield event
      else if ((end = await endOf(job, id, options)) !== undefined) break
      if (isEnded()) return
    }
    if (end !== undefined) return yield end
    end = await endOf(job, id, options)
  }
}

/** What is told, from behind a place on. @param live whether to wait for more, until the job is over */
async function* told(
  job: Pick<DeployedJob, 'records' | 'progress'>,
  id: string,
  { connection, clock, signal }: FollowJobOptions,
  place: { after: number },
  live: boolean,
): AsyncGenerator<FollowedProgress, void> {
  const over = new AbortController()
  const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
  const look = async (): Promise<void> => {
    const end = await endOf(job, id, { connection, clock }).catch(() => undefined) // asked again soon
    if (end !== undefined) over.abort()
  }
  const stop = live ? clock.every(LOOK_MS, () => void look()) : (): void => undefined
  const stream = job.progress.name
  const part = { stream, filter: progressFilter(stream, id), from: place.after + 1, untilCaughtUp: !live }
  try {
    for await (const message of messagesFrom(connection, { ...part, clock, signal: either })) {
      place.after = message.sequence
      const event = readProgressEvent(message.data)
      if (event !== undefined) yield { ...event, sequence: message.sequence }
    }
  } catch (error) {
    if (!isFault(error, ...GONE)) throw error
    place.after = 0 // one that is made anew counts from 1
    if (live) await clock.sleep(LOOK_MS, signal).catch(() => undefined) // ended by its signal
  } finally {
    stop()
  }
}

/** undefined: it is not over. @throws JOB_NOT_FOUND */
async function endOf(
  { records }: Pick<DeployedJob, 'records'>,
  id: string,
  options: Pick<FollowJobOptions, 'connection' | 'clock'>,
): Promise<FollowedProgress | undefined> {
  const events = await readJob(records, options, id)
  const state: JobState = jobOf(events)
  if (state.kind === 'none') throw fault('JOB_NOT_FOUND', id)
  const place = { at: events.at(-1)?.at ?? 0, attempt: Math.max(1, state.account.begun), sequence: undefined }
  if (state.kind === 'decided') return { type: 'job.completed', ...place, decision: state.decision }
  return state.kind === 'dead' ? { type: 'job.failed', ...place, reason: state.reason } : undefined
}
