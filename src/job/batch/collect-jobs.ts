// CollectJobs
//
// Puts jobs that wait into a batch: on the log first, then to the provider.
//
//   DoJob -> CollectJobs:       a job that is to be asked, with its message in hand
//   CollectJobs -> BatchLog:    the batch and the beginnings of its jobs’ attempts, in one record
//   CollectJobs -> BatchLooks:  somebody looks after it
//   CollectJobs -> DoJob:       the messages are done
//   CollectJobs -> SendBatch:   it may be sent
//
// Invariants (tests cite them):
//   BA1  A batch is sent at most once: by the process that has put it on the log, and before anybody may think that it was not.
//   BA2  The message of a job is done when the job’s batch is on the log and will be looked at; until then it comes again.
//   BA3  An attempt is in one batch, and nobody begins another one as long as that may have an answer.
import type { ModelAsk } from '../model-client.js'
import { insisting, JobHistory } from '../worker/job-history.js'
import type { CollectedJob, TaskEnd } from '../worker/work-ports.js'
import { BatchFormer } from './batch-former.js'
import type { BatchPorts } from './batch-ports.js'
import { MOST_JOBS } from './batch-rules.js'
import { isUrgentFor } from './batch-times.js'
import { customIdOf } from './find-lost-batch.js'
import { recordBatch } from './record-batch.js'
import { sendBatch } from './send-batch.js'

interface Waiting extends CollectedJob {
  resolve(end: TaskEnd | undefined): void
  reject(error: unknown): void
}

export class CollectJobs {
  readonly #ports: BatchPorts
  readonly #former: BatchFormer<Waiting>
  readonly #open = new Set<Promise<void>>()
  #cancel: () => void = () => undefined

  constructor(ports: BatchPorts) {
    this.#ports = ports
    const { size, bytes, age } = ports.rules
    this.#former = new BatchFormer({ size: Math.min(size, MOST_JOBS), bytes, age })
  }

  /** Jobs that wait for others. */
  get waiting(): number {
    return this.#former.size
  }

  /**
   * Takes a job into a batch, or has it done one by one where its deadline is near.
   * @returns what becomes of its message; undefined: the job is to be looked at again
   */
  async add(collected: CollectedJob): Promise<TaskEnd | undefined> {
    const { now, clock, times } = this.#ports
    const { task, ask, account } = collected
    if (isUrgentFor(account.request.deadline, now(), times.usual)) return this.#promote(collected)
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { ...collected, resolve, reject }
      const onAbort = (): void => {
        if (this.#former.remove(waiting)) resolve('back')
      }
      if (task.call.aborted) return resolve('back')
      task.call.addEventListener('abort', onAbort, { once: true })
      for (const full of this.#former.add(waiting, bytesOf(ask), clock.monotonic())) this.#begin(full)
      this.#arm()
    })
  }

  /** Hands back what waits for others; resolves when what is on the log has been sent. */
  async stop(): Promise<void> {
    this.#cancel()
    for (const waiting of this.#former.take()) waiting.resolve('back')
    await Promise.all(this.#open)
  }

  /** The log says so first. */
  async #promote({ task }: CollectedJob): Promise<TaskEnd | undefined> {
    const { now, place, clock, times } = this.#ports
    const { queued, message, signal } = task
    const history = new JobHistory({ log: place.log, clock, now, signal }, queued.id)
    await history.read()
    await history.tell({ kind: 'promote', usual: times.usual })
    const { state } = history
    if (state.kind === 'none' || state.kind === 'decided' || state.kind === 'dead') return undefined
    await insisting({ clock, signal }, () => place.queue.move({ ...queued, lane: 'standard' }, message))
    return 'done'
  }

  #arm(): void {
    this.#cancel()
    const { dueAt } = this.#former
    if (dueAt === undefined) return
    const { clock } = this.#ports
    this.#cancel = clock.after(Math.max(1, dueAt - clock.monotonic()), () => {
      const due = this.#former.dueAt
      if (due !== undefined && due <= clock.monotonic()) this.#begin(this.#former.take())
      this.#arm()
    })
  }

  #begin(all: readonly Waiting[]): void {
    const forming = this.#form(all).finally(() => this.#open.delete(forming))
    this.#open.add(forming)
  }

  async #form(all: readonly Waiting[]): Promise<void> {
    const batch = this.#ports.newId()
    try {
      const formed = await recordBatch(this.#ports, batch, all)
      for (const waiting of all) waiting.resolve(formed.jobs.has(waiting) ? 'done' : undefined)
      if (formed.jobs.size === 0) return
      const questions = [...formed.jobs].map(({ ask }, at) => ({ customId: customIdOf(batch, at), ask }))
      await sendBatch(this.#ports, { batch, questions, since: formed.since })
    } catch (error) {
      // what was stored of it is seen when the messages come again
      for (const waiting of all) waiting.reject(error)
    }
  }
}

/** What a question has around its texts, in bytes. */
const AROUND = 2_000

function bytesOf({ system, user, schema, repair }: ModelAsk): number {
  return AROUND + Buffer.byteLength(JSON.stringify([system, user, schema, repair]))
}
