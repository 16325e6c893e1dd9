import { beginMember, endMember, writeText } from './member-writer.js'
import type { WireMessage } from './wire.js'

/**
 * A message whose headers are written already, in one piece with its payload where members of packs wait: outside the heap,
 * where waiting for a commit costs nothing.
 */
export class WrittenMessage implements WireMessage {
  readonly subject: string
  readonly data: Uint8Array
  /** Its first header, as a line with its end: one text for many messages. */
  readonly first: string
  /** The other headers as lines, an empty line, and the payload. */
  readonly rest: Uint8Array

  constructor(subject: string, first: string, rest: Uint8Array, data: Uint8Array) {
    this.subject = subject
    this.first = first
    this.rest = rest
    this.data = data
  }

  /** What the headers take, with the lines of `first` and the empty line behind them, in bytes. */
  get headerSize(): number {
    return this.first.length + this.rest.length - this.data.length
  }

  get headers(): readonly (readonly [name: string, value: string])[] {
    const text = this.first + Buffer.from(this.rest).toString('latin1', 0, this.rest.length - this.data.length)
    const lines = text.split('\r\n').slice(0, -2)
    return lines.map((line) => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    })
  }
}

/**
 * Writes a message.
 * @param first its first header, as a line with its end
 * @param headers further lines, ASCII, each with its end
 */
export function writeMessage(subject: string, first: string, headers: string, payload: string): WrittenMessage {
  beginMember()
  writeText(`${headers}\r\n${payload}`)
  const { page, from, to } = endMember()
  return new WrittenMessage(subject, first, page.subarray(from, to), page.subarray(from + headers.length + 2, to))
}
