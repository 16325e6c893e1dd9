import type { MsgHdrs } from '@nats-io/transport-node'
import type { MillraceError } from '../error/millrace-error.js'
import type { PublishAck } from './publish-ack.js'

/** One message between publish() and its receipt. */
export interface Pending {
  readonly token: number
  readonly subject: string
  readonly data: Uint8Array
  readonly headers: MsgHdrs
  readonly since: number
  sentAt: number
  readonly resolve: (ack: PublishAck) => void
  readonly reject: (error: MillraceError) => void
}

/**
 * The messages of a publisher that have no receipt: those that were sent, at most a window of them, and behind them
 * those that wait their turn. Order is order of publish.
 */
export class PublishWindow {
  readonly #limit: number
  readonly #byteLimit: number
  readonly #sent = new Map<number, Pending>()
  #waiting: Pending[] = []
  #head = 0
  #bytes = 0

  constructor(limit: number, byteLimit: number) {
    this.#limit = limit
    this.#byteLimit = byteLimit
  }

  /** All messages without a receipt. */
  get size(): number {
    return this.#sent.size + this.#waiting.length - this.#head
  }

  /** Whether another message would have to wait. */
  get full(): boolean {
    return this.#head < this.#waiting.length || this.#sent.size >= this.#limit || this.#bytes >= this.#byteLimit
  }

  add(message: Pending): void {
    this.#waiting.push(message)
  }

  /** The next message to send, counted as sent from now on; undefined when none waits or the window is full. */
  next(): Pending | undefined {
    const message = this.#waiting[this.#head]
    if (message === undefined || this.#sent.size >= this.#limit || this.#bytes >= this.#byteLimit) return undefined
    this.#head += 1
    if (this.#head === this.#waiting.length) this.#drop(this.#waiting.length)
    else if (this.#head > 8_192) this.#drop(this.#head)
    this.#sent.set(message.token, message)
    this.#bytes += message.data.length
    return message
  }

  sent(token: number): Pending | undefined {
    return this.#sent.get(token)
  }

  /** The message that was sent first. */
  get oldest(): Pending | undefined {
    for (const message of this.#sent.values()) return message
    return undefined
  }

  /** The message that was published first. */
  get first(): Pending | undefined {
    return this.oldest ?? this.#waiting[this.#head]
  }

  allSent(): Pending[] {
    return [...this.#sent.values()]
  }

  /** Takes out a message that was sent. */
  settle(message: Pending): void {
    if (this.#sent.delete(message.token)) this.#bytes -= message.data.length
  }

  /** Takes out every message that `which` says, sent or waiting, oldest first. */
  remove(which: (message: Pending) => boolean): Pending[] {
    const sent = this.allSent().filter(which)
    for (const message of sent) this.settle(message)
    const waiting = this.#waiting.slice(this.#head)
    const removed = waiting.filter(which)
    if (removed.length > 0) {
      this.#waiting = waiting.filter((message) => !which(message))
      this.#head = 0
    }
    return [...sent, ...removed]
  }

  #drop(count: number): void {
    this.#waiting.splice(0, count)
    this.#head = 0
  }
}
