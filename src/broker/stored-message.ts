import type { Msg } from '@nats-io/transport-node'
import type { AsciiMessage, HeaderReader } from '../event/wire.js'
import { asciiOf, BlockReader, headerBlock, payloadText, replyBytes, shortText, subjectOf } from './headers.js'

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
  /** The payload as UTF-8 text, where that is at hand. */
  readonly text?: string | undefined
  /** All of it, where it is short and that is at hand. */
  readonly ascii?: AsciiMessage | undefined
  /** Where it has only some of the events of the message as it is stored: which part that is. */
  readonly part?: string
  /** Where an acknowledgement goes. */
  readonly reply: string
  /** Lets go of headers and payload, for who keeps the message only for its sequence and its acknowledgement. */
  forget?(): void
}

const EMPTY = new Uint8Array(0)
const DOT = 0x2e

let cursor = 0

/** Reads the digits that end at the cursor, and moves it before the dot that they begin after. */
function numberBefore(text: Uint8Array): number {
  let value = 0
  let unit = 1
  for (cursor -= 1; cursor >= 0; cursor--) {
    const digit = (text[cursor] ?? 0) - 0x30
    if (digit < 0) break
    value += digit * unit
    unit *= 10
  }
  return value
}

export class DeliveredMessage implements StoredMessage {
  readonly sequence: number
  readonly storedAt: number
  readonly delivery: number
  readonly pending: number
  // not the view of it that the client made: thousands wait for their commit
  readonly #memory: ArrayBufferLike
  readonly #replyAt: number
  readonly #replyBytes: number
  #message: Msg | undefined
  #subject: string | undefined
  #headers: HeaderReader | undefined
  #data: Uint8Array | undefined

  constructor(message: Msg, reply = replyBytes(message)) {
    this.#message = message
    this.#memory = reply.buffer
    this.#replyAt = reply.byteOffset
    this.#replyBytes = reply.length
    // $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<delivery>.<time ns>.<pending>; with the layout of
    // js_ack_fc_v2 (12 tokens) a random token follows. Read from the end: names may be of any length, never dotted.
    let dots = 0
    for (let at = 0; at < reply.length; at++) if (reply[at] === DOT) dots++
    cursor = dots >= 11 ? reply.lastIndexOf(DOT) : reply.length
    this.pending = numberBefore(reply)
    cursor -= 6 // nanoseconds to milliseconds
    this.storedAt = numberBefore(reply)
    this.delivery = numberBefore(reply)
    this.sequence = numberBefore(reply)
  }

  get reply(): string {
    return shortText(new Uint8Array(this.#memory, this.#replyAt, this.#replyBytes))
  }

  get subject(): string {
    return (this.#subject ??= this.#message === undefined ? '' : subjectOf(this.#message))
  }

  get data(): Uint8Array {
    return (this.#data ??= this.#message?.data ?? EMPTY)
  }

  /** The payload as text; read once by who decodes it, so it is not kept. */
  get text(): string | undefined {
    return this.#message === undefined ? undefined : payloadText(this.#message)
  }

  /** The whole of it; read once, too. */
  get ascii(): AsciiMessage | undefined {
    return this.#message === undefined ? undefined : asciiOf(this.#message)
  }

  get headers(): HeaderReader {
    return (this.#headers ??= new BlockReader(this.#message === undefined ? '' : headerBlock(this.#message)))
  }

  forget(): void {
    this.#message = undefined
    this.#subject = undefined
    this.#data = undefined
    this.#headers = undefined
  }
}
