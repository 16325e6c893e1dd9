import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { readWorkConsumer } from '../../broker/work-consumer.js'
import { readHandlerStall } from '../../delivery/handler-stalls.js'
import { LANES, type Lane } from '../../job/job-event.js'
import { laneSubject } from '../../job/job-streams.js'
import { jobConsumer } from '../../job/worker/lane-source.js'
import type { DeployedJob } from '../../runtime/deployed-jobs.js'
import { JOBS_STALL } from '../../runtime/jobs-at-work.js'
import { readOpenBatches, type OpenBatches } from '../../runtime/open-batches.js'
import type { Clock } from '../../time/clock.js'
import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { count, counted, printTable, type Column } from '../table.js'

/** How far the jobs of one context are, in all processes together. */
export interface JobLag {
  /** Of their queue. */
  readonly queue: string
  /** Whether anybody has ever worked on them. */
  readonly started: boolean
  /** Whether some process has one, or asks for one. */
  readonly attended: boolean
  /** Jobs that nobody has, by lane. */
  readonly waiting: Readonly<Record<Lane, number>>
  /** Those that some process has. */
  readonly inHand: number
  /** Those that wait for a time: for another attempt, for a limit, for a right. */
  readonly later: number
  /** Those that are at the provider. */
  readonly batches: OpenBatches
  /** Why some process begins none. */
  readonly waitsFor: readonly string[]
}

/** @throws errors of the broker */
export async function readJobs(
  connection: Connection,
  clock: Clock,
  jobs: readonly DeployedJob[] = [],
): Promise<readonly JobLag[]> {
  const contexts = [...new Map(jobs.map((job) => [job.queue, job])).values()]
  if (contexts.length === 0) return []
  const stall = await readHandlerStall(connection, clock, JOBS_STALL)
  const waitsFor = stall === undefined ? [] : [`${stall.code}, ${stall.detail}`]
  const read = await Promise.all(contexts.map((context) => readQueue({ connection, clock }, context, waitsFor)))
  return read.flatMap((one) => one ?? [])
}

async function readQueue(
  options: { readonly connection: Connection; readonly clock: Clock },
  context: Pick<DeployedJob, 'queue' | 'records'>,
  waitsFor: readonly string[],
): Promise<JobLag | undefined> {
  const { connection } = options
  const { queue } = context
  const filter = { subjects_filter: `millrace.${queue.name}.lane.>` }
  try {
    const { state } = await connection.manager.streams.info(queue.name, filter)
    const lanes = await Promise.all(
      LANES.map(async (lane) => {
        const found = await readWorkConsumer(connection, jobConsumer(queue, lane), false)
        const there = state.subjects?.[laneSubject(queue.name, lane)] ?? 0
        return {
          lane,
          started: found !== undefined,
          there,
          inHand: found?.unacknowledged ?? 0,
          asked: found?.asked ?? 0,
        }
      }),
    )
    const { batches, looks } = await readOpenBatches(context, options)
    const inLanes = lanes.reduce((sum, { there }) => sum + there, 0)
    const waiting = lanes.map(({ lane, there, inHand }) => [lane, Math.max(0, there - inHand)] as const)
    return {
      queue: queue.name,
      started: lanes.some(({ started }) => started),
      attended: lanes.some(({ inHand, asked }) => inHand + asked > 0),
      waiting: Object.fromEntries(waiting) as Record<Lane, number>,
      inHand: lanes.reduce((sum, { inHand }) => sum + inHand, 0),
      later: Math.max(0, state.messages - inLanes - looks),
      batches,
      waitsFor,
    }
  } catch (error) {
    const known = asFault(error, `reading ${queue.name}`)
    if (known.code === 'STREAM_NOT_FOUND') return undefined
    throw known
  }
}

/** A table of the queues of jobs, when there are any, what is at the provider, and why none is begun. @param now for ages */
export function printJobs(out: Output, jobs: readonly JobLag[], now: number): void {
  if (jobs.length === 0) return
  out.line()
  printTable(out, COLUMNS, jobs)
  for (const { queue, batches } of jobs) {
    if (batches.oldestAt === null) continue
    const age = formatDuration(Math.max(0, now - batches.oldestAt))
    out.line(
      `${queue}: ${counted(batches.open, 'batch', 'batches')} with ${counted(batches.jobs, 'job')}, the oldest since ${age}`,
    )
  }
  const [first] = jobs
  for (const why of first?.waitsFor ?? []) out.line(out.style('yellow', `jobs wait: ${why}`))
}

const number = (title: string, of: (jobs: JobLag) => number): Column<JobLag> => ({
  title,
  align: 'right',
  value: (jobs) => count(of(jobs)),
})

const COLUMNS: readonly Column<JobLag>[] = [
  { title: 'JOBS', value: ({ queue }) => queue },
  number('URGENT', ({ waiting }) => waiting.urgent),
  number('STANDARD', ({ waiting }) => waiting.standard),
  number('BATCH', ({ waiting }) => waiting.batch),
  number('IN HAND', ({ inHand }) => inHand),
  number('LATER', ({ later }) => later),
  { title: 'STATE', value: stateOf },
]

function stateOf({ started, attended, waitsFor }: JobLag): string {
  if (waitsFor.length > 0) return 'waits'
  if (!started) return 'never run'
  return attended ? '' : 'nobody at work'
}
