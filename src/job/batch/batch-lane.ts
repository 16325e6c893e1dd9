// BatchLane
//
// The jobs of the lane `batch` in this process, of all contexts: taken by a worker of their own, put together, sent, and looked after.
import type { Admission } from '../admission.js'
import type { Standstill } from '../worker/call-standstill.js'
import type { JobWorkerOptions, WorkedQueue } from '../worker/job-worker-options.js'
import { JobWorker } from '../worker/job-worker.js'
import type { BatchClient } from './batch-client.js'
import type { BatchLog, BatchLooks, BatchPorts } from './batch-ports.js'
import type { BatchRules } from './batch-rules.js'
import { BatchTimes } from './batch-times.js'
import { BatchWatch } from './batch-watch.js'
import { CollectJobs } from './collect-jobs.js'
import { LookAfter } from './look-after.js'
import { RefusedBatches } from './refused-batches.js'

/** The queue of a context, and where its batches are. */
export interface BatchedQueue extends WorkedQueue {
  readonly batches: BatchLog
  readonly looks: BatchLooks
}

export interface BatchLaneOptions extends Omit<JobWorkerOptions, 'lanes' | 'queues' | 'collect'> {
  readonly queues: readonly BatchedQueue[]
  readonly batchClient: BatchClient
  readonly rules: BatchRules
  /** Whether jobs are put together here; batches that there are, are looked after in any case. */
  readonly collects: boolean
  readonly newId: () => string
}

/** Places that no job of this lane takes: some are kept for urgent ones. */
const SPARE = 8

/** How long a stop waits for what is being sent or looked at, in ms; whoever comes next goes on with it. */
const STOP_MS = 10_000

export class BatchLane {
  readonly #options: BatchLaneOptions
  readonly #ending = new AbortController()
  readonly #collecting: readonly CollectJobs[]
  readonly #ports: readonly BatchPorts[]
  readonly #refused: RefusedBatches
  #watches: readonly BatchWatch[] = []
  #worker: JobWorker | undefined
  #stopped: Promise<void> | undefined

  private constructor(options: BatchLaneOptions) {
    this.#options = options
    this.#refused = new RefusedBatches(options.now)
    const client = this.#refused.watched(options.batchClient)
    const { rules, clock, log, chance, now, newId, admission, cache } = options
    const { signal } = this.#ending
    const shared = { client, cache, rules, clock, log, chance, now, newId, signal, times: new BatchTimes(rules.usual) }
    const bill: BatchPorts['bill'] = async (call, billed) => admission.batched?.settle(call, billed)
    this.#ports = options.queues.map(({ place, batches, looks }) => ({ ...shared, place, batches, looks, bill }))
    this.#collecting = options.collects ? this.#ports.map((ports) => new CollectJobs(ports)) : []
  }

  /** @throws STREAM_NOT_FOUND, HANDLER_CONSUMER_CHANGED and others of the broker */
  static async start(options: BatchLaneOptions): Promise<BatchLane> {
    const lane = new BatchLane(options)
    try {
      await lane.#start()
      return lane
    } catch (error) {
      await lane.stop()
      throw error
    }
  }

  /** Jobs that wait for others. */
  get waiting(): number {
    return this.#collecting.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  /** Why nothing is sent, or heard of what was; undefined: nothing is in the way. */
  get stall(): Standstill | undefined {
    return this.#refused.why
  }

  /** Hands back what waits for others, and waits for what is being sent or looked at. Safe to call twice. Never rejects. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  async #start(): Promise<void> {
    const { connection, clock, log, ackWait, onFailure, queues, collects } = this.#options
    const watched = { connection, clock, log, ackWait, onFailure }
    const watches = await Promise.allSettled(
      queues.map(({ stream }, at) => {
        const after = new LookAfter(this.#ports[at] as BatchPorts)
        return BatchWatch.start({ ...watched, queue: stream, look: (batch, copy) => after.look(batch, copy) })
      }),
    )
    // of those that have started none may stay behind when another one has not
    this.#watches = watches.flatMap((watch) => (watch.status === 'fulfilled' ? [watch.value] : []))
    for (const watch of watches) if (watch.status === 'rejected') throw watch.reason
    if (!collects) return
    const byPlace = new Map(queues.map(({ place }, at) => [place, this.#collecting[at]]))
    this.#worker = await JobWorker.start({
      ...this.#options,
      lanes: ['batch'],
      admission: admissionOf(this.#options, this.#refused),
      collect: (job) => byPlace.get(job.task.place)?.add(job) ?? Promise.resolve('left'),
    })
  }

  async #stop(): Promise<void> {
    const { clock } = this.#options
    // nothing is taken any more; what waits goes back at once; a batch that is on the log is sent
    const worker = this.#worker?.stop()
    const watches = this.#watches.map((watch) => watch.stop())
    const all = Promise.all([worker, ...watches, ...this.#collecting.map((one) => one.stop())])
    const late = new AbortController()
    await Promise.race([all, clock.sleep(STOP_MS, late.signal).catch(() => undefined)])
    late.abort()
    this.#ending.abort(new Error('the process stops'))
    await Promise.all([worker, ...watches])
  }
}

/** A job that waits for others takes no place from calls, and no tokens of a minute: only the budget of its tenant is asked. */
function admissionOf({ admission, rules, queues }: BatchLaneOptions, refused: RefusedBatches): Admission {
  const permit = { settle: () => Promise.resolve(undefined), end: () => Promise.resolve() }
  return {
    admit: async (call, signal) => {
      const until = refused.holds()
      if (until !== undefined) return { kind: 'later', at: until, why: refused.why?.detail ?? '' }
      return (await admission.batched?.admit(call, signal)) ?? { kind: 'admitted', permit }
    },
    // one that is full is put on the log while the next one comes
    places: SPARE + 2 * rules.size * Math.max(1, queues.length),
    ...(admission.spared === undefined ? {} : { spared: (...hit) => admission.spared?.(...hit) ?? Promise.resolve() }),
    died: async (job) => admission.died?.(job),
    onChange: () => () => undefined,
    stop: () => Promise.resolve(),
  }
}
