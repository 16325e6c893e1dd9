import type { HeaderReader } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import type { Connection, ConnectionStatus } from './connection.js'
import { handOversOf } from './hand-over.js'
import { openDeliveries, type Deliveries } from './deliveries.js'
import type { Delivery } from './delivery-parser.js'
import { readStatus, type ServerStatus } from './server-status.js'
import { DeliveredMessage, type StoredMessage } from './stored-message.js'

export interface PullOptions {
  readonly stream: string
  readonly consumer: string
  /** Most messages asked for, waiting here, or handed over and not yet released. */
  readonly credit: number
  /** How much of the credit is held already. Default 0. */
  readonly held?: number
  /** When each message is acknowledged: how long the server waits for that, in ms. Default: what is lost comes again at once. */
  readonly ackWait?: number
  readonly clock: Clock
  /** Takes what has arrived, in order; never called again before it returns. */
  readonly onMessages: (messages: readonly StoredMessage[]) => void
  /** The server has had nothing to deliver for a while; how many deliveries the consumer has made, to anybody. */
  readonly onIdle: (delivered: number) => void
  /** The server gives less than was asked for; the rest is asked for again at the next `grant`. Default: at once. */
  readonly onLess?: () => void
  /** The pull ended by itself; nothing more will be delivered. */
  readonly onEnd: (reason: PullEnd) => void
}

/** Why a pull ended by itself. */
export type PullEnd =
  | { readonly kind: 'consumer-gone'; readonly detail: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'denied'; readonly detail: string }
  | { readonly kind: 'refused'; readonly detail: string }

const EXPIRES_MS = 30_000
/** The same, of a request for several whose credit others may need. */
const SHARED_EXPIRES_MS = 5_000
const HEARTBEAT_MS = 2_000
/** How long what has arrived while this process stood still may take to be read, in ms. */
const READ_MS = 100
/** Most messages handed over at once. */
const AT_ONCE = 512

/**
 * Pulls from a consumer with credit: the server is asked for no more than what has been released, so a slow taker
 * slows the stream’s delivery and nothing piles up. Messages are handed over as arrays, at most one per turn of the
 * event loop, which costs a fraction of an iterator step per message.
 */
export class Pull {
  readonly #connection: Connection
  readonly #options: PullOptions
  readonly #inbox: string
  readonly #deliveries: Deliveries
  readonly #stops: (() => void)[]
  readonly #request: string
  #buffer: StoredMessage[] = []
  #credit: number
  #asked = 0
  #held: number
  #heardAt: number
  #scheduled = false
  #ended = false

  constructor(connection: Connection, options: PullOptions) {
    this.#connection = connection
    this.#options = options
    this.#credit = options.credit
    this.#held = options.held ?? 0
    this.#heardAt = options.clock.monotonic()
    this.#inbox = connection.newInbox()
    this.#request = `${connection.apiPrefix}.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`
    this.#deliveries = openDeliveries(connection.nats, this.#inbox, (delivery) => this.#onDelivery(delivery))
    this.#stops = [
      options.clock.every(HEARTBEAT_MS, () => this.#watch()),
      connection.onStatus((status) => this.#onConnection(status)),
    ]
    this.#ask()
  }

  /** Gives back credit for messages that were handed over and are done with. */
  release(count: number): void {
    this.#held -= count
    this.#ask()
  }

  /** Asks for more, or for less from now on: what was asked for already still comes. */
  grant(credit: number): void {
    this.#credit = credit
    this.#ask()
  }

  /** Messages asked for that have not come. */
  get asked(): number {
    return this.#asked
  }

  /** Messages handed over and not released. */
  get held(): number {
    return this.#held
  }

  stop(): void {
    if (this.#ended) return
    this.#ended = true
    this.#buffer = []
    for (const stop of this.#stops) stop()
    this.#deliveries.end()
  }

  /** Stops, and resolves with what has arrived, or was on its way, and is not handed over. */
  async drain(): Promise<readonly StoredMessage[]> {
    if (this.#ended) return []
    this.#ended = true
    for (const stop of this.#stops) stop()
    await this.#deliveries.drain()
    return this.#buffer
  }

  #ask(): void {
    // without a link the pull is at its end; who owns it hears so from the connection
    const { nats, state } = this.#connection
    if (this.#ended || state.kind !== 'connected' || nats.isDraining() || nats.isClosed()) return
    const credit = this.#credit
    const want = credit - this.#asked - this.#held - this.#buffer.length
    // few large requests; but never sit with nothing asked for while there is credit
    if (want < 1 || (want < credit / 2 && this.#asked > 0)) return
    if (this.#asked === 0) this.#heardAt = this.#options.clock.monotonic()
    this.#asked += want
    const expires = this.#options.onLess !== undefined && want > 1 ? SHARED_EXPIRES_MS : EXPIRES_MS
    const request = { batch: want, expires: expires * 1e6, idle_heartbeat: HEARTBEAT_MS * 1e6 }
    nats.publish(this.#request, JSON.stringify(request), { reply: this.#inbox })
  }

  #onDelivery(delivery: Delivery): void {
    // only what a stream delivers has a reply subject
    if (delivery.reply === delivery.replyEnd) return this.#ended ? undefined : this.#onStatus(readStatus(delivery))
    this.#asked -= 1
    this.#buffer.push(new DeliveredMessage(delivery))
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#ended) return
    this.#scheduled = true
    handOversOf(this.#connection, this.#options.clock).add(() => this.#handOver())
  }

  #handOver(): void {
    this.#scheduled = false
    this.#heardAt = this.#options.clock.monotonic()
    if (this.#ended || this.#buffer.length === 0) return
    const messages = this.#buffer.length > AT_ONCE ? this.#buffer.splice(0, AT_ONCE) : this.#buffer
    if (messages === this.#buffer) this.#buffer = []
    else this.#schedule()
    this.#held += messages.length
    this.#options.onMessages(messages)
    this.#ask()
  }

  #onStatus({ code, detail, headers }: ServerStatus): void {
    this.#heardAt = this.#options.clock.monotonic()
    if (code === 100) return this.#onHeartbeat(headers)
    if (code === 404 || code === 408 || (code === 409 && /^(Batch Completed|Message Size)/i.test(detail))) {
      // one request is over; what it did not deliver is not coming
      const undelivered = Number(headers.get('Nats-Pending-Messages') ?? 0)
      this.#asked = Math.max(0, this.#asked - undelivered)
      return this.#options.onLess === undefined ? this.#ask() : this.#options.onLess()
    }
    if (code === 409 && /consumer deleted|stream deleted|leadership change|server shutdown/i.test(detail))
      return this.#end({ kind: 'consumer-gone', detail })
    if (code === 503) return this.#end({ kind: 'consumer-gone', detail: 'nobody answers for the consumer' })
    this.#end({ kind: 'refused', detail: `${code} ${detail}` })
  }

  #onHeartbeat(headers: HeaderReader): void {
    const delivered = headers.get('Nats-Last-Consumer') ?? ''
    if (this.#buffer.length === 0 && delivered !== '') this.#options.onIdle(Number(delivered))
  }

  #onConnection(status: ConnectionStatus): void {
    if (status.kind !== 'denied') return
    const { operation, subject } = status
    if (subject === this.#request || subject === this.#inbox)
      this.#end({ kind: 'denied', detail: `${operation} to ${subject}` })
  }

  #watch(): void {
    if (this.#asked === 0 || this.#connection.state.kind !== 'connected') return
    const { clock, ackWait = 0 } = this.#options
    const heardAt = this.#heardAt
    const silence = clock.monotonic() - heardAt
    // two heartbeats missed: the request is lost, as after a server restart or a cut link
    if (silence <= 2.5 * HEARTBEAT_MS) return
    // or this process stood still, and they are in its socket, with messages that nobody else has before their time is over
    const end = (): void => this.#end({ kind: 'silent' })
    if (silence >= ackWait / 2) return end()
    clock.after(READ_MS, () => (this.#heardAt === heardAt && this.#buffer.length === 0 ? end() : undefined))
  }

  #end(reason: PullEnd): void {
    if (this.#ended) return
    this.stop()
    this.#options.onEnd(reason)
  }
}
