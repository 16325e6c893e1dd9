import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { streamTimeOf } from '../broker/stream-time.js'
import { HandlerStalls, type HandlerStall } from '../delivery/handler-stalls.js'
import { isFault, type MillraceError } from '../error/millrace-error.js'
import { anthropicClient } from '../job/anthropic-client.js'
import type { BatchLane } from '../job/batch/batch-lane.js'
import { batchRulesOf } from '../job/batch/batch-rules.js'
import { BucketAnswers } from '../job/bucket-answers.js'
import { SharedAdmission } from '../job/limits/shared-admission.js'
import type { ModelClient } from '../job/model-client.js'
import type { ModelsConfig } from '../job/models-config.js'
import type { JobProgress } from '../job/progress/job-progress.js'
import { ProgressSender } from '../job/progress/progress-sender.js'
import type { JobWorkerStatus } from '../job/worker/job-worker-options.js'
import { JobWorker } from '../job/worker/job-worker.js'
import { TokenEstimates } from '../job/worker/token-estimates.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import { systemChance } from '../time/system-chance.js'
import { collectsBatches, ONE_BY_ONE, startBatches } from './batches-at-work.js'
import type { DeployedJob } from './deployed-jobs.js'
import { providerOf } from './model-provider.js'
import { jobPlaces } from './job-places.js'

/** How the worker of jobs is named beside processors and handlers. */
export const JOBS_ID = 'jobs'
/** Under which it tells why it stands still: no handler can have this name. */
export const JOBS_STALL = 'jobs.worker'

export interface JobsOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  readonly jobs: readonly DeployedJob[]
  /** What is known of models; undefined: nothing. */
  readonly models: ModelsConfig | undefined
  /** The value of a setting: the key, and the address of a stand-in. */
  readonly setting: (name: string) => string | undefined
}

/** How often it is looked whether it stands still, in ms. */
const LOOK_MS = 1_000

/** What does the jobs in this process; or why nothing does. */
export class JobsAtWork {
  readonly #stops: (() => void)[]
  /** What is needed until the last job has ended. */
  readonly #lastStops: (() => unknown)[] = []
  #worker: JobWorker | undefined
  #batches: BatchLane | undefined
  #admitting: SharedAdmission | undefined
  #stall: HandlerStall | undefined

  private constructor({ connection, clock }: JobsOptions) {
    const stalls = new HandlerStalls(connection, clock)
    this.#stops = [clock.every(LOOK_MS, () => stalls.tell({ name: JOBS_STALL, stall: this.stall }))]
  }

  /**
   * Starts it where there are jobs. Without a key, or without the SDK, nothing else is kept from running: jobs wait, and
   * the log and `millrace status` say why.
   * @throws STREAM_NOT_FOUND and others of the broker
   */
  static async start(options: JobsOptions): Promise<JobsAtWork | undefined> {
    if (options.jobs.length === 0) return undefined
    const work = new JobsAtWork(options)
    try {
      await work.#start(options)
      return work
    } catch (error) {
      await work.stop()
      throw error
    }
  }

  get status(): JobWorkerStatus | undefined {
    return this.#worker?.status
  }

  /** Why no job is begun here; undefined: nothing keeps them. */
  get stall(): HandlerStall | undefined {
    return this.#stall ?? this.#worker?.status.stall ?? this.#batches?.stall ?? this.#leftAlone
  }

  /** Models that all processes leave alone for now. */
  get #leftAlone(): HandlerStall | undefined {
    const closed = this.#admitting?.closed ?? []
    if (closed.length === 0) return undefined
    return { code: 'JOBS_WAIT', detail: closed.map(({ why }) => why).join('; ') }
  }

  /** Hands back what has not begun, and gives what runs a while. Never rejects. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    await Promise.all([this.#worker?.stop(), this.#batches?.stop()])
    for (const stop of this.#lastStops) await stop()
  }

  async #start(options: JobsOptions): Promise<void> {
    const { connection, clock, log, owner, jobs } = options
    const client = await this.#client(options)
    if (client === undefined) return
    const progressOf = ({ name }: StreamDeclaration): JobProgress => {
      const sender = new ProgressSender({ connection, clock, log, stream: name })
      this.#lastStops.push(() => sender.stop())
      return sender.progress
    }
    const time = streamTimeOf(connection, clock, jobs[0]?.queue.name ?? '')
    this.#stops.push(time.follow(() => undefined))
    const now = (): number => (time.known ? time.now() : clock.now())
    const queues = jobPlaces(jobs, { connection, clock, now, log, progressOf })
    const { baseUrl: elsewhere } = providerOf(options.setting)
    const cache = new BucketAnswers({ connection, clock, now, log, elsewhere })
    if (jobs.some(({ declaration }) => declaration.cacheTtl !== undefined))
      await cache.prepare(Math.max(...jobs.map(({ records }) => records.replicas)))
    const admission = await this.#admission(options, now)
    const onFailure = (error: MillraceError): void => void (this.#stall = stallOf(error))
    const ports = { client, admission, queues, cache, estimates: new TokenEstimates(), onFailure }
    const shared = { connection, clock, log, owner, now, chance: systemChance, ...ports }
    const collects = collectsBatches(options.setting)
    this.#worker = await JobWorker.start({ ...shared, ...(collects ? { lanes: ONE_BY_ONE } : {}) })
    const rules = batchRulesOf(options.models?.batches)
    this.#batches = await startBatches({ ...shared, collects, rules, setting: options.setting })
    log.info({ queues: queues.map(({ stream }) => stream.name) }, 'worker of jobs started')
  }

  async #admission(options: JobsOptions, now: () => number): Promise<SharedAdmission> {
    const { jobs, setting } = options
    const admission = await SharedAdmission.open({
      ...options,
      now,
      chance: systemChance,
      replicas: Math.max(...jobs.map(({ records }) => records.replicas)),
      credential: setting('ANTHROPIC_API_KEY') ?? '',
      calls: jobs.map(({ declaration }) => declaration),
    })
    this.#admitting = admission
    this.#lastStops.push(() => admission.stop())
    return admission
  }

  async #client({ setting, log }: JobsOptions): Promise<ModelClient | undefined> {
    try {
      return await anthropicClient(providerOf(setting))
    } catch (error) {
      if (!isFault(error, 'MODEL_KEY_MISSING', 'MODEL_SDK_MISSING')) throw error
      this.#stall = stallOf(error)
      log.error({ code: error.code, advice: error.advice }, 'jobs wait: no model can be called')
      return undefined
    }
  }
}

function stallOf({ code, detail, advice }: MillraceError): HandlerStall {
  return { code, detail: detail === '' ? advice : detail }
}

/** Starts it. @param giveUp called when it cannot be: ends what runs, and throws */
export async function startJobs(
  options: JobsOptions,
  giveUp: (error: unknown) => Promise<never>,
): Promise<JobsAtWork | undefined> {
  try {
    return await JobsAtWork.start(options)
  } catch (error) {
    return giveUp(error)
  }
}
