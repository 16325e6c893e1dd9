import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { publishOnce } from '../broker/publish-once.js'
import { readMessage } from '../broker/read-message.js'
import { isFault } from '../error/millrace-error.js'
import type { BatchedQueue } from '../job/batch/batch-lane.js'
import { isInBatch } from '../job/batch/record-batch.js'
import { jobLetter } from '../job/worker/job-letter.js'
import { laterMessage, queueMessage, readQueued } from '../job/queue-message.js'
import type { JobPlace, JobQueue } from '../job/worker/work-ports.js'
import type { JobProgress } from '../job/progress/job-progress.js'
import type { Log } from '../observe/log.js'
import { batchLog, batchLooks } from './batch-log.js'
import type { DeployedJob } from './deployed-jobs.js'
import { jobPorts, type OpenJobOptions } from './open-job.js'

export interface JobPlacesOptions extends OpenJobOptions {
  readonly log: Log
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
  /** Who tells of jobs on a stream of progress. */
  readonly progressOf: (stream: StreamDeclaration) => JobProgress
}

/** The queues of a deployment’s jobs, each with what is known of its jobs. */
export function jobPlaces(jobs: readonly DeployedJob[], options: JobPlacesOptions): readonly BatchedQueue[] {
  const queues = new Map(jobs.map((job) => [job.queue, job]))
  return [...queues.values()].map((first) => {
    const own = jobs.filter(({ queue }) => queue === first.queue)
    const byName = new Map(own.map(({ declaration }) => [declaration.name, declaration]))
    const batches = batchLog(first.records, options)
    const looks = batchLooks(first.queue, options.connection)
    const place: JobPlace = {
      log: jobPorts(first, options).log,
      queue: jobQueueOf(options.connection, first.queue),
      letter: (dead) => storeLetter(options, dead),
      declared: (name) => byName.get(name),
      inBatch: (batch, own) => isInBatch({ batches, looks, now: options.now }, batch, own),
      progress: options.progressOf(first.progress),
      context: first.stream.name,
    }
    return { stream: first.queue, place, batches, looks }
  })
}

function jobQueueOf(connection: Connection, { name }: StreamDeclaration): JobQueue {
  return {
    async later(job, copy, at) {
      await publishOnce(connection, laterMessage(name, job, copy, at))
    },
    async move(job, copy) {
      await publishOnce(connection, queueMessage(name, job, `moved ${copy}`))
    },
    async has(message, id) {
      const found = await readMessage(connection, name, message)
      return found !== undefined && readQueued(found.data)?.job.id === id
    },
  }
}

/** Of each generation of a job there is one, whoever stores it and how often. */
async function storeLetter(
  { connection, log }: JobPlacesOptions,
  dead: Parameters<JobPlace['letter']>[0],
): Promise<void> {
  const { id, name } = dead.account.request
  const letter = jobLetter(dead, connection.server.maxPayload)
  if (letter === undefined) {
    log.error(
      { job: id, name, code: dead.code },
      'a job is dead, and has no letter: nobody knows where its request was',
    )
    return
  }
  try {
    await publishOnce(connection, letter)
    log.warn({ job: id, name, code: dead.code }, 'a job became a dead letter')
  } catch (error) {
    if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error
  }
}
