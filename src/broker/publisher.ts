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
//   P3  At most `window` messages, and about `windowBytes` bytes, are without a receipt.
//   P4  Order of publish is order in the stream, also across reconnects: what was in flight is sent again before
//       anything newer.
import { createInbox, type Msg, type MsgHdrs, type Subscription } from '@nats-io/transport-node'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import { asFault, outcomeUnknown } from './api-error.js'
import type { Connection, ConnectionStatus } from './connection.js'
import { encodeHeaders } from './headers.js'
import { readAck, type PublishAck } from './publish-ack.js'

export interface PublisherOptions {
  readonly clock: Clock
  /** Most messages without a receipt. Default 2,000. */
  readonly window?: number
  /** Most payload bytes without a receipt. Default 16 MiB. */
  readonly windowBytes?: number
  /** How long one message may stay without a receipt before publish() rejects, in ms. Default 60,000. */
  readonly patience?: number
  /** How long to wait for a receipt before sending again, in ms. Default 5,000. */
  readonly ackTimeout?: number
}

interface InFlight {
  readonly token: number
  readonly subject: string
  readonly data: Uint8Array
  readonly headers: MsgHdrs
  readonly since: number
  sentAt: number
  readonly resolve: (ack: PublishAck) => void
  readonly reject: (error: MillraceError) => void
}

type State =
  | { readonly kind: 'sending' }
  | { readonly kind: 'recovering'; readonly reason: MillraceError }
  | { readonly kind: 'closed'; readonly reason: MillraceError }

export class Publisher {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #window: number
  readonly #windowBytes: number
  readonly #patience: number
  readonly #ackTimeout: number
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  readonly #inFlight = new Map<number, InFlight>()
  readonly #waiting: (() => void)[] = []
  readonly #stops: (() => void)[]
  #state: State = { kind: 'sending' }
  #bytes = 0
  #next = 0

  constructor(connection: Connection, options: PublisherOptions) {
    this.#connection = connection
    this.#clock = options.clock
    this.#window = options.window ?? 2_000
    this.#windowBytes = options.windowBytes ?? 16 * 1024 * 1024
    this.#patience = options.patience ?? 60_000
    this.#ackTimeout = options.ackTimeout ?? 5_000
    this.#subscription = connection.nats.subscribe(`${this.#inbox}.*`, {
      callback: (_, message) => this.#onReply(message),
    })
    this.#stops = [
      connection.onStatus((status) => this.#onStatus(status)),
      options.clock.every(250, () => this.#sweep()),
    ]
  }

  /** Messages without a receipt. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /**
   * Stores one message. The caller gives it a `Nats-Msg-Id` header when repeating must be harmless (P2).
   * Await the returned promise for the receipt, or `ready()` first for back-pressure without waiting for receipts.
   * @throws MESSAGE_TOO_LARGE, STREAM_FULL, BROKER_TIMEOUT and others of the broker, after `patience` at the latest
   */
  publish(message: WireMessage): Promise<PublishAck> {
    return new Promise((resolve, reject) => {
      if (this.#state.kind === 'closed') return reject(this.#state.reason)
      const now = this.#clock.monotonic()
      const { subject, data } = message
      const headers = encodeHeaders(message.headers)
      const token = this.#next++
      const entry: InFlight = { token, subject, data, headers, since: now, sentAt: now, resolve, reject }
      this.#inFlight.set(token, entry)
      this.#bytes += data.length
      if (this.#state.kind === 'sending') this.#send(entry)
    })
  }

  /** Whether the window is full: await `ready()` before the next message (P3). */
  get full(): boolean {
    return this.#full()
  }

  /** Resolves when there is room in the window (P3). */
  async ready(): Promise<void> {
    while (this.#full()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when nothing is in flight any more, whatever became of it. */
  async flush(): Promise<void> {
    while (this.#inFlight.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Stops; what is still in flight rejects. Call `flush()` first to wait for it. */
  close(): void {
    if (this.#state.kind === 'closed') return
    const reason = fault('BROKER_UNREACHABLE', 'the publisher was closed')
    this.#state = { kind: 'closed', reason }
    for (const stop of this.#stops) stop()
    this.#subscription.unsubscribe()
    for (const entry of [...this.#inFlight.values()]) this.#settle(entry, (e) => e.reject(reason))
  }

  #full(): boolean {
    return this.#inFlight.size >= this.#window || this.#bytes >= this.#windowBytes
  }

  #send(entry: InFlight): void {
    entry.sentAt = this.#clock.monotonic()
    try {
      const reply = `${this.#inbox}.${entry.token}`
      this.#connection.nats.publish(entry.subject, entry.data, { headers: entry.headers, reply })
    } catch (error) {
      this.#settle(entry, (e) => e.reject(asFault(error, `publishing to ${entry.subject}`)))
    }
  }

  #onReply(message: Msg): void {
    const token = Number(message.subject.slice(this.#inbox.length + 1))
    const entry = this.#inFlight.get(token)
    if (!entry) return // a receipt for a copy that was sent again
    if (message.data.length === 0) {
      return this.#recover(fault('NO_STREAM_FOR_SUBJECT', entry.subject), entry)
    }
    const reply = readAck(message.data)
    if (reply.kind === 'stored') this.#settle(entry, (e) => e.resolve(reply.ack))
    else this.#settle(entry, (e) => e.reject(reply.error))
  }

  /** No leader or no stream: hold everything back, then send what has no receipt again, oldest first (P4). */
  #recover(reason: MillraceError, entry: InFlight): void {
    if (this.#clock.monotonic() - entry.since > Math.min(this.#patience, 15_000))
      return this.#settle(entry, (e) => e.reject(reason))
    if (this.#state.kind !== 'sending') return
    this.#state = { kind: 'recovering', reason }
    this.#clock.after(200, () => this.#resume())
  }

  #resume(): void {
    if (this.#state.kind === 'closed' || this.#connection.state.kind !== 'connected') return
    this.#state = { kind: 'sending' }
    for (const entry of [...this.#inFlight.values()]) this.#send(entry)
  }

  #onStatus(status: ConnectionStatus): void {
    if (this.#state.kind === 'closed') return
    switch (status.kind) {
      case 'connected':
        return this.#resume()
      case 'disconnected':
        this.#state = { kind: 'recovering', reason: fault('BROKER_UNREACHABLE', 'the connection was lost') }
        return
      case 'closed':
        return this.close()
      case 'denied':
        return this.#onDenied(status.subject)
    }
  }

  /** The server never answers a publish that it denies: it says so on the connection. */
  #onDenied(subject: string): void {
    for (const entry of [...this.#inFlight.values()])
      if (entry.subject === subject)
        this.#settle(entry, (e) => e.reject(fault('BROKER_PERMISSION_DENIED', `publishing to ${subject}`)))
  }

  #sweep(): void {
    const now = this.#clock.monotonic()
    for (const entry of this.#inFlight.values()) {
      if (now - entry.since <= this.#patience) break // oldest first
      const reason = this.#state.kind === 'sending' ? fault('BROKER_TIMEOUT', entry.subject) : this.#state.reason
      this.#settle(entry, (e) => e.reject(reason))
    }
    const [oldest] = this.#inFlight.values()
    if (oldest && this.#state.kind === 'sending' && now - oldest.sentAt > this.#ackTimeout) this.#resume()
  }

  #settle(entry: InFlight, outcome: (entry: InFlight) => void): void {
    this.#inFlight.delete(entry.token)
    this.#bytes -= entry.data.length
    outcome(entry)
    if (this.#waiting.length > 0 && (this.#inFlight.size === 0 || !this.#full()))
      for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** Whether publishing the same message again later can succeed. */
export function worthRepeating(error: MillraceError): boolean {
  return outcomeUnknown(error) || error.code === 'STREAM_FULL'
}
