// Publisher
//
// Stores messages at the speed of the server: many in flight over one reply inbox, receipts matched by token.
//
//   caller -> Publisher:   publish(message) resolves when the message is stored; at most `window` are in flight
//   Publisher -> stream:   what was published in one turn of the event loop: few messages each with a reply subject, many
//                          as one atomic batch (ADR-50); JetStream answers with a receipt for each, or for the batch
//
// Invariants (tests cite them):
//   P1  publish() resolves only when the stream named a sequence, or rejects with a code.
//   P2  A lost connection, a server restart and a missing leader do not reject: everything without a receipt is sent
//       again, in order, for up to `patience`. Messages carry a Nats-Msg-Id, so a second copy is dropped by the stream.
//   P3  At most `window` messages, and about `windowBytes` bytes, are sent and without a receipt.
//   P4  Order of publish is order in the stream, also across reconnects: after an interruption the oldest message is
//       sent alone, and what follows it only when it has its receipt, so nothing overtakes while a leader comes back.
//       Beside a batch nothing is on its way.
//   P5  A batch is a short cut: where it is not stored, its messages are sent again alone. So what is refused, denied, too
//       large or stored before keeps no other from being stored, and is told as if it had been published alone.
import type { Msg } from '@nats-io/transport-node'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Connection, ConnectionStatus } from './connection.js'
import { Leaderless } from './leaderless.js'
import { oncePerTurn } from '../time/once-per-turn.js'
import { readAck, readTogether, type PublishAck } from './publish-ack.js'
import type { PublisherOptions } from './publisher-options.js'
import type { PublisherState, SentTogether } from './publisher-state.js'
import { PublishTogether } from './publish-together.js'
import { noReceipt, PublishWindow, to, type Pending } from './publish-window.js'
import { isBetweenLinks, sendAlone, sendTogether } from './publish-wire.js'

const NO_LEADER_PAUSE = 200
export class Publisher {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #patience: number
  readonly #ackTimeout: number
  readonly #inbox: string
  readonly #messages: PublishWindow
  readonly #together = new PublishTogether()
  readonly #leaderless = new Leaderless()
  /** What is published in one turn goes in one piece, however it is awaited: the client writes to its socket at each await. */
  readonly #soon = oncePerTurn(() => this.#pump())
  readonly #stops: (() => void)[]
  #state: PublisherState = { kind: 'sending' }
  #next = 0

  constructor(connection: Connection, options: PublisherOptions) {
    this.#connection = connection
    this.#clock = options.clock
    this.#messages = new PublishWindow(options.window ?? 2_000, options.windowBytes ?? 16 * 1024 * 1024)
    this.#patience = options.patience ?? 60_000
    this.#ackTimeout = options.ackTimeout ?? 5_000
    this.#inbox = connection.newInbox()
    const subscription = connection.nats.subscribe(`${this.#inbox}.*`, {
      // a denied subscription is heard of as a status
      callback: (error, message) => (error === null ? this.#onReply(message) : undefined),
    })
    if (connection.state.kind !== 'connected') this.#interrupt()
    const stopListening = connection.onStatus((status) => this.#onStatus(status))
    const stopSweeping = options.clock.every(250, () => this.#sweep())
    this.#stops = [stopListening, stopSweeping, () => subscription.unsubscribe()]
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
    while (this.#state.kind === 'sending' && this.#messages.waits > 0) {
      const front = this.#together.front(this.#messages, this.#clock.monotonic())
      if (front.kind === 'together' && this.#messages.onTheirWay > 0) return // P4
      const taken = this.#messages.take(front.count)
      if (taken.length === 0) return
      if (front.kind === 'alone') this.#sendEach(taken)
      else this.#sendTogether(taken, front.place)
    }
  }

  #sendEach(messages: readonly Pending[]): void {
    for (const message of messages)
      if (this.#state.kind === 'sending' && this.#messages.sent(message.token) !== undefined) this.#send(message)
  }

  #send(pending: Pending): void {
    if (isBetweenLinks(this.#connection)) return this.#interrupt()
    pending.sentAt = this.#clock.monotonic()
    const problem = sendAlone(this.#connection, pending.message, `${this.#inbox}.${pending.token}`)
    if (problem !== undefined) this.#settle(pending, problem)
  }

  #sendTogether(batch: readonly Pending[], place: string): void {
    const token = this.#next++
    const reply = `${this.#inbox}.${token}`
    const last = isBetweenLinks(this.#connection) ? undefined : sendTogether(this.#connection, batch, reply)
    if (last === undefined) return this.#sendEach(batch)
    for (const pending of batch) pending.sentAt = this.#clock.monotonic()
    this.#state = { kind: 'together', token, batch, last, place }
  }

  #onReply(reply: Msg): void {
    const token = Number(reply.subject.slice(this.#inbox.length + 1))
    const state = this.#state
    const together = state.kind === 'together' && state.token === token ? state : undefined
    const message = together?.last ?? this.#messages.sent(token)
    if (!message) return // a receipt for a copy that was sent again
    if (reply.data.length === 0 && reply.headers?.code === 503) return void this.#onLeaderless(message.message.subject)
    if (together !== undefined) return this.#onBatch(together, reply.data)
    const answer = readAck(reply.data)
    // somebody else who listens to the subject has answered too; the stream’s own receipt is yet to come
    if (answer.kind === 'foreign') return
    this.#leaderless.over()
    if (answer.kind === 'stored') this.#together.stored(answer.ack.duplicate)
    this.#settle(message, answer.kind === 'stored' ? answer.ack : answer.error)
  }

  #onBatch({ batch, place }: SentTogether, data: Uint8Array): void {
    const answer = readTogether(data, batch.length)
    if (answer.kind === 'foreign') return
    this.#leaderless.over()
    this.#state = { kind: 'sending' }
    if (answer.kind === 'stored') {
      const { stream, last } = answer
      const first = last - batch.length + 1
      for (const [at, one] of batch.entries()) this.#settle(one, { stream, sequence: first + at, duplicate: false })
    } else {
      if (answer.kind === 'refused') this.#together.refused(place, this.#clock.monotonic())
      this.#sendEach(batch)
    }
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
    this.#send(oldest)
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
    if (state.kind === 'together' && this.#messages.sent(state.last.token) === undefined) this.#resume(reason)
    this.#soon()
    this.#messages.wake()
  }

  #settle(message: Pending, outcome: PublishAck | MillraceError): void {
    if (!this.#messages.settle(message)) return
    if (outcome instanceof Error) message.reject(outcome)
    else message.resolve(outcome)
    if (this.#state.kind === 'probing' && this.#state.token === message.token) {
      this.#state = { kind: 'sending' }
      this.#sendEach(this.#messages.allSent())
    }
    this.#soon()
    this.#messages.wake()
  }
}
