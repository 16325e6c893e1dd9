import type { Msg } from '@nats-io/transport-node'
import type { HeaderReader } from '../event/wire.js'
import { BlockReader, headerBlock } from './headers.js'

/** One message as a consumer delivered it. Headers and payload are read from the received bytes when asked for. */
export interface StoredMessage {
  readonly subject: string
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
  /** Contiguous per consumer; a gap means that a message was delivered elsewhere. */
  readonly delivery: number
  /** How many messages of this consumer come after this one. */
  readonly pending: number
  readonly headers: HeaderReader
  readonly data: Uint8Array
  /** Where an acknowledgement goes. */
  readonly reply: string
  /** Lets go of headers and payload, for who keeps the message only for its sequence and its acknowledgement. */
  forget?(): void
}

const EMPTY = new Uint8Array(0)

export class DeliveredMessage implements StoredMessage {
  readonly sequence: number
  readonly storedAt: number
  readonly delivery: number
  readonly pending: number
  readonly reply: string
  #message: Msg | undefined
  #headers: HeaderReader | undefined
  #data: Uint8Array | undefined

  constructor(message: Msg) {
    this.#message = message
    const reply = message.reply ?? ''
    this.reply = reply
    // $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<delivery>.<time ns>.<pending>; with the layout of
    // js_ack_fc_v2 (12 tokens) a random token follows. Read from the end: names may be of any length, never dotted.
    let dots = 0
    for (let at = reply.indexOf('.'); at >= 0; at = reply.indexOf('.', at + 1)) dots++
    const end = dots >= 11 ? reply.lastIndexOf('.') : reply.length
    const pendingAt = reply.lastIndexOf('.', end - 1)
    const timeAt = reply.lastIndexOf('.', pendingAt - 1)
    const deliveryAt = reply.lastIndexOf('.', timeAt - 1)
    const sequenceAt = reply.lastIndexOf('.', deliveryAt - 1)
    this.pending = Number(reply.slice(pendingAt + 1, end))
    this.storedAt = Number(reply.slice(timeAt + 1, pendingAt - 6))
    this.delivery = Number(reply.slice(deliveryAt + 1, timeAt))
    this.sequence = Number(reply.slice(sequenceAt + 1, deliveryAt))
  }

  get subject(): string {
    return this.#message?.subject ?? ''
  }

  get data(): Uint8Array {
    return (this.#data ??= this.#message?.data ?? EMPTY)
  }

  get headers(): HeaderReader {
    this.#headers ??= new BlockReader(this.#message === undefined ? '' : headerBlock(this.#message, this.data))
    return this.#headers
  }

  forget(): void {
    this.#message = undefined
    this.#data = undefined
    this.#headers = undefined
  }
}
