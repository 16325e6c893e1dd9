// Publisher
//
// Stores messages at the speed of the server: many in flight over one reply inbox, receipts matched by token.
//
//   caller -> Publisher:   publish(message) resolves when the message is stored; at most `window` are in flight
//   Publisher -> stream:   raw publish with a reply subject; JetStream answers with a receipt
//
// Invariants (tests cite them):
//   P1  publish() resolves only when the stream named a sequence, or rejects with a code.
//   P2  A lost connection, a server restart and a missing leader do not reject: everything without a receipt is sent
//       again, in order, for up to `patience`. Messages carry a Nats-Msg-Id, so a second copy is dropped by the stream.
//   P3  At most `window` messages, and about `windowBytes` bytes, are sent and without a receipt.
//   P4  Order of publish is order in the stream, also across reconnects: after an interruption the oldest message is
//       sent alone, and what follows it only when it has its receipt, so nothing overtakes while a leader comes back.
import type { Msg, Subscription } from '@nats-io/transport-node'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection, ConnectionStatus } from './connection.js'
import { encodeHeaders } from './headers.js'
import { readAck, type PublishAck } from './publish-ack.js'
import type { PublisherOptions } from './publisher-options.js'
import { PublishWindow, type Pending } from './publish-window.js'
import { streamTaking } from './stream-taking.js'

type State =
  | { readonly kind: 'sending' }
  /** The oldest message was sent alone; the rest follows when it has its receipt. */
  | { readonly kind: 'probing'; readonly token: number; readonly reason: MillraceError }
  /** Nothing is sent. */
  | { readonly kind: 'interrupted'; readonly reason: MillraceError }
  | { readonly kind: 'closed'; readonly reason: MillraceError }

const NO_LEADER_PAUSE = 200
/** How long to believe in a leader to come, in ms, when the server does not say whether there is a stream. */
const NO_LEADER_LIMIT = 15_000

export class Publisher {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #patience: number
  readonly #ackTimeout: number
  readonly #inbox: string
  readonly #subscription: Subscription
  readonly #messages: PublishWindow
  readonly #waiting: (() => void)[] = []
  readonly #stops: (() => void)[]
  #state: State = { kind: 'sending' }
  #leaderlessSince: number | undefined
  #next = 0

  constructor(connection: Connection, options: PublisherOptions) {
    this.#connection = connection
    this.#clock = options.clock
    this.#messages = new PublishWindow(options.window ?? 2_000, options.windowBytes ?? 16 * 1024 * 1024)
    this.#patience = options.patience ?? 60_000
    this.#ackTimeout = options.ackTimeout ?? 5_000
    this.#inbox = connection.newInbox()
    this.#subscription = connection.nats.subscribe(`${this.#inbox}.*`, {
      // a denied subscription is heard of as a status
      callback: (error, message) => (error === null ? this.#onReply(message) : undefined),
    })
    if (connection.state.kind !== 'connected') this.#interrupt(fault('BROKER_UNREACHABLE', 'the connection was lost'))
    const sweep = options.clock.every(250, () => this.#sweep())
    this.#stops = [connection.onStatus((status) => this.#onStatus(status)), sweep]
  }

  /** Messages without a receipt. */
  get inFlight(): number {
    return this.#messages.size
  }

  /**
   * Stores one message. The caller gives it a `Nats-Msg-Id` header when repeating must be harmless (P2).
   * Await the returned promise for the receipt, or `ready()` first for back-pressure without waiting for receipts;
   * what is published beyond the window waits here for its turn.
   * @throws MESSAGE_TOO_LARGE, STREAM_FULL, BROKER_TIMEOUT and others of the broker, after `patience` at the latest
   */
  publish(message: WireMessage): Promise<PublishAck> {
    return new Promise((resolve, reject) => {
      if (this.#state.kind === 'closed') return reject(this.#state.reason)
      const now = this.#clock.monotonic()
      const { subject, data } = message
      const headers = encodeHeaders(message.headers)
      this.#messages.add({ token: this.#next++, subject, data, headers, since: now, sentAt: now, resolve, reject })
      this.#pump()
    })
  }

  /** Whether the window is full: await `ready()` before the next message (P3). */
  get full(): boolean {
    return this.#messages.full
  }

  /** Resolves when a message published now would be sent at once (P3). */
  async ready(): Promise<void> {
    while (this.#messages.full) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when nothing is without a receipt any more, whatever became of it. */
  async flush(): Promise<void> {
    while (this.#messages.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Stops; what is still in flight rejects. Call `flush()` first to wait for it. */
  close(): void {
    this.#close(fault('BROKER_UNREACHABLE', 'the publisher was closed'))
  }

  #close(reason: MillraceError): void {
    if (this.#state.kind === 'closed') return
    this.#state = { kind: 'closed', reason }
    for (const stop of this.#stops) stop()
    this.#subscription.unsubscribe()
    this.#rejectAll(() => true, reason)
  }

  #pump(): void {
    while (this.#state.kind === 'sending') {
      const message = this.#messages.next()
      if (message === undefined) return
      this.#send(message)
    }
  }

  #send(message: Pending): void {
    const { nats } = this.#connection
    // between two links the client keeps what it is given, and would send it ahead of what was lost with the first
    if (nats.info === undefined && !nats.isClosed())
      return this.#interrupt(fault('BROKER_UNREACHABLE', 'the connection was lost'))
    message.sentAt = this.#clock.monotonic()
    try {
      nats.publish(message.subject, message.data, {
        headers: message.headers,
        reply: `${this.#inbox}.${message.token}`,
      })
    } catch (error) {
      this.#settle(message, asFault(error, `publishing to ${message.subject}`))
    }
  }

  #onReply(reply: Msg): void {
    const message = this.#messages.sent(Number(reply.subject.slice(this.#inbox.length + 1)))
    if (!message) return // a receipt for a copy that was sent again
    if (reply.data.length === 0 && reply.headers?.code === 503) return void this.#onLeaderless(message)
    const answer = readAck(reply.data)
    // somebody else who listens to the subject has answered too; the stream’s own receipt is yet to come
    if (answer.kind === 'foreign') return
    this.#leaderlessSince = undefined
    this.#settle(message, answer.kind === 'stored' ? answer.ack : answer.error)
  }

  /** Nobody takes the subject: either no stream ever will, or it has no leader now. */
  async #onLeaderless(message: Pending): Promise<void> {
    if (this.#state.kind !== 'sending' && this.#state.kind !== 'probing') return
    const reason = fault('NO_STREAM_FOR_SUBJECT', message.subject)
    const state: State = (this.#state = { kind: 'interrupted', reason })
    this.#leaderlessSince ??= this.#clock.monotonic()
    const taking = await streamTaking(this.#connection, message.subject)
    if (taking.kind === 'unknown' && this.#clock.monotonic() - this.#leaderlessSince > NO_LEADER_LIMIT)
      this.#rejectAll(({ subject }) => subject === message.subject, reason)
    if (taking.kind === 'none') this.#rejectAll(({ subject }) => subject === message.subject, reason)
    else await this.#clock.sleep(NO_LEADER_PAUSE)
    if (this.#state === state) this.#resume(reason)
  }

  /** Sends the oldest message alone (P4); when none was sent there is nothing to put in order. */
  #resume(reason: MillraceError): void {
    if (this.#state.kind === 'closed' || this.#connection.state.kind !== 'connected') return
    const oldest = this.#messages.oldest
    if (oldest === undefined) {
      this.#state = { kind: 'sending' }
      return this.#pump()
    }
    this.#state = { kind: 'probing', token: oldest.token, reason }
    this.#send(oldest)
  }

  #interrupt(reason: MillraceError): void {
    if (this.#state.kind !== 'closed') this.#state = { kind: 'interrupted', reason }
  }

  #onStatus(status: ConnectionStatus): void {
    switch (status.kind) {
      case 'connected':
        return this.#resume(fault('BROKER_TIMEOUT', 'no receipt since the connection came back'))
      case 'disconnected':
        return this.#interrupt(fault('BROKER_UNREACHABLE', 'the connection was lost'))
      case 'closed':
        return this.#close(status.reason ?? fault('BROKER_UNREACHABLE', 'the connection was closed'))
      case 'denied':
        return this.#onDenied(status.operation, status.subject)
    }
  }

  /** The server never answers a publish that it denies: it says so on the connection. */
  #onDenied(operation: string, denied: string): void {
    if (operation === 'subscription' && denied === `${this.#inbox}.*`)
      return this.#close(fault('BROKER_PERMISSION_DENIED', `subscribing to ${denied}, where receipts would arrive`))
    if (operation === 'publish')
      this.#rejectAll(({ subject }) => subject === denied, fault('BROKER_PERMISSION_DENIED', `publishing to ${denied}`))
  }

  #sweep(): void {
    const now = this.#clock.monotonic()
    const { first, oldest } = this.#messages
    if (first !== undefined && now - first.since > this.#patience) {
      const { subject } = first
      const reason = this.#state.kind === 'sending' ? noReceipt(subject) : this.#state.reason
      this.#rejectAll(({ since }) => now - since > this.#patience, reason)
    }
    if (this.#state.kind !== 'sending' && this.#state.kind !== 'probing') return
    if (oldest !== undefined && now - oldest.sentAt > this.#ackTimeout) this.#resume(noReceipt(oldest.subject))
  }

  #rejectAll(which: (message: Pending) => boolean, reason: MillraceError): void {
    for (const message of this.#messages.remove(which)) message.reject(reason)
    const { kind } = this.#state
    if (kind === 'probing' && this.#messages.sent(this.#state.token) === undefined) this.#resume(this.#state.reason)
    this.#pump()
    this.#wake()
  }

  #settle(message: Pending, outcome: PublishAck | MillraceError): void {
    this.#messages.settle(message)
    if (outcome instanceof Error) message.reject(outcome)
    else message.resolve(outcome)
    if (this.#state.kind === 'probing' && this.#state.token === message.token) {
      this.#state = { kind: 'sending' }
      this.#messages.allSent().every((next) => this.#sendIfSending(next))
    }
    this.#pump()
    this.#wake()
  }

  #sendIfSending(message: Pending): boolean {
    if (this.#state.kind === 'sending') this.#send(message)
    return this.#state.kind === 'sending'
  }

  #wake(): void {
    if (this.#waiting.length > 0 && (this.#messages.size === 0 || !this.#messages.full))
      for (const wake of this.#waiting.splice(0)) wake()
  }
}

function noReceipt(subject: string): MillraceError {
  return fault('BROKER_TIMEOUT', `no stream confirmed ${subject}`)
}
