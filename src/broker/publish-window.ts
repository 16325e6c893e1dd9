import type { WireMessage } from '../event/wire.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { PublishAck } from './publish-ack.js'

/** One message between publish() and its receipt. */
export interface Pending {
  readonly token: number
  readonly message: WireMessage
  readonly since: number
  sentAt: number
  readonly resolve: (ack: PublishAck) => void
  readonly reject: (error: MillraceError) => void
}

/** Picks those of a subject. */
export function to(subject: string): (pending: Pending) => boolean {
  return ({ message }) => message.subject === subject
}

export function noReceipt({ message }: Pending): MillraceError {
  return fault('BROKER_TIMEOUT', `no stream confirmed ${message.subject}`)
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
  #sentBytes = 0
  #waitingBytes = 0
  #listeners: (() => void)[] = []

  constructor(limit: number, byteLimit: number) {
    this.#limit = limit
    this.#byteLimit = byteLimit
  }

  /** All messages without a receipt. */
  get size(): number {
    return this.#sent.size + this.#waiting.length - this.#head
  }

  /** Whether another message would be beyond the window. */
  get full(): boolean {
    return this.size >= this.#limit || this.#sentBytes + this.#waitingBytes >= this.#byteLimit
  }

  /** Resolves when there is room for another message. */
  async ready(): Promise<void> {
    while (this.full) await this.#change()
  }

  /** Resolves when there is none. */
  async empty(): Promise<void> {
    while (this.size > 0) await this.#change()
  }

  /** Tells who waits for it that there is room, or that none is left. */
  wake(): void {
    if (this.#listeners.length > 0 && (this.size === 0 || !this.full))
      for (const wake of this.#listeners.splice(0)) wake()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve))
  }

  add(message: Pending): void {
    this.#waiting.push(message)
    this.#waitingBytes += message.message.data.length
  }

  /** The next messages to send, counted as sent from now on: so many at most, and as many as the window has room for. */
  take(most: number): Pending[] {
    const taken: Pending[] = []
    while (taken.length < most && this.#sent.size < this.#limit && this.#sentBytes < this.#byteLimit) {
      const next = this.#waiting[this.#head]
      if (next === undefined) break
      this.#head += 1
      this.#sent.set(next.token, next)
      this.#sentBytes += next.message.data.length
      this.#waitingBytes -= next.message.data.length
      taken.push(next)
    }
    if (this.#head === this.#waiting.length || this.#head > 8_192) this.#waiting.splice(0, this.#head)
    else return taken
    this.#head = 0
    return taken
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

  /** Takes out a message that was sent. @returns whether it was still there */
  settle({ token, message }: Pending): boolean {
    if (!this.#sent.delete(token)) return false
    this.#sentBytes -= message.data.length
    return true
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
      for (const { message } of removed) this.#waitingBytes -= message.data.length
    }
    return [...sent, ...removed]
  }
}
