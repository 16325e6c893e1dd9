// What takes the requests of a site, and what does its jobs, in this process.
import type { Connection } from '../../src/broker/connection.ts'
import { HandlerRun } from '../../src/delivery/handler-run.ts'
import type { Lane } from '../../src/job/job-event.ts'
import { LocalAdmission } from '../../test/job/local-admission.ts'
import type { ModelClient } from '../../src/job/model-client.ts'
import { JobWorker } from '../../src/job/worker/job-worker.ts'
import type { WorkedQueue } from '../../src/job/worker/job-worker-options.ts'
import { TokenEstimates } from '../../src/job/worker/token-estimates.ts'
import { NO_PROGRESS } from '../../src/job/progress/job-progress.ts'
import { silentLog } from '../../src/observe/log.ts'
import type { DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { jobPlaces } from '../../src/runtime/job-places.ts'
import { openJob } from '../../src/runtime/open-job.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { registry } from './site.ts'

const fail = (error: unknown): never => {
  throw error
}

/** Takes requests into their lanes. */
export function startTaking(connection: Connection, job: DeployedJob): Promise<HandlerRun> {
  const { concurrency: _, ...declaration } = openJob(job, { connection, clock: systemClock })
  return HandlerRun.start({
    connection,
    declaration: { ...declaration, concurrency: { worker: 256, total: 65_536 } },
    registry,
    stream: job.stream,
    work: job.queue,
    emitsTo: undefined,
    clock: systemClock,
    log: silentLog,
    chance: Math.random,
    onFailure: fail,
  })
}

export interface DoingOptions {
  readonly concurrency: number
  /** How long the model takes, in ms. */
  readonly takes: number
  /** A job is decided on its log. */
  readonly onDecided: (id: string) => void
  readonly lanes?: readonly Lane[]
}

/** Does jobs. */
export function startDoing(
  connection: Connection,
  job: DeployedJob,
  { concurrency, takes, onDecided, ...lanes }: DoingOptions,
): Promise<JobWorker> {
  const now = (): number => Date.now()
  const options = { connection, clock: systemClock, now, log: silentLog, progressOf: () => NO_PROGRESS }
  const queues = jobPlaces([job], options).map((queue): WorkedQueue => telling(queue, onDecided))
  const rules = { least: concurrency, most: concurrency, cut: 1 }
  return JobWorker.start({
    connection,
    clock: systemClock,
    log: silentLog,
    owner: 'bench',
    now,
    chance: Math.random,
    client: answering(takes),
    admission: new LocalAdmission({ clock: systemClock, now, rules }),
    queues,
    estimates: new TokenEstimates(),
    onFailure: fail,
    ...lanes,
  })
}

/** Says when a job has its decision on the log. */
function telling(queue: WorkedQueue, onDecided: (id: string) => void): WorkedQueue {
  const { log } = queue.place
  const append: typeof log.append = async (id, version, events, cause) => {
    const stored = await log.append(id, version, events, cause)
    if (stored && events.some(({ type }) => type === 'job.decided')) onDecided(id)
    return stored
  }
  return { ...queue, place: { ...queue.place, log: { ...log, append } } }
}

const TEXT = '{"fraud":false}'
const USAGE = { input_tokens: 100, output_tokens: 5 }
const MESSAGE = { id: 'm', type: 'message', role: 'assistant', model: 'none', content: [], usage: USAGE }
const EVENTS: readonly unknown[] = [
  { type: 'message_start', message: MESSAGE },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: TEXT } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
]

/** A model that says no after so many ms. */
function answering(takes: number): ModelClient {
  async function* events(): AsyncGenerator<unknown> {
    yield* EVENTS
  }
  return {
    open: async () => {
      if (takes > 0) await new Promise((resolve) => setTimeout(resolve, takes))
      return { requestId: 'bench', header: () => undefined, events: events() }
    },
    factsOf: (error) => {
      throw error
    },
  }
}
