// Publisher
//
// Stores messages at the speed of the server: many in flight over one reply inbox, receipts matched by token.
//
//   caller -> Publisher:   publish(message) resolves when the message is stored; at most `window` are in flight
//   Publisher -> stream:   what was published in one turn of the event loop, in one piece, each with a reply subject;
//                          JetStream answers with a receipt for each
//
// Invariants (tests cite them):
//   P1  publish() resolves only when the stream named a sequence, or rejects with a code.
//   P2  A lost connection, a server restart and a missing leader do not reject: everything without a receipt is sent
//       again, in order, for up to `patience`. Messages carry a Nats-Msg-Id, so a second copy is dropped by the stream.
//   P3  At most `window` messages, and about `windowBytes` bytes, are sent and without a receipt.
//   P4  Order of publish is order in the stream, also across reconnects: after an interruption the oldest message is
//       sent alone, and what follows it only when it has its receipt, so nothing overtakes while a leader comes back.
//   P5  What is refused, denied, too large or stored before keeps no other from being stored.
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Connection, ConnectionStatus } from './connection.js'
import { Leaderless } from './leaderless.js'
import { oncePerTurn } from '../time/once-per-turn.js'
import { subscribeDeliveries } from './deliveries.js'
import type { Delivery } from './delivery-parser.js'
import { readAck, type PublishAck } from './publish-ack.js'
import type { PublisherOptions } from './publisher-options.js'
import type { PublisherState } from './publisher-state.js'
import { noReceipt, PublishWindow, to, type Pending } from './publish-window.js'
import { isBetweenLinks, sendPending } from './publish-wire.js'
import { isNoResponders } from './server-status.js'

const NO_LEADER_PAUSE = 200
/** A piece of so many is written before the next one is put together, unless a turn of the event loop takes long, in ms. */
const MOST_AT_ONCE = 128
const LONG_TURN_MS = 5

export class Publisher {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #patience: number
  readonly #ackTimeout: number
  readonly #inbox: string
  readonly #messages: PublishWindow
  readonly #leaderless = new Leaderless()
  /** What is published in one turn goes in one piece, however it is awaited: the client writes to its socket at each await. */
  readonly #soon = oncePerTurn(() => this.#pump())
  readonly #stops: (() => void)[]
  #state: PublisherState = { kind: 'sending' }
  #next = 0
  /** When a piece was sent in the turn before, with more behind it perhaps; by the monotonic clock. */
  #goesOn: number | undefined

  constructor(connection: Connection, options: PublisherOptions) {
    this.#connection = connection
    this.#clock = options.clock
    this.#messages = new PublishWindow(options.window ?? 2_000, options.windowBytes ?? 16 * 1024 * 1024)
    this.#patience = options.patience ?? 60_000
    this.#ackTimeout = options.ackTimeout ?? 5_000
    this.#inbox = connection.newInbox()
    const endReceipts = subscribeDeliveries(connection.nats, `${this.#inbox}.*`, (receipt) => this.#onReceipt(receipt))
    if (connection.state.kind !== 'connected') this.#interrupt()
    const stopListening = connection.onStatus((status) => this.#onStatus(status))
    const stopSweeping = options.clock.every(250, () => this.#sweep())
    this.#stops = [stopListening, stopSweeping, endReceipts]
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
      this.#messages.add({ token: this.#next++, message, since: now, sentAt: now, resolve, reject })
      this.#soon()
    })
  }

  /** Whether the window is full: await `ready()` before the next message (P3). */
  get full(): boolean {
    return this.#messages.full
  }

  /** Resolves when a message published now would be within the window (P3). */
  ready(): Promise<void> {
    return this.#messages.ready()
  }

  /** Resolves when nothing is without a receipt any more, whatever became of it. */
  flush(): Promise<void> {
    return this.#messages.empty()
  }

  /** Stops; what is still in flight rejects. Call `flush()` first to wait for it. */
  close(): void {
    this.#close(fault('BROKER_UNREACHABLE', 'the publisher was closed'))
  }

  #close(reason: MillraceError): void {
    if (this.#state.kind === 'closed') return
    this.#state = { kind: 'closed', reason }
    for (const stop of this.#stops) stop()
    this.#rejectAll(() => true, reason)
  }

  #pump(): void {
    if (this.#state.kind !== 'sending') return
    const goesOn = this.#goesOn
    this.#goesOn = undefined
    // where a turn takes long, because of others, as much as the window has room for
    const isBusy = goesOn !== undefined && this.#clock.monotonic() - goesOn > LONG_TURN_MS
    const taken = this.#messages.take(isBusy ? Number.POSITIVE_INFINITY : MOST_AT_ONCE)
    if (taken.length === 0) return
    this.#send(taken)
    this.#goesOn = this.#clock.monotonic()
    this.#soon()
  }

  #send(messages: readonly Pending[]): void {
    if (isBetweenLinks(this.#connection)) return this.#interrupt()
    const now = this.#clock.monotonic()
    for (const message of messages) message.sentAt = now
    for (const [message, problem] of sendPending(this.#connection, messages, this.#inbox))
      this.#settle(message, problem)
  }

  #onReceipt(receipt: Delivery): void {
    const { frame, subject, subjectEnd, data, end } = receipt
    const message = this.#messages.sent(Number(frame.toString('latin1', subject + this.#inbox.length + 1, subjectEnd)))
    if (!message) return // a receipt for a copy that was sent again
    if (isNoResponders(receipt)) return void this.#onLeaderless(message.message.subject)
    const answer = readAck(frame.subarray(data, end))
    // somebody else who listens to the subject has answered too; the stream’s own receipt is yet to come
    if (answer.kind === 'foreign') return
    this.#leaderless.over()
    this.#settle(message, answer.kind === 'stored' ? answer.ack : answer.error)
  }

  /** Nobody takes the subject: either no stream ever will, or it has no leader now. */
  async #onLeaderless(subject: string): Promise<void> {
    if (this.#state.kind === 'interrupted' || this.#state.kind === 'closed') return
    const reason = fault('NO_STREAM_FOR_SUBJECT', subject)
    const state: PublisherState = (this.#state = { kind: 'interrupted', reason })
    if (await this.#leaderless.hasStream(this.#connection, subject, this.#clock))
      await this.#clock.sleep(NO_LEADER_PAUSE)
    else this.#rejectAll(to(subject), reason)
    if (this.#state === state) this.#resume(reason)
  }

  /** Sends the oldest message alone (P4); when none was sent there is nothing to put in order. */
  #resume(reason: MillraceError): void {
    if (this.#state.kind === 'closed' || this.#connection.state.kind !== 'connected') return
    const oldest = this.#messages.oldest
    if (oldest === undefined) {
      this.#state = { kind: 'sending' }
      return this.#soon()
    }
    this.#state = { kind: 'probing', token: oldest.token, reason }
    this.#send([oldest])
  }

  #interrupt(): void {
    const reason = fault('BROKER_UNREACHABLE', 'the connection was lost')
    if (this.#state.kind !== 'closed') this.#state = { kind: 'interrupted', reason }
  }

  #onStatus(status: ConnectionStatus): void {
    if (status.kind === 'connected') this.#resume(fault('BROKER_TIMEOUT', 'no receipt since the connection came back'))
    else if (status.kind === 'disconnected') this.#interrupt()
    else if (status.kind === 'denied') this.#onDenied(status.operation, status.subject)
    else this.#close(status.reason ?? fault('BROKER_UNREACHABLE', 'the connection was closed'))
  }

  /** The server never answers a publish that it denies: it says so on the connection. */
  #onDenied(operation: string, denied: string): void {
    const reason = (doing: string) => fault('BROKER_PERMISSION_DENIED', `${doing} ${denied}`)
    if (operation === 'publish') this.#rejectAll(to(denied), reason('publishing to'))
    else if (denied === `${this.#inbox}.*`) this.#close(reason('no receipts can arrive: subscribing to'))
  }

  #sweep(): void {
    const now = this.#clock.monotonic()
    const { first, oldest } = this.#messages
    if (first !== undefined && now - first.since > this.#patience) {
      const reason = 'reason' in this.#state ? this.#state.reason : noReceipt(first)
      this.#rejectAll(({ since }) => now - since > this.#patience, reason)
    }
    if (this.#state.kind === 'interrupted' || this.#state.kind === 'closed') return
    if (oldest !== undefined && now - oldest.sentAt > this.#ackTimeout) this.#resume(noReceipt(oldest))
  }

  #rejectAll(which: (message: Pending) => boolean, reason: MillraceError): void {
    for (const message of this.#messages.remove(which)) message.reject(reason)
    const state = this.#state
    if (state.kind === 'probing' && this.#messages.sent(state.token) === undefined) this.#resume(state.reason)
    this.#soon()
    this.#messages.wake()
  }

  #settle(message: Pending, outcome: PublishAck | MillraceError): void {
    if (!this.#messages.settle(message)) return
    if (outcome instanceof Error) message.reject(outcome)
    else message.resolve(outcome)
    if (this.#state.kind === 'probing' && this.#state.token === message.token) {
      this.#state = { kind: 'sending' }
      this.#send(this.#messages.allSent())
    }
    this.#soon()
    this.#messages.wake()
  }
}
