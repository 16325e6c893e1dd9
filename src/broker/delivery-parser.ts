/** Where the parts of one delivered message are in the bytes that came from the socket. */
export interface Delivery {
  readonly frame: Buffer
  readonly subject: number
  readonly subjectEnd: number
  readonly reply: number
  /** Where the reply subject ends; where it begins, when there is none. */
  readonly replyEnd: number
  readonly headers: number
  /** Where the headers end, and the payload begins; as `headers`, when there are none. */
  readonly data: number
  /** Where the payload ends. */
  readonly end: number
}

/** What the client reads the protocol with. */
export interface ProtocolParser {
  parse(frame: Uint8Array): void
}

/** Takes a message; what it is told is valid until it returns. */
export type Taker = (delivery: Delivery) => void

const [LF, CR, SPACE, ZERO, LETTER_H, LETTER_M] = [0x0a, 0x0d, 0x20, 0x30, 0x48, 0x4d]

/** The one place that a parser reads a message into: none is read while another is handed over. */
const found = {
  frame: Buffer.alloc(0) as Buffer,
  subject: 0,
  subjectEnd: 0,
  reply: 0,
  replyEnd: 0,
  headers: 0,
  data: 0,
  end: 0,
}

/**
 * Reads the server's protocol (docs.nats.io, “Client Protocol”) for subscriptions whose messages come by the thousand,
 * and leaves everything else to the client's own parser, byte for byte and in order. The client's makes eight objects of
 * each message before anybody has looked at it; this one makes none.
 */
export class DeliveryParser implements ProtocolParser {
  readonly #client: ProtocolParser
  readonly #takers: ReadonlyMap<number, Taker>
  /** Bytes still to come of a message that the client reads. */
  #passing = 0
  /** Frames that end within an operation which is not the client's, or not known to be. */
  #held: Buffer[] = []
  #heldBytes = 0
  /** How many bytes there must be before it is worth looking again. */
  #needed = 0

  /** @param takers by the number of their subscription; may change at any time */
  constructor(client: ProtocolParser, takers: ReadonlyMap<number, Taker>) {
    this.#client = client
    this.#takers = takers
  }

  /** Takes the next bytes from the server. @throws what the client's parser throws at bytes that are no protocol */
  parse(bytes: Uint8Array): void {
    let frame = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (this.#heldBytes > 0) {
      this.#held.push(frame)
      this.#heldBytes += frame.length
      if (this.#heldBytes < this.#needed) return
      frame = Buffer.concat(this.#held, this.#heldBytes)
      this.#held = []
      this.#heldBytes = 0
    }
    this.#read(frame)
  }

  #read(frame: Buffer): void {
    const { length } = frame
    /** Bytes from here to `at` are the client's. */
    let passed = 0
    let at = Math.min(this.#passing, length)
    this.#passing -= at
    while (at < length) {
      const first = frame[at]
      const isMessage = first === LETTER_H || first === LETTER_M
      const sid = isMessage ? readMessage(frame, at) : -1
      const end = isMessage ? messageEnd : frame.indexOf(LF, at) + 1
      const taker = sid < 0 ? undefined : this.#takers.get(sid)
      if (end > 0 && taker === undefined) {
        at = Math.min(end, length)
        this.#passing = end - at
        continue
      }
      if (passed < at) this.#client.parse(passed === 0 && at === length ? frame : frame.subarray(passed, at))
      passed = at
      if (taker === undefined || end > length) return this.#hold(frame, at, end)
      taker(found)
      passed = at = end
    }
    if (passed < length) this.#client.parse(passed === 0 ? frame : frame.subarray(passed))
  }

  #hold(frame: Buffer, at: number, end: number): void {
    this.#held.push(at === 0 ? frame : frame.subarray(at))
    this.#heldBytes = frame.length - at
    this.#needed = end > 0 ? end - at : this.#heldBytes + 1
  }
}

/**
 * Reads `MSG subject sid [reply] size` or `HMSG subject sid [reply] headers size`, and finds the end of what follows it.
 * @returns the number of the subscription, and where all of it ends in `messageEnd`: 0 when the line is not all there
 */
function readMessage(frame: Buffer, at: number): number {
  messageEnd = 0
  const stop = frame.indexOf(CR, at)
  if (stop < 0 || stop + 2 > frame.length) return -1
  const hasHeaders = frame[at] === LETTER_H
  found.frame = frame
  found.subject = at + (hasHeaders ? 5 : 4)
  let cursor = found.subject
  while (frame[cursor] !== SPACE && cursor < stop) cursor++
  found.subjectEnd = cursor
  let sid = 0
  for (cursor++; cursor < stop && frame[cursor] !== SPACE; cursor++) sid = sid * 10 + ((frame[cursor] ?? 0) - ZERO)
  const sidEnd = cursor
  cursor = stop
  const size = numberBefore(frame, cursor)
  cursor = before
  let headers = 0
  if (hasHeaders) {
    headers = numberBefore(frame, cursor)
    cursor = before
  }
  found.reply = Math.min(sidEnd + 1, cursor)
  found.replyEnd = Math.max(found.reply, cursor)
  found.headers = stop + 2
  found.data = found.headers + headers
  found.end = found.headers + size
  messageEnd = found.end + 2
  return sid >= 0 && size >= headers && cursor >= sidEnd ? sid : -1
}

let messageEnd = 0
let before = 0

/** Reads the digits that end at `end`; leaves in `before` where the space stands that they begin after. */
function numberBefore(frame: Buffer, end: number): number {
  let value = 0
  let unit = 1
  for (before = end - 1; frame[before] !== SPACE && before >= 0; before--) {
    value += ((frame[before] ?? 0) - ZERO) * unit
    unit *= 10
  }
  return value
}
