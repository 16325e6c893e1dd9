// Feed
//
// Hands over a stream's messages in log order, without a gap and without a repetition, from a given position on,
// whatever happens to the connection, the server or the consumer in between.
//
//   Feed -> taker:   onMessages(messages) with ascending sequences; the taker releases credit when it is done
//   taker -> Feed:   release(count), acknowledge(messages), stop()
//
// A durable feed leaves its consumer on the server, and acknowledges, so that the server's own lag figures tell the
// truth. Acks are bookkeeping: the position that counts is the taker's. That is why the feed repositions the consumer
// itself (consumer reset, API level 4) instead of relying on redelivery, which comes late and out of order.
//
// Invariants (tests cite them):
//   F1  Sequences handed over ascend strictly; what was handed over is never handed over again.
//   F2  No message that matches the filters is left out, as long as the stream has it.
//   F3  At most `credit` messages are handed over and not released.
//   F4  After a lost connection, a deleted consumer or a delivery to somebody else, it goes on after the last message
//       that was handed over.
import { fault, type MillraceError } from '../error/millrace-error.js'
import { acknowledgeAll } from './acknowledge.js'
import { asFault, outcomeUnknown } from './api-error.js'
import type { Connection, ConnectionStatus } from './connection.js'
import { pendingOf, positionConsumer, type FeedStart, type Position } from './position-consumer.js'
import { Pull, type PullEnd } from './pull.js'
import type { FeedOptions } from './feed-options.js'
import type { StoredMessage } from './stored-message.js'
import { readStreamIdentity, requireSameStream, type StreamIdentity } from './stream-identity.js'

type State =
  | { readonly kind: 'positioning'; readonly attempt: number }
  | { readonly kind: 'delivering'; readonly pull: Pull; readonly consumer: string }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'stopped' }

/** A leader just elected may not know the last messages yet: how often to ask, 10 s altogether, before believing it. */
const END_ATTEMPTS = 8

export class Feed {
  readonly #connection: Connection
  readonly #options: FeedOptions
  readonly #stopListening: () => void
  #state: State = { kind: 'waiting' }
  #identity: StreamIdentity | undefined
  #opened = false
  #positioned = false
  #caughtUp = false
  #last = 0
  #delivery = 0
  /** Handed over by a pull that has ended, and not released yet. */
  #carried = 0

  constructor(connection: Connection, options: FeedOptions) {
    this.#connection = connection
    this.#options = options
    if (options.start.kind === 'sequence') this.#last = options.start.sequence - 1
    this.#stopListening = connection.onStatus((status) => this.#onStatus(status))
    this.#reposition(1)
  }

  /** Sequence of the last message that was handed over; before the first, one less than the start. */
  get last(): number {
    return this.#last
  }

  /** Whether everything that the stream has was handed over, as far as the feed can know now. */
  get caughtUp(): boolean {
    return this.#state.kind === 'delivering' && this.#caughtUp
  }

  /** Gives back credit (F3). */
  release(count: number): void {
    if (this.#state.kind === 'delivering') this.#state.pull.release(count)
    else this.#carried -= count
  }

  /** Tells the server that these are done, for its lag figures. Nothing depends on its arriving. */
  acknowledge(messages: readonly StoredMessage[]): void {
    const { nats, state } = this.#connection
    if (state.kind !== 'connected' || nats.isDraining()) return
    acknowledgeAll(nats, this.#options.acks === 'through' ? messages.slice(-1) : messages)
  }

  stop(): void {
    if (this.#state.kind === 'stopped') return
    const { durable, stream } = this.#options
    const { nats, manager, state } = this.#connection
    const previous = this.#suspend()
    this.#state = { kind: 'stopped' }
    this.#stopListening()
    if (previous !== undefined && durable === undefined && state.kind === 'connected' && !nats.isDraining())
      // it would go away by itself after half a minute; an error here changes nothing
      void manager.consumers.delete(stream, previous).catch((error: unknown) => asFault(error, 'delete'))
  }

  #fail(error: MillraceError): void {
    if (this.#state.kind === 'stopped') return
    this.stop()
    this.#options.onFailure(error)
  }

  #onStatus(status: ConnectionStatus): void {
    switch (status.kind) {
      case 'connected':
        return this.#reposition(1)
      case 'disconnected':
        return void this.#suspend()
      case 'closed':
        return this.#fail(status.reason ?? fault('BROKER_UNREACHABLE', 'the connection was closed'))
      case 'denied':
        if (status.operation === 'publish' && status.subject.startsWith(`$JS.ACK.${this.#options.stream}.`))
          this.#onAckDenied(status.subject)
    }
  }

  /** Without acks the server stops delivering when it has as many outstanding as it allows. */
  #onAckDenied(subject: string): void {
    if (this.#state.kind === 'delivering' && subject.includes(`.${this.#state.consumer}.`))
      this.#fail(fault('BROKER_PERMISSION_DENIED', `publishing to ${subject}`))
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
    if (this.#state.kind === 'stopped') return
    this.#suspend()
    const state: State = (this.#state = { kind: 'positioning', attempt })
    const { nats } = this.#connection
    // an answer to an attempt that a lost link has overtaken counts no more, nor one on a link that is being closed
    this.#position(attempt).then(
      (position) =>
        this.#state === state && !nats.isDraining() && !nats.isClosed() ? this.#deliver(position) : undefined,
      (error: unknown) => {
        if (this.#state === state) this.#retry(asFault(error, `reading stream ${this.#options.stream}`), attempt)
      },
    )
  }

  async #position(attempt: number): Promise<Position> {
    if (this.#opened) await this.#options.mayGoOn?.()
    this.#opened = true
    const { stream, filters, durable, start, acks = 'each' } = this.#options
    const found = await readStreamIdentity(this.#connection, stream)
    requireSameStream(stream, (this.#identity ??= found), found)
    if (this.#last > found.last) {
      const detail = `${stream} ends at sequence ${found.last}, reading had come to ${this.#last}`
      throw fault(attempt < END_ATTEMPTS ? 'BROKER_NOT_READY' : 'STREAM_REPLACED', detail)
    }
    const next: FeedStart =
      this.#positioned || start.kind === 'sequence' ? { kind: 'sequence', sequence: this.#last + 1 } : start
    return positionConsumer(this.#connection, { stream, filters, start: next, durable, acks })
  }

  #retry(error: MillraceError, attempt: number): void {
    this.#state = { kind: 'waiting' }
    const { kind } = this.#connection.state
    if (kind === 'disconnected') return // a reconnect starts it again
    // of a connection that was closed before nobody tells
    if (kind === 'closed' || !outcomeUnknown(error)) return this.#fail(error)
    this.#options.clock.after(Math.min(2_000, 100 * 2 ** attempt), () => {
      if (this.#state.kind === 'waiting' && this.#connection.state.kind === 'connected') this.#reposition(attempt + 1)
    })
  }

  #deliver({ consumer, pending, floor }: Position): void {
    this.#delivery = 0
    this.#positioned = true
    this.#caughtUp = false
    this.#last = Math.max(this.#last, floor)
    const { stream, credit = 4_096, clock } = this.#options
    const pull: Pull = new Pull(this.#connection, {
      stream,
      consumer,
      credit,
      held: this.#carried,
      clock,
      onMessages: (messages) => this.#take(messages),
      onIdle: (delivered) => void this.#onIdle(pull, consumer, delivered),
      onEnd: (end) => this.#onEnd(end),
    })
    this.#state = { kind: 'delivering', pull, consumer }
    if (pending === 0) this.#tellCaughtUp()
  }

  #onEnd(end: PullEnd): void {
    if (end.kind === 'denied') return this.#fail(fault('BROKER_PERMISSION_DENIED', end.detail))
    if (end.kind !== 'refused') return this.#reposition(1)
    this.#fail(fault('BROKER_REFUSED', `pulling from ${this.#options.stream}: ${end.detail}`))
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
    this.#caughtUp = false
    if (fresh.length < messages.length) this.release(messages.length - fresh.length)
    if (fresh.length > 0) this.#options.onMessages(fresh)
    if (lastMessage.pending === 0) this.#tellCaughtUp()
  }

  #fresh(messages: readonly StoredMessage[]): readonly StoredMessage[] {
    return messages.filter(({ sequence }) => sequence > this.#last) // F1
  }

  async #onIdle(pull: Pull, consumer: string, delivered: number): Promise<void> {
    if (this.#state.kind !== 'delivering' || this.#state.pull !== pull) return
    if (delivered !== this.#delivery) return this.#reposition(1) // F4: and nothing follows in which a gap would show
    if (this.#caughtUp) return
    // what was waiting may have been deleted: then no last message comes that says that nothing follows
    const waiting = await pendingOf(this.#connection, this.#options.stream, consumer)
    if (waiting === 0 && this.#state.kind === 'delivering' && this.#state.pull === pull) this.#tellCaughtUp()
  }

  #tellCaughtUp(): void {
    if (this.#caughtUp || this.#state.kind !== 'delivering') return
    this.#caughtUp = true
    this.#options.onCaughtUp?.()
  }
}
