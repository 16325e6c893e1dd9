import type { StoredMessage } from '../broker/stored-message.js'
import type { Clock } from '../time/clock.js'

/** A message that this process has, and whose time at the server it renews until it is done. */
export interface Held {
  readonly message: StoredMessage
  /** Which source of the handler it came by. */
  readonly source: number
  /** How often the server has delivered it, the last time among them. */
  deliveries: number
  /** Where it is acknowledged: that of the last delivery. */
  reply: string
  /** By the monotonic clock: when its time at the server began. */
  renewedAt: number
  /** Events of it that have no fate yet. */
  open: number
  /** Whether it is given back, and not to be acknowledged. */
  left: boolean
}

/**
 * What a handler has in hand in this process, each message once: one that is delivered again while it is worked on is not
 * begun a second time; its acknowledgement goes to the last delivery.
 */
export class InFlight {
  readonly #clock: Clock
  readonly #ackWait: number
  readonly #held = new Map<string, Held>()

  /** @param ackWait how long the server waits for one of them before it delivers it again, in ms */
  constructor(clock: Clock, ackWait: number) {
    this.#clock = clock
    this.#ackWait = ackWait
  }

  get size(): number {
    return this.#held.size
  }

  /** @returns undefined when it is here already */
  take(source: number, message: StoredMessage, deliveries: number): Held | undefined {
    const now = this.#clock.monotonic()
    const key = `${source}:${message.sequence}`
    const known = this.#held.get(key)
    if (known !== undefined) {
      known.reply = message.reply
      known.renewedAt = now
      known.deliveries = Math.max(known.deliveries, deliveries)
      return undefined
    }
    const held = { message, source, deliveries, reply: message.reply, renewedAt: now, open: 0, left: false }
    this.#held.set(key, held)
    return held
  }

  remove({ source, message }: Held): boolean {
    return this.#held.delete(`${source}:${message.sequence}`)
  }

  /** Begins the time of all of them anew at the server, but of those whose time is over: somebody else has them. */
  renew(say: (replies: readonly string[]) => boolean): void {
    const now = this.#clock.monotonic()
    const mine = [...this.#held.values()].filter((one) => !this.lapsed(one))
    if (mine.length === 0 || !say(mine.map(({ reply }) => reply))) return
    for (const one of mine) one.renewedAt = now
  }

  /** Whether the server has given it to somebody else by now. */
  lapsed({ renewedAt }: Held): boolean {
    return this.#clock.monotonic() - renewedAt >= this.#ackWait
  }
}
