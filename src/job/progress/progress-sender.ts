import type { Connection } from '../../broker/connection.js'
import { subscribeDeliveries } from '../../broker/deliveries.js'
import type { Delivery } from '../../broker/delivery-parser.js'
import { readAck } from '../../broker/publish-ack.js'
import { readStatus } from '../../broker/server-status.js'
import { messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { tellProgress, type JobProgress } from './job-progress.js'
import { progressSubject } from './progress-stream.js'
import type { ProgressEvent } from './progress-event.js'

export interface ProgressSenderOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  /** The stream of progress. */
  readonly stream: string
}

/** Messages without a receipt from which on nothing more is sent: somebody does not take them. */
const MOST_OPEN = 2_048
/** After how long without any receipt they are not waited for any more, in ms. */
const FORGOTTEN_MS = 10_000

/** Sends progress to its stream. It waits for no receipt, but counts them: what is not stored is told once. */
export class ProgressSender {
  readonly #options: ProgressSenderOptions
  readonly #inbox: string
  readonly #stops: (() => void)[]
  readonly progress: JobProgress
  #open = 0
  #heardAt: number
  #lost = 0
  #told = false
  #stopped = false

  constructor(options: ProgressSenderOptions) {
    const { connection, clock } = options
    this.#options = options
    this.#heardAt = clock.monotonic()
    this.#inbox = connection.newInbox()
    this.#stops = [
      subscribeDeliveries(connection.nats, this.#inbox, (delivery) => this.#onReceipt(delivery)),
      // receipts that were on their way have gone with the link
      connection.onStatus(({ kind }) => (kind === 'connected' ? void (this.#open = 0) : undefined)),
    ]
    this.progress = tellProgress(clock, (job, attempt, event) => this.#send(job, attempt, event))
  }

  /** What was not stored, as far as is known. */
  get lost(): number {
    return this.#lost
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    for (const stop of this.#stops) stop()
  }

  #send(job: string, attempt: number, event: ProgressEvent): void {
    const { connection, clock, stream } = this.#options
    if (this.#stopped) return
    if (connection.state.kind !== 'connected' || connection.nats.isDraining())
      return this.#lose('there is no connection')
    if (this.#open >= MOST_OPEN) {
      if (clock.monotonic() - this.#heardAt < FORGOTTEN_MS) return this.#lose('the server does not take it as fast')
      this.#open = 0
    }
    try {
      connection.nats.publish(progressSubject(stream, job, attempt), JSON.stringify(event), { reply: this.#inbox })
      if (this.#open === 0) this.#heardAt = clock.monotonic()
      this.#open += 1
    } catch (error) {
      this.#lose(messageOf(error)) // a text larger than a message, or a link that closes
    }
  }

  #onReceipt(delivery: Delivery): void {
    this.#open = Math.max(0, this.#open - 1)
    this.#heardAt = this.#options.clock.monotonic()
    const { frame, headers, data, end } = delivery
    if (data > headers) return this.#lose(`the stream does not answer: ${readStatus(delivery).code}`)
    const reply = readAck(frame.subarray(data, end))
    if (reply.kind === 'refused') this.#lose(reply.error.detail)
  }

  #lose(why: string): void {
    this.#lost += 1
    if (this.#told) return
    this.#told = true
    const { log, stream } = this.#options
    log.warn({ stream, detail: why }, 'progress of jobs is not stored; the jobs go on')
  }
}
