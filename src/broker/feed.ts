// Feed
//
// Hands over a stream's messages in log order, without a gap and without a repetition, from a given position on,
// whatever happens to the connection, the server or the consumer in between.
//
//   Feed -> taker:   onMessages(messages) with ascending sequences; the taker releases credit when it is done
//   taker -> Feed:   release(count), acknowledge(messages), stop()
//
// A durable feed leaves its consumer on the server, with explicit acks, so that the server's own lag figures tell the
// truth. Acks are bookkeeping: the position that counts is the taker's. That is why the feed repositions the consumer
// itself (consumer reset, API level 4) instead of relying on redelivery, which comes late and out of order.
//
// Invariants (tests cite them):
//   F1  Sequences handed over ascend strictly; what was handed over is never handed over again.
//   F2  No message that matches the filters is left out, as long as the stream has it.
//   F3  At most `credit` messages are handed over and not released.
//   F4  After a lost connection, a deleted consumer or a delivery to somebody else, it goes on after the last message
//       that was handed over.
import type { Clock } from '../time/clock.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import { asFault, outcomeUnknown } from './api-error.js'
import type { Connection } from './connection.js'
import { positionConsumer, type FeedStart, type Position } from './position-consumer.js'
import { Pull } from './pull.js'
import type { StoredMessage } from './stored-message.js'

export interface FeedOptions {
  readonly stream: string
  /** Stored subjects to read, none overlapping another; empty reads all. */
  readonly filters: readonly string[]
  readonly start: FeedStart
  /** Name of a durable consumer; without it the feed uses one that goes away with it. */
  readonly durable?: string
  /** Most messages handed over and not released. Default 4,096. */
  readonly credit?: number
  readonly clock: Clock
  readonly onMessages: (messages: readonly StoredMessage[]) => void
  /** The feed cannot go on (the stream is gone, access denied). Called once, last. */
  readonly onFailure: (error: MillraceError) => void
  /**
   * Asked before the feed takes its consumer back after messages went elsewhere or the link broke; what it throws ends
   * the feed. A former owner must find out here that it is one, or two owners would take from each other for ever.
   */
  readonly mayGoOn?: () => Promise<void>
  /** Nothing is waiting in the stream now. Called once after opening and each time the feed has caught up. */
  readonly onCaughtUp?: () => void
}

type State =
  | { readonly kind: 'positioning'; readonly attempt: number }
  | { readonly kind: 'delivering'; readonly pull: Pull; readonly consumer: string }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'stopped' }

const ACK = new TextEncoder().encode('+ACK')

export class Feed {
  readonly #connection: Connection
  readonly #options: FeedOptions
  readonly #stopListening: () => void
  #state: State = { kind: 'waiting' }
  #opened = false
  #last = 0
  #delivery = 0
  /** Handed over by a pull that has ended, and not released yet. */
  #carried = 0

  constructor(connection: Connection, options: FeedOptions) {
    this.#connection = connection
    this.#options = options
    if (options.start.kind === 'sequence') this.#last = options.start.sequence - 1
    this.#stopListening = connection.onStatus((status) => {
      if (status.kind === 'connected') this.#reposition(1)
      else if (status.kind === 'disconnected') this.#suspend()
      else if (status.kind === 'closed') this.stop()
    })
    this.#reposition(1)
  }

  /** Sequence of the last message that was handed over; before the first, one less than the start. */
  get last(): number {
    return this.#last
  }

  /** Gives back credit (F3). */
  release(count: number): void {
    if (this.#state.kind === 'delivering') this.#state.pull.release(count)
    else this.#carried -= count
  }

  /** Tells the server that these are done, for its lag figures. Nothing depends on its arriving. */
  acknowledge(messages: readonly StoredMessage[]): void {
    if (this.#state.kind !== 'delivering' || this.#connection.state.kind !== 'connected') return
    for (const { reply } of messages) this.#connection.nats.publish(reply, ACK)
  }

  stop(): void {
    if (this.#state.kind === 'stopped') return
    const { durable, stream } = this.#options
    const previous = this.#suspend()
    this.#state = { kind: 'stopped' }
    this.#stopListening()
    if (previous !== undefined && durable === undefined && this.#connection.state.kind === 'connected')
      // it would go away by itself after half a minute; an error here changes nothing
      void this.#connection.manager.consumers
        .delete(stream, previous)
        .catch((error: unknown) => asFault(error, 'delete'))
  }

  #suspend(): string | undefined {
    if (this.#state.kind === 'stopped') return undefined
    const consumer = this.#state.kind === 'delivering' ? this.#state.consumer : undefined
    if (this.#state.kind === 'delivering') {
      this.#state.pull.stop()
      this.#carried = this.#state.pull.held
    }
    this.#state = { kind: 'waiting' }
    return consumer
  }

  #reposition(attempt: number): void {
    if (this.#state.kind === 'stopped' || this.#state.kind === 'positioning') return
    this.#suspend()
    this.#state = { kind: 'positioning', attempt }
    this.#position().then(
      (position) => this.#deliver(position),
      (error: unknown) => this.#failed(asFault(error, `reading stream ${this.#options.stream}`), attempt),
    )
  }

  async #position(): Promise<Position> {
    if (this.#opened) await this.#options.mayGoOn?.()
    this.#opened = true
    const { stream, filters, durable, start } = this.#options
    const next: FeedStart =
      this.#last > 0 || start.kind === 'sequence' ? { kind: 'sequence', sequence: this.#last + 1 } : start
    return positionConsumer(this.#connection, { stream, filters, start: next, durable })
  }

  #failed(error: MillraceError, attempt: number): void {
    if (this.#state.kind !== 'positioning') return
    this.#state = { kind: 'waiting' }
    if (this.#connection.state.kind === 'disconnected') return // a reconnect starts it again
    if (!outcomeUnknown(error)) {
      this.stop()
      return this.#options.onFailure(error)
    }
    this.#options.clock.after(Math.min(2_000, 100 * 2 ** attempt), () => {
      if (this.#state.kind === 'waiting' && this.#connection.state.kind === 'connected') this.#reposition(attempt + 1)
    })
  }

  #deliver({ consumer, pending, floor }: Position): void {
    if (this.#state.kind !== 'positioning') return
    this.#delivery = 0
    this.#last = Math.max(this.#last, floor)
    const { stream, credit = 4_096, clock } = this.#options
    const pull: Pull = new Pull(this.#connection, {
      stream,
      consumer,
      credit,
      held: this.#carried,
      clock,
      onMessages: (messages) => this.#take(messages),
      onEnd: (end) => {
        if (end.kind !== 'refused') return this.#reposition(1)
        this.stop()
        this.#options.onFailure(fault('BROKER_REFUSED', `pulling from ${stream}: ${end.detail}`))
      },
    })
    this.#state = { kind: 'delivering', pull, consumer }
    if (pending === 0) this.#options.onCaughtUp?.()
  }

  #take(messages: readonly StoredMessage[]): void {
    for (const message of messages) {
      if (message.delivery !== this.#delivery + 1) {
        this.release(messages.length)
        return this.#reposition(1) // F4: one was delivered to somebody else, or on the way to us when the link broke
      }
      this.#delivery = message.delivery
    }
    const lastMessage = messages.at(-1)
    if (!lastMessage) return
    const fresh = messages[0] !== undefined && messages[0].sequence > this.#last ? messages : this.#fresh(messages)
    this.#last = Math.max(this.#last, lastMessage.sequence)
    if (fresh.length < messages.length) this.release(messages.length - fresh.length)
    if (fresh.length > 0) this.#options.onMessages(fresh)
    if (lastMessage.pending === 0) this.#options.onCaughtUp?.()
  }

  #fresh(messages: readonly StoredMessage[]): readonly StoredMessage[] {
    return messages.filter(({ sequence }) => sequence > this.#last) // F1
  }
}
