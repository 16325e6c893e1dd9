// Jobs on a real server: their streams, a job that is declared, requests, and workers that do them against the stand-in.
import { z } from 'zod'
import { applyStreams } from '../../../src/broker/apply-streams.ts'
import type { Connection } from '../../../src/broker/connection.ts'
import { defineStream, type StreamDeclaration } from '../../../src/broker/define-stream.ts'
import { readLast } from '../../../src/broker/last-message.ts'
import { planStreams } from '../../../src/broker/plan-streams.ts'
import { DEAD_LETTER_STREAM, deadLetterSubject } from '../../../src/broker/system-subject.ts'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { anthropicClient } from '../../../src/job/anthropic-client.ts'
import { defineJob } from '../../../src/job/define-job.ts'
import { definePrompt } from '../../../src/job/define-prompt.ts'
import type { JobOptions, JobDeclaration } from '../../../src/job/job-options.ts'
import type { JobState } from '../../../src/job/job-state.ts'
import { jobQueue, jobStream } from '../../../src/job/job-streams.ts'
import { LocalAdmission } from '../local-admission.ts'
import { NO_PROGRESS } from '../../../src/job/progress/job-progress.ts'
import { progressStream } from '../../../src/job/progress/progress-stream.ts'
import { takeRequest } from '../../../src/job/take-request.ts'
import type { JobWorkerOptions } from '../../../src/job/worker/job-worker-options.ts'
import { JobWorker } from '../../../src/job/worker/job-worker.ts'
import { TokenEstimates } from '../../../src/job/worker/token-estimates.ts'
import { silentLog, type Log } from '../../../src/observe/log.ts'
import type { DeployedJob } from '../../../src/runtime/deployed-jobs.ts'
import { jobPlaces } from '../../../src/runtime/job-places.ts'
import { jobPorts } from '../../../src/runtime/open-job.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { atEnd } from '../../support/cleanup.ts'
import { eventually } from '../../support/broker.ts'

const say: Log['info'] = (...parts) => console.log(...parts)
export const LOG: Log =
  process.env['MILLRACE_TEST_LOG'] === undefined ? silentLog : { debug: say, info: say, warn: say, error: say }

export const Asked = defineEvent('case.asked', { data: z.object({ text: z.string(), by: z.string() }) })

type Options = JobOptions<typeof Asked, z.ZodType>

/** A job of a stream, which waits but a moment between attempts. */
export function jobOn(stream: string, options: Partial<Options> = {}): JobDeclaration {
  return defineJob({
    name: 'judge',
    on: { stream, event: Asked },
    prompt: definePrompt({ id: 'judge', version: 1, user: 'Judge: {{text}}' }),
    result: z.object({ verdict: z.string() }),
    model: 'claude-haiku-5-5',
    maxTokens: 200,
    tenant: ({ by }) => by,
    retry: { backoff: fixed(300) },
    ...options,
  })
}

let count = 0

/** A context with its jobs, created. */
export async function jobContext(connection: Connection, options: Partial<Options> = {}): Promise<JobContext> {
  const context = contextNamed(connection, `J${process.pid}-${(count += 1)}`, options)
  const { stream, records, queue } = context.job
  await applyStreams(connection, await planStreams(connection, [stream, records, queue]))
  return context
}

/** A context that is there. */
export function contextNamed(connection: Connection, name: string, options: Partial<Options> = {}): JobContext {
  const stream = defineStream({ name, root: name.toLowerCase(), partitions: 1 })
  const records = jobStream(stream)
  const [queue, progress] = [jobQueue(records), progressStream(records)]
  return new JobContext(connection, { declaration: jobOn(name, options), stream, records, queue, progress })
}

export class JobContext {
  readonly connection: Connection
  readonly job: DeployedJob
  #requested = 0

  constructor(connection: Connection, job: DeployedJob) {
    this.connection = connection
    this.job = job
  }

  get stream(): StreamDeclaration {
    return this.job.stream
  }

  get ports() {
    return jobPorts(this.job, { connection: this.connection, clock: systemClock })
  }

  get places() {
    const progressOf = (): typeof NO_PROGRESS => NO_PROGRESS
    const time = { clock: systemClock, now: () => Date.now() }
    return jobPlaces([this.job], { connection: this.connection, ...time, log: LOG, progressOf })
  }

  /** Has a request taken, as its handler would. */
  request(id: string, text = id, { generation = 0, by = 'acme' } = {}): Promise<string> {
    const sequence = (this.#requested += 1)
    const at = { stream: this.stream.name, sequence, storedAt: 1_000, subject: `${this.stream.root}.0.case.asked` }
    const event: StoredEvent = {
      id,
      source: '/test',
      type: 'case.asked',
      version: 1,
      time: Date.now(),
      key: undefined,
      data: { text, by },
      correlationId: `c-${id}`,
      causationId: undefined,
      attributes: {},
      stream: at.stream,
      sequence,
      storedAt: 1_000,
    }
    return takeRequest(this.ports, this.job.declaration, event, { origin: { ...at, member: undefined }, generation })
  }

  async state(id: string): Promise<JobState> {
    return (await this.ports.log.read(id)).state
  }

  /** Waits until a job is over. */
  over(id: string, limitMs?: number): Promise<Extract<JobState, { kind: 'decided' | 'dead' }>> {
    return eventually(
      `${id} is over`,
      async () => {
        const state = await this.state(id)
        return state.kind === 'decided' || state.kind === 'dead' ? state : undefined
      },
      limitMs,
    )
  }

  /** Messages that the queue has, of schedules too. */
  async queued(): Promise<number> {
    return (await this.connection.manager.streams.info(this.job.queue.name)).state.messages
  }

  /** The dead letter of a request. */
  letter(sequence: number, which = '') {
    const subject = deadLetterSubject(this.stream.name, sequence, `handler-job-${this.job.declaration.name}`, which)
    return readLast(this.connection, DEAD_LETTER_STREAM, subject)
  }
}

/** Puts a worker to work in this process; it is stopped after the last suite. */
export async function work(
  context: JobContext,
  url: string,
  options: Partial<JobWorkerOptions> = {},
): Promise<JobWorker> {
  const worker = await JobWorker.start({
    connection: context.connection,
    clock: systemClock,
    log: LOG,
    owner: 'test',
    now: () => Date.now(),
    chance: Math.random,
    client: await anthropicClient({ apiKey: undefined, baseUrl: url }),
    admission: new LocalAdmission({ clock: systemClock, now: () => Date.now() }),
    queues: context.places,
    estimates: new TokenEstimates(),
    stopGraceMs: 1_000,
    onFailure: () => undefined,
    ...options,
  })
  atEnd(() => worker.stop())
  return worker
}
