// JobWorker
//
// Does the jobs of all queues in this process, beside other processes: takes a few of each lane, begins as many as there are places,
// the lanes by their weights, and holds what it has until it is done.
//
//   HandlerSource -> JobWorker:   messages of each queue and lane
//   JobWorker -> LaneSchedule:    whose turn it is
//   JobWorker -> doJob:           one job, with signals that end its call, and all else
//   JobWorker -> ConfirmedAcks:   messages that are done; renewals of all that is in hand
//
// Invariants (tests cite them):
//   JW5  At most as many jobs are asked at a time as there are places; one whose answer is being recorded takes none.
//   JW6  What is in hand is renewed, running or waiting; the call of a job that was lost to another process is ended.
//   JW7  A stop hands back what has not begun, waits for calls that run for a while, then ends them: none of it is an attempt.
import { ConfirmedAcks } from '../../broker/confirmed-acks.js'
import { deliveryCountOf } from '../../broker/delivery-count.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { HandlerSource } from '../../delivery/handler-source.js'
import { InFlight, type Held } from '../../delivery/held.js'
import { fault, type MillraceError } from '../../error/millrace-error.js'
import { LANES, type Lane } from '../job-event.js'
import { LaneSchedule } from '../lane-schedule.js'
import { readQueued, type ReadQueued } from '../queue-message.js'
import { standstillOf, type CallStandstill } from './call-standstill.js'
import { doJob } from './do-job.js'
import type { JobWorkerOptions, JobWorkerStatus, WorkedQueue } from './job-worker-options.js'
import { ACK_WAIT_MS, jobConsumer, LANE_SHARES, PREFETCH } from './lane-source.js'
import { endOf, RunningJobs, signalsOf } from './running-jobs.js'
import { Seats } from './seats.js'
import { TaskProgress } from './task-progress.js'
import type { TaskEnd, WorkPorts } from './work-ports.js'

interface Taken extends ReadQueued {
  readonly held: Held
}

interface Source {
  readonly source: HandlerSource
  readonly queue: WorkedQueue
  readonly lane: Lane
  running: number
}

/** How long a stop waits for calls, and for what is to be stored then, in ms. */
const STOP_GRACE_MS = 5_000
const LAST_WAIT_MS = 2_000
/** For each place, so many jobs are in hand with those whose answers are being recorded. */
const MOST_AT_ONCE = 4

export class JobWorker {
  readonly #options: JobWorkerOptions
  readonly #ports: WorkPorts
  readonly #acks: ConfirmedAcks
  readonly #inFlight: InFlight
  readonly #schedule = new LaneSchedule<Taken>(LANE_SHARES)
  readonly #seats: Seats
  readonly #standstill: CallStandstill
  readonly #running: RunningJobs
  readonly #waiting = new Set<Held>()
  readonly #stops: (() => void)[] = []
  #sources: readonly Source[] = []
  #stopped: Promise<void> | undefined

  /**
   * Begins to take jobs.
   * @throws STREAM_NOT_FOUND, HANDLER_CONSUMER_CHANGED and others of the broker
   */
  static async start(options: JobWorkerOptions): Promise<JobWorker> {
    const worker = new JobWorker(options)
    try {
      await worker.#begin()
      return worker
    } catch (error) {
      worker.#end()
      throw error
    }
  }

  private constructor(options: JobWorkerOptions) {
    const { connection, clock, ackWait = ACK_WAIT_MS } = options
    this.#options = options
    this.#acks = new ConfirmedAcks(connection, clock)
    this.#inFlight = new InFlight(clock, ackWait)
    this.#running = new RunningJobs()
    this.#seats = new Seats(
      this.#schedule,
      () => options.admission.places,
      () => this.#pump(),
    )
    this.#standstill = standstillOf(options, () => this.#pump())
    this.#ports = {
      ...options,
      onRefused: ({ reason }, detail, until) => this.#standstill.refused(`${reason}: ${detail}`, until),
      onAnswered: () => this.#standstill.answered(),
    }
  }

  get status(): JobWorkerStatus {
    return { held: this.#inFlight.size, running: this.#schedule.running, stall: this.#standstill.why }
  }

  /** Ends it in good order (JW7). Safe to call twice. Never rejects. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  async #begin(): Promise<void> {
    const { connection, clock, log, queues, lanes = LANES, ackWait = ACK_WAIT_MS, admission } = this.#options
    const places = queues.flatMap((queue) => lanes.map((lane) => ({ queue, lane })))
    this.#sources = places.map(({ queue, lane }, at) => {
      const source = new HandlerSource({
        connection,
        clock,
        log,
        consumer: jobConsumer(queue.stream, lane, ackWait),
        from: 'first',
        onMessages: (messages) => this.#take(at, messages),
        onFailure: (error) => this.#fail(error),
      })
      source.grant(PREFETCH[lane])
      return { source, queue, lane, running: 0 }
    })
    this.#stops.push(
      admission.onChange(() => this.#pump()),
      clock.every(ackWait / 3, () => this.#renew()),
    )
    await Promise.all(this.#sources.map(({ source }) => source.start()))
  }

  #take(at: number, messages: readonly StoredMessage[]): void {
    const { source, lane } = this.#sources[at] as Source
    for (const message of messages) {
      const held = this.#inFlight.take(at, message, deliveryCountOf(message.reply))
      if (held === undefined) {
        source.release(1)
        continue
      }
      const read = readQueued(message.data)
      if (read === undefined) {
        this.#options.log.warn(
          { lane, sequence: message.sequence },
          'what is in the queue is no job; it is thrown away',
        )
        this.#inFlight.remove(held)
        this.#acks.ack(held.reply)
        source.release(1)
        continue
      }
      this.#waiting.add(held)
      this.#schedule.add(lane, { tenant: read.job.tenant, cost: read.job.tokens, item: { ...read, held } })
    }
    this.#pump()
  }

  #pump(): void {
    this.#seats.fill()
    while (this.#stopped === undefined && this.#schedule.size > 0) {
      const { places } = this.#options.admission
      if (this.#schedule.running >= places || this.#running.size >= MOST_AT_ONCE * places) return
      if (!this.#standstill.begin()) return
      const taken = this.#schedule.next(places)
      if (taken === undefined) return this.#standstill.ended()
      this.#waiting.delete(taken.item.held)
      void this.#do(taken.item)
    }
  }

  async #do({ held, job: queued, first }: Taken): Promise<void> {
    const at = this.#sources[held.source] as Source
    this.#count(at, 1)
    let end: TaskEnd = 'left'
    const running = this.#running.begin(held)
    const seat = this.#seats.of(at.lane, running.wait.signal)
    const telling = new TaskProgress(at.queue.place.progress)
    try {
      // somebody else has it, since this process did nothing for long
      if (!this.#inFlight.lapsed(held))
        end = await doJob(this.#ports, {
          place: at.queue.place,
          queued,
          first,
          seat,
          message: held.message.sequence,
          deliveries: held.deliveries,
          ...signalsOf(running),
          telling,
        })
    } catch (error) {
      end = endOf(running, error, this.#options.log)
    }
    telling.left()
    this.#running.ended(held)
    seat.end()
    this.#standstill.ended()
    this.#count(at, -1)
    this.#finish(held, end)
    this.#pump()
  }

  /** What is done here takes no credit from what is to come. */
  #count(at: Source, by: 1 | -1): void {
    at.running += by
    at.source.grant(PREFETCH[at.lane] + at.running)
  }

  #finish(held: Held, end: TaskEnd): void {
    if (!this.#inFlight.remove(held)) return
    if (end === 'done') this.#acks.ack(held.reply)
    else if (end === 'back' && !this.#inFlight.lapsed(held)) this.#acks.handBack([held.reply])
    this.#sources[held.source]?.source.release(1)
  }

  #renew(): void {
    this.#running.lose(this.#options.clock, (held) => this.#inFlight.lapsed(held))
    this.#inFlight.renew((replies) => this.#acks.renew(replies))
    this.#pump() // nobody else gets what is in hand: it must not wait for a change that nobody tells of
  }

  #fail(error: MillraceError): void {
    if (this.#stopped !== undefined) return
    this.#options.log.error({ code: error.code, detail: error.detail }, 'the worker of jobs has stopped')
    void this.stop().then(() => this.#options.onFailure(error))
  }

  async #stop(): Promise<void> {
    const { stopGraceMs = STOP_GRACE_MS, clock, connection } = this.#options
    for (const { wait } of this.#running.all) wait.abort(new Error('aborted'))
    await this.#handBack()
    await this.#running.idle(clock, stopGraceMs)
    for (const { call } of this.#running.all) call.abort(new Error('aborted'))
    await this.#running.idle(clock, LAST_WAIT_MS)
    for (const { all } of this.#running.all) all.abort(fault('BROKER_TIMEOUT', 'the worker has stopped'))
    if (connection.state.kind === 'connected') await this.#acks.settled(LAST_WAIT_MS)
    this.#end()
  }

  async #handBack(): Promise<void> {
    const arrived = await Promise.all(this.#sources.map(({ source }) => source.drain()))
    const waiting = [...this.#waiting].filter((held) => this.#inFlight.remove(held))
    this.#waiting.clear()
    this.#acks.handBack([...waiting, ...arrived.flat()].map(({ reply }) => reply))
  }

  #end(): void {
    for (const stop of this.#stops) stop()
    for (const { source } of this.#sources) source.stop()
    this.#standstill.stop()
    this.#acks.close()
  }
}
