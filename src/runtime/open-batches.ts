import type { StreamDeclaration } from '../broker/define-stream.js'
import { subjectsIn } from '../broker/subjects-in.js'
import { delayedSubject, dueSubject } from '../broker/work-stream.js'
import { BATCH_PLACE } from '../job/batch/batch-look.js'
import { batchOf } from '../job/batch/batch-state.js'
import { eachOf } from '../job/batch/each-of.js'
import { readBatch } from './batch-log.js'
import type { OpenJobOptions } from './open-job.js'

/** Batches of a context that somebody looks after. */
export interface OpenBatches {
  readonly open: number
  /** Jobs in them. */
  readonly jobs: number
  /** When the oldest was put together, in ms since the Unix epoch; null: there is none. */
  readonly oldestAt: number | null
}

export interface BatchesFound {
  readonly batches: OpenBatches
  /** Messages in the queue that say when batches are looked at: one of each, or two for a moment. */
  readonly looks: number
}

/** Batches that are read at a time. */
const AT_ONCE = 16

/**
 * The batches that are not settled: each has a message in the queue that says when it is looked at again.
 * @throws STREAM_NOT_FOUND and others of the broker, JOB_HISTORY_INVALID
 */
export async function readOpenBatches(
  { queue, records }: { readonly queue: StreamDeclaration; readonly records: StreamDeclaration },
  options: OpenJobOptions,
): Promise<BatchesFound> {
  const filters = [delayedSubject(queue.name, BATCH_PLACE, '>'), dueSubject(queue.name, BATCH_PLACE, '>')]
  const read = await Promise.all(filters.map((filter) => subjectsIn(options.connection, queue.name, filter)))
  const subjects = read.flat()
  const ids = new Set(subjects.map((subject) => subject.slice(subject.lastIndexOf('.') + 1)))
  const found: { readonly at: number; readonly jobs: number }[] = []
  await eachOf(AT_ONCE, ids, async (id) => {
    const events = await readBatch(records, options, id)
    const [first] = events
    if (first?.type === 'batch.collected' && batchOf(events).kind !== 'settled')
      found.push({ at: first.at, jobs: first.jobs.length })
  })
  const jobs = found.reduce((sum, one) => sum + one.jobs, 0)
  const oldestAt = found.length === 0 ? null : Math.min(...found.map(({ at }) => at))
  return { batches: { open: found.length, jobs, oldestAt }, looks: subjects.length }
}
