import { createInbox, type Msg, type Subscription } from '@nats-io/transport-node'
import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'
import { DeliveredMessage, type StoredMessage } from './stored-message.js'

export interface PullOptions {
  readonly stream: string
  readonly consumer: string
  /** Most messages asked for, waiting here, or handed over and not yet released. */
  readonly credit: number
  /** How much of the credit is held already. Default 0. */
  readonly held?: number
  readonly clock: Clock
  /** Takes what has arrived, in order; never called again before it returns. */
  readonly onMessages: (messages: readonly StoredMessage[]) => void
  /** The pull ended by itself; nothing more will be delivered. */
  readonly onEnd: (reason: PullEnd) => void
}

/** Why a pull ended by itself. */
export type PullEnd =
  | { readonly kind: 'consumer-gone'; readonly detail: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'refused'; readonly detail: string }

const EXPIRES_MS = 30_000
const HEARTBEAT_MS = 2_000

/**
 * Pulls from a consumer with credit: the server is asked for no more than what has been released, so a slow taker
 * slows the stream’s delivery and nothing piles up. Messages are handed over as arrays, one per turn of the event
 * loop, which costs a fraction of an iterator step per message.
 */
export class Pull {
  readonly #connection: Connection
  readonly #options: PullOptions
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  readonly #stopWatch: () => void
  readonly #request: string
  #buffer: StoredMessage[] = []
  #asked = 0
  #held: number
  #heardAt: number
  #scheduled = false
  #ended = false

  constructor(connection: Connection, options: PullOptions) {
    this.#connection = connection
    this.#options = options
    this.#held = options.held ?? 0
    this.#heardAt = options.clock.monotonic()
    this.#request = `${connection.apiPrefix}.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`
    this.#subscription = connection.nats.subscribe(this.#inbox, { callback: (_, message) => this.#onMessage(message) })
    this.#stopWatch = options.clock.every(HEARTBEAT_MS, () => this.#watch())
    this.#ask()
  }

  /** Gives back credit for messages that were handed over and are done with. */
  release(count: number): void {
    this.#held -= count
    this.#ask()
  }

  /** Messages handed over and not released. */
  get held(): number {
    return this.#held
  }

  stop(): void {
    if (this.#ended) return
    this.#ended = true
    this.#buffer = []
    this.#stopWatch()
    this.#subscription.unsubscribe()
  }

  #ask(): void {
    if (this.#ended) return
    const { credit } = this.#options
    const want = credit - this.#asked - this.#held - this.#buffer.length
    // few large requests; but never sit with nothing asked for while there is credit
    if (want < 1 || (want < credit / 2 && this.#asked > 0)) return
    this.#asked += want
    const request = { batch: want, expires: EXPIRES_MS * 1e6, idle_heartbeat: HEARTBEAT_MS * 1e6 }
    this.#connection.nats.publish(this.#request, JSON.stringify(request), { reply: this.#inbox })
  }

  #onMessage(message: Msg): void {
    this.#heardAt = this.#options.clock.monotonic()
    if (message.subject === this.#inbox) return this.#onStatus(message)
    this.#asked -= 1
    this.#buffer.push(new DeliveredMessage(message))
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#handOver())
  }

  #handOver(): void {
    this.#scheduled = false
    if (this.#ended || this.#buffer.length === 0) return
    const messages = this.#buffer
    this.#buffer = []
    this.#held += messages.length
    this.#options.onMessages(messages)
    this.#ask()
  }

  #onStatus(message: Msg): void {
    const code = message.headers?.code ?? 503
    const detail = message.headers?.description ?? ''
    if (code === 100) return
    if (code === 404 || code === 408 || (code === 409 && /^(Batch Completed|Message Size)/i.test(detail))) {
      // one request is over; what it did not deliver is not coming
      const undelivered = Number(message.headers?.get('Nats-Pending-Messages') || 0)
      this.#asked = undelivered > 0 ? Math.max(0, this.#asked - undelivered) : 0
      return this.#ask()
    }
    if (code === 409 && /consumer deleted|leadership change|server shutdown/i.test(detail))
      return this.#end({ kind: 'consumer-gone', detail })
    if (code === 503) return this.#end({ kind: 'consumer-gone', detail: 'nobody answers for the consumer' })
    this.#end({ kind: 'refused', detail: `${code} ${detail}` })
  }

  #watch(): void {
    if (this.#asked === 0 || this.#connection.state.kind !== 'connected') return
    // two heartbeats missed: the request is lost, as after a server restart or a cut link
    if (this.#options.clock.monotonic() - this.#heardAt > 2.5 * HEARTBEAT_MS) this.#end({ kind: 'silent' })
  }

  #end(reason: PullEnd): void {
    if (this.#ended) return
    this.stop()
    this.#options.onEnd(reason)
  }
}
