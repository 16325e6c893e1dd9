import { ByteLiteral, viewOf } from '../event/byte-literal.js'
import type { AsciiMessage, HeaderReader } from '../event/wire.js'
import type { Delivery } from './delivery-parser.js'
import { BlockReader } from './headers.js'

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
/** Of a longer message the payload may never be asked for as text: a pack, for instance. */
const MOST_AT_ONCE = 4_096

let cursor = 0

/** Reads the digits that end at the cursor, and moves it before the dot that they begin after. */
function numberBefore(frame: Buffer): number {
  let value = 0
  let unit = 1
  for (cursor -= 1; cursor >= 0; cursor--) {
    const digit = (frame[cursor] ?? 0) - 0x30
    if (digit < 0) break
    value += digit * unit
    unit *= 10
  }
  return value
}

/** A message as a pull consumer delivers it: places in a frame of the socket, which many messages share. */
export class DeliveredMessage implements StoredMessage {
  readonly sequence: number
  readonly storedAt: number
  readonly delivery: number
  readonly pending: number
  readonly #frame: Buffer
  readonly #replyAt: number
  readonly #replyEnd: number
  readonly #subjectAt: number
  readonly #subjectEnd: number
  readonly #headersAt: number
  readonly #dataAt: number
  /** 0: let go. */
  #end: number
  #headers: HeaderReader | undefined
  #subject: string | undefined

  constructor({ frame, subject, subjectEnd, reply, replyEnd, headers, data, end }: Delivery) {
    this.#frame = frame
    this.#subjectAt = subject
    this.#subjectEnd = subjectEnd
    this.#replyAt = reply
    this.#replyEnd = replyEnd
    this.#headersAt = headers
    this.#dataAt = data
    this.#end = end
    // $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<delivery>.<time ns>.<pending>; with the layout of
    // js_ack_fc_v2 (12 tokens) a random token follows. Read from the end: names may be of any length, never dotted.
    let dots = 0
    for (let at = reply; at < replyEnd; at++) if (frame[at] === DOT) dots++
    cursor = dots >= 11 ? frame.lastIndexOf(DOT, replyEnd - 1) : replyEnd
    this.pending = numberBefore(frame)
    cursor -= 6 // nanoseconds to milliseconds
    this.storedAt = numberBefore(frame)
    this.delivery = numberBefore(frame)
    this.sequence = numberBefore(frame)
  }

  get reply(): string {
    return this.#frame.toString('latin1', this.#replyAt, this.#replyEnd)
  }

  get subject(): string {
    return (this.#subject ??= this.#end === 0 ? '' : subjectAt(this.#frame, this.#subjectAt, this.#subjectEnd))
  }

  get data(): Uint8Array {
    return this.#end === 0 ? EMPTY : this.#frame.subarray(this.#dataAt, this.#end)
  }

  get text(): string | undefined {
    return this.#end === 0 ? undefined : this.#frame.toString('utf8', this.#dataAt, this.#end)
  }

  get ascii(): AsciiMessage | undefined {
    const length = this.#end - this.#headersAt
    if (this.#end === 0 || this.#dataAt === this.#headersAt || length > MOST_AT_ONCE) return undefined
    const text = this.#frame.toString('utf8', this.#headersAt, this.#end)
    // as many characters as bytes: each is one byte, so the headers end where they do in the bytes
    if (text.length !== length) return undefined
    return { bytes: this.#frame, from: this.#headersAt, text, headers: this.#dataAt - this.#headersAt }
  }

  get headers(): HeaderReader {
    return (this.#headers ??= new BlockReader(
      this.#end === 0 ? '' : this.#frame.toString('utf8', this.#headersAt, this.#dataAt),
    ))
  }

  forget(): void {
    this.#end = 0
    this.#headers = undefined
    this.#subject = undefined
  }
}

/** Most streams have few subjects: nearly always it is a string that is there already. */
function subjectAt(frame: Buffer, from: number, to: number): string {
  const view = viewOf(frame)
  let hash = to - from
  let at = from
  for (; at + 4 <= to; at += 4) hash = Math.imul(hash ^ view.getInt32(at, true), 0x01000193)
  for (; at < to; at++) hash = Math.imul(hash ^ (frame[at] ?? 0), 0x01000193)
  const place = hash >>> TOP_BITS // to which every byte has come
  const known = subjects[place]
  if (known !== undefined && known.bytes.length === to - from && known.bytes.isAt(view, from, to)) return known.subject
  const subject = frame.toString('utf8', from, to)
  // where there are more of them than places (aggregates), keeping each would cost more than it saves
  if (known !== undefined && (misses = (misses + 1) % KEEP_EVERY) > 0) return subject
  subjects[place] = { subject, bytes: new ByteLiteral(frame.toString('latin1', from, to)) }
  return subject
}

const TOP_BITS = 23
const KEEP_EVERY = 16
let misses = 0
const SUBJECTS = 512
type KnownSubject = { readonly subject: string; readonly bytes: ByteLiteral }
const subjects: (KnownSubject | undefined)[] = Array.from({ length: SUBJECTS }, () => undefined)
