import { ConfirmedAcks } from '../../broker/confirmed-acks.js'
import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { deliveryCountOf } from '../../broker/delivery-count.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import type { WorkConsumer } from '../../broker/work-consumer.js'
import { dueFilter } from '../../broker/work-stream.js'
import { HandlerSource } from '../../delivery/handler-source.js'
import { InFlight, type Held } from '../../delivery/held.js'
import { isFault, messageOf, type MillraceError } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { ACK_WAIT_MS } from '../worker/lane-source.js'
import { BATCH_PLACE, readBatchLook } from './batch-look.js'

export interface BatchWatchOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  /** Of the jobs. */
  readonly queue: StreamDeclaration
  /** How long the server waits for a sign of life of who has a batch, in ms. Default 30 s. */
  readonly ackWait?: number | undefined
  readonly look: (batch: string, copy: number) => Promise<void>
  /** It cannot go on. */
  readonly onFailure: (error: MillraceError) => void
}

/** Batches that one process looks at, at a time. */
const AT_ONCE = 4
const MOST_PENDING = 10_000
const NO_LIMIT = -1
/** How long until it is looked again after a look that failed, at first and at most, in ms. */
const [FIRST_PAUSE_MS, LAST_PAUSE_MS] = [5_000, 60_000]
const LAST_WAIT_MS = 2_000

/** The consumer of batches that are to be looked at. */
export function batchConsumer(queue: StreamDeclaration, ackWait = ACK_WAIT_MS): WorkConsumer {
  return {
    stream: queue.name,
    name: 'jobs-batches',
    description: 'Batches that are to be looked at',
    filters: [dueFilter(queue.name, BATCH_PLACE)],
    ackWait,
    maxAckPending: MOST_PENDING,
    maxDeliver: NO_LIMIT,
  }
}

/** Looks at the batches whose time has come, beside other processes: each is in the hands of one. */
export class BatchWatch {
  readonly #options: BatchWatchOptions
  readonly #acks: ConfirmedAcks
  readonly #inFlight: InFlight
  readonly #source: HandlerSource
  readonly #looking = new Set<Promise<void>>()
  readonly #stopRenewing: () => void
  readonly #ending = new AbortController()
  #stopped = false

  private constructor(options: BatchWatchOptions) {
    const { connection, clock, log, queue, ackWait = ACK_WAIT_MS, onFailure } = options
    this.#options = options
    this.#acks = new ConfirmedAcks(connection, clock)
    this.#inFlight = new InFlight(clock, ackWait)
    this.#source = new HandlerSource({
      connection,
      clock,
      log,
      consumer: batchConsumer(queue, ackWait),
      from: 'first',
      onMessages: (messages) => this.#take(messages),
      onFailure,
    })
    this.#source.grant(AT_ONCE)
    this.#stopRenewing = clock.every(ackWait / 3, () => this.#inFlight.renew((replies) => this.#acks.renew(replies)))
  }

  /** @throws STREAM_NOT_FOUND, HANDLER_CONSUMER_CHANGED and others of the broker */
  static async start(options: BatchWatchOptions): Promise<BatchWatch> {
    const watch = new BatchWatch(options)
    try {
      await watch.#source.start()
      return watch
    } catch (error) {
      await watch.stop()
      throw error
    }
  }

  /** Asks for nothing more, and waits for what is being looked at. Never rejects. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#ending.abort()
    const back = await this.#source.drain()
    this.#acks.handBack(back.map(({ reply }) => reply))
    await Promise.all(this.#looking)
    if (this.#options.connection.state.kind === 'connected') await this.#acks.settled(LAST_WAIT_MS)
    this.#stopRenewing()
    this.#source.stop()
    this.#acks.close()
  }

  #take(messages: readonly StoredMessage[]): void {
    for (const message of messages) {
      const held = this.#inFlight.take(0, message, deliveryCountOf(message.reply))
      if (held === undefined) {
        this.#source.release(1)
        continue
      }
      const looking = this.#look(held).finally(() => this.#looking.delete(looking))
      this.#looking.add(looking)
    }
  }

  async #look(held: Held): Promise<void> {
    const { clock, log, look } = this.#options
    const batch = readBatchLook(held.message.data)
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LAST_PAUSE_MS, 2 * pause))
      try {
        if (batch !== undefined) await look(batch, held.message.sequence)
        break
      } catch (error) {
        if (this.#stopped) return this.#leave(held)
        const code = isFault(error) ? error.code : 'BATCH'
        log.warn({ batch, code, detail: messageOf(error) }, 'a batch cannot be looked at now')
        await clock.sleep(pause, this.#ending.signal).catch(() => undefined)
        if (this.#stopped || this.#inFlight.lapsed(held)) return this.#leave(held)
      }
    if (this.#inFlight.remove(held)) this.#acks.ack(held.reply)
    this.#source.release(1)
  }

  /** Another process may go on at once. */
  #leave(held: Held): void {
    if (this.#inFlight.remove(held) && !this.#inFlight.lapsed(held)) this.#acks.handBack([held.reply])
    this.#source.release(1)
  }
}
