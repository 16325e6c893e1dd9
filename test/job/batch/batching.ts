// The lane of batches on a real server, with the real client and the stand-in; what one does can be ended at any place.
import { z } from 'zod'
import { applyStreams } from '../../../src/broker/apply-streams.ts'
import type { Connection } from '../../../src/broker/connection.ts'
import { newId } from '../../../src/broker/new-id.ts'
import { planStreams } from '../../../src/broker/plan-streams.ts'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { anthropicClient } from '../../../src/job/anthropic-client.ts'
import { anthropicBatches } from '../../../src/job/batch/anthropic-batches.ts'
import type { BatchClient } from '../../../src/job/batch/batch-client.ts'
import { BatchLane, type BatchedQueue } from '../../../src/job/batch/batch-lane.ts'
import { DEFAULT_BATCH, type BatchRules } from '../../../src/job/batch/batch-rules.ts'
import { BucketAnswers } from '../../../src/job/bucket-answers.ts'
import { defineJob } from '../../../src/job/define-job.ts'
import { definePrompt } from '../../../src/job/define-prompt.ts'
import type { JobEvent } from '../../../src/job/job-event.ts'
import { jobQueue, jobStream } from '../../../src/job/job-streams.ts'
import { LocalAdmission } from '../local-admission.ts'
import { NO_PROGRESS } from '../../../src/job/progress/job-progress.ts'
import { progressStream } from '../../../src/job/progress/progress-stream.ts'
import { takeRequest } from '../../../src/job/take-request.ts'
import { TokenEstimates } from '../../../src/job/worker/token-estimates.ts'
import { silentLog } from '../../../src/observe/log.ts'
import type { DeployedJob } from '../../../src/runtime/deployed-jobs.ts'
import { jobPlaces } from '../../../src/runtime/job-places.ts'
import { jobPorts, readJob } from '../../../src/runtime/open-job.ts'
import type { ModelServer } from '../../../src/testing.ts'
import { startModelServer, type ModelServerOptions } from '../../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { atEnd } from '../../support/cleanup.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { sharedServer } from '../../support/nats.ts'

export const Asked = defineEvent('triage.requested', { data: z.object({ text: z.string() }) })

/** Short, and yet longer than a busy machine takes. */
export const RULES: BatchRules = {
  ...DEFAULT_BATCH,
  size: 5,
  age: 200,
  pollLeast: 50,
  pollMost: 200,
  missing: 3_000,
  sending: 2_000,
  creating: 3_000,
  skew: 1_000,
  usual: 60_000,
}
const ACK_WAIT = 2_000

export interface Batching {
  readonly job: DeployedJob
  readonly server: ModelServer
  /** Has jobs requested, by their ids. */
  request(ids: readonly string[], options?: { readonly time?: number; readonly text?: string }): Promise<void>
  lane(options?: LaneOptions): Promise<BatchLane>
  /** Types of the events of a job. */
  story(id: string): Promise<readonly string[]>
  /** Waits until it ends so. @returns its events */
  until(id: string, last: string): Promise<readonly JobEvent[]>
}

export interface LaneOptions {
  readonly rules?: Partial<BatchRules>
  readonly collects?: boolean
  /** Ends it in the middle: counts what it does, and does nothing more from then on. */
  readonly kill?: Kill | undefined
  readonly connection?: Connection
  /** What is between it and the provider. */
  readonly client?: (client: BatchClient) => BatchClient
}

export async function batching(
  options: ModelServerOptions = {},
  more: { readonly deadline?: string; readonly attempts?: number; readonly cache?: string } = {},
): Promise<Batching> {
  const connection = await sharedConnection()
  const context = await freshStream(connection)
  const records = jobStream(context)
  const [queue, progress] = [jobQueue(records), progressStream(records)]
  await applyStreams(connection, await planStreams(connection, [records, queue, progress]))
  const declaration = defineJob({
    name: 'triage',
    on: { stream: context.name, event: Asked },
    prompt: definePrompt({ id: 'triage', version: 1, user: 'Is it fraud? {{text}}' }),
    result: z.object({ fraud: z.boolean() }),
    model: 'claude-haiku-5-5',
    maxTokens: 100,
    lane: 'batch',
    retry: { attempts: more.attempts ?? 3, backoff: fixed('100ms') },
    ...(more.deadline === undefined ? {} : { deadline: more.deadline }),
    ...(more.cache === undefined ? {} : { cache: { ttl: more.cache } }),
  })
  const job: DeployedJob = { declaration, stream: context, records, queue, progress }
  const server = await startModelServer(options)
  atEnd(() => server.stop())
  const client = { apiKey: undefined, baseUrl: server.url }
  const eventsOf = (id: string) => readJob(records, { connection, clock: systemClock }, id)
  const ports = jobPorts(job, { connection, clock: systemClock })
  return {
    job,
    server,
    async request(ids, { time = Date.now(), text } = {}) {
      for (const id of ids) await takeRequest(ports, declaration, eventOf(id, time, context.name, text))
    },
    async lane({ rules = {}, collects = true, kill, connection: own = connection, client: via }: LaneOptions = {}) {
      const queues = jobPlaces([job], {
        connection: own,
        clock: systemClock,
        now: () => Date.now(),
        log: silentLog,
        progressOf: () => NO_PROGRESS,
      })
      const [real, model] = [await anthropicBatches(client), await anthropicClient(client)]
      const batchClient = via?.(real) ?? real
      const lane = await BatchLane.start({
        connection: own,
        clock: systemClock,
        log: silentLog,
        owner: 'test',
        now: () => Date.now(),
        chance: () => 0.5,
        client: model,
        cache: new BucketAnswers({ connection: own, clock: systemClock, now: () => Date.now(), log: silentLog }),
        admission: new LocalAdmission({ clock: systemClock, now: () => Date.now() }),
        estimates: new TokenEstimates(),
        queues: kill === undefined ? queues : queues.map((one) => killable(one, kill)),
        batchClient: kill === undefined ? batchClient : kill.watched('client', batchClient),
        rules: { ...RULES, ...rules },
        collects,
        newId,
        ackWait: ACK_WAIT,
        stopGraceMs: 100,
        onFailure: (error) => {
          if (kill === undefined) throw error
        },
      })
      if (kill === undefined) atEnd(() => lane.stop())
      return lane
    },
    async story(id) {
      return (await eventsOf(id)).map(({ type }) => type.slice(4))
    },
    until: (id, last) =>
      eventually(`${id} is ${last}`, async () => {
        const events = await eventsOf(id)
        return events.at(-1)?.type === `job.${last}` ? events : undefined
      }),
  }
}

function eventOf(id: string, time: number, stream: string, text = `of ${id}`): StoredEvent {
  const place = { stream, sequence: 1, storedAt: time, source: '/test', attributes: {} }
  const none = { key: undefined, correlationId: undefined, causationId: undefined }
  return { ...place, ...none, id, type: Asked.type, version: 1, time, data: { text } }
}

/** The end of a process, in this one: from one of its doings on it does nothing any more, and lets go of nothing. */
export class Kill {
  readonly #at: number
  readonly #when: 'before' | 'after'
  readonly #killed: () => void
  /** What it has done, in order. */
  readonly done: string[] = []
  dead = false

  /** @param at how many doings come before */
  constructor(at: number, when: 'before' | 'after', killed: () => void) {
    this.#at = at
    this.#when = when
    this.#killed = killed
  }

  /** The same, but that it may be the last. */
  watched<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function' || PASSIVE.includes(String(key))) return value
        if (READS.includes(String(key)))
          return (...given: unknown[]) => this.#unlessDead(() => Reflect.apply(value, target, given))
        return (...given: unknown[]) => this.#do(`${name}.${String(key)}`, () => Reflect.apply(value, target, given))
      },
    })
  }

  async #do(what: string, work: () => unknown): Promise<unknown> {
    if (this.dead) return NEVER
    const last = this.done.length === this.#at
    this.done.push(what)
    if (last && this.#when === 'before') this.end()
    return this.#unlessDead(work, last)
  }

  /** Who is ended hears of nothing any more. */
  async #unlessDead(work: () => unknown, last = false): Promise<unknown> {
    if (this.dead) return NEVER
    try {
      const result = await work()
      if (last) this.end()
      return this.dead ? NEVER : result
    } catch (error) {
      if (this.dead) return NEVER
      throw error
    }
  }

  /** Wherever it is. */
  end(): void {
    if (this.dead) return
    this.dead = true
    this.#killed()
  }
}

const NEVER = new Promise<never>(() => undefined)
/** Change nothing. */
const READS: readonly string[] = ['read', 'has', 'inBatch']
/** Nor are they waited for. */
const PASSIVE: readonly string[] = ['factsOf', 'declared', 'answers']

function killable(queue: BatchedQueue, kill: Kill): BatchedQueue {
  const { place, batches, looks, stream } = queue
  return {
    stream,
    place: {
      ...place,
      log: kill.watched('log', place.log),
      queue: kill.watched('queue', place.queue),
      letter: (dead) => kill.watched('place', place).letter(dead),
      inBatch: (batch, own) => kill.watched('place', place).inBatch?.(batch, own) ?? Promise.resolve(false),
    },
    batches: kill.watched('batches', batches),
    looks: kill.watched('looks', looks),
  }
}

/** A connection that can be ended as that of a process that dies. */
export async function ownConnection(): Promise<Connection> {
  return connectTo((await sharedServer()).url)
}
