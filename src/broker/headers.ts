import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import type { HeaderReader } from '../event/wire.js'
import { fault } from '../error/millrace-error.js'

export const PRELUDE = 'NATS/1.0\r\n'

/**
 * NATS headers as bytes, ready for the wire. The client's own header map validates and stores each entry anew for
 * every message, which costs more than the rest of a publish; this writes them once.
 * @throws MESSAGE_INVALID when a value has a line break, or a name anything but printable ASCII without colon and space:
 * receivers fail on such names
 */
export function encodeHeaders(entries: readonly (readonly [string, string])[]): MsgHdrs {
  return encodedHeaders(headerBlock(entries))
}

/** The same, of a block that is written already. */
export function encodedHeaders(block: string): MsgHdrs {
  const bytes = Buffer.from(block)
  // the client asks a header object for nothing but its bytes when it publishes
  return { encode: () => bytes } as unknown as MsgHdrs
}

/**
 * The block of some headers, up to the empty line that ends it.
 * @param more lines to be added, each with its end
 * @throws as encodeHeaders
 */
export function headerBlock(entries: readonly (readonly [string, string])[], more = ''): string {
  let text = PRELUDE
  for (const [name, value] of entries) {
    if (!isWritableHeader(name, value)) throw fault('MESSAGE_INVALID', `header ${JSON.stringify(name)}`)
    text += `${name}: ${value}\r\n`
  }
  return `${text}${more}\r\n`
}

/** Whether encodeHeaders takes a header. Other programs send, and the server stores, ones that it does not take. */
export function isWritableHeader(name: string, value: string): boolean {
  return !value.includes('\n') && !value.includes('\r') && isName(name)
}

const NAME = /^[\x21-\x39\x3b-\x7e]+$/
/** Names that were checked: a program writes few different ones. */
const names = new Set<string>()

function isName(name: string): boolean {
  if (names.has(name)) return true
  if (!NAME.test(name)) return false
  if (names.size < 1_000) names.add(name)
  return true
}

/** How many bytes encoded headers take of the server’s limit for a message. */
export function encodedSize(headers: MsgHdrs): number {
  return (headers as unknown as { encode(): Uint8Array }).encode().length
}

/** The header block of a message that the client has read; empty when it has no headers. */
export function headerText(message: Msg): string {
  try {
    if (message.headers === undefined) return ''
    const { code, description } = message.headers
    let text = code > 0 ? `NATS/1.0 ${`${code} ${description}`.trim()}\r\n` : PRELUDE
    for (const [name, values] of message.headers) for (const value of values) text += `${name}: ${value}\r\n`
    return text
  } catch {
    return PRELUDE // nobody can read them: the message counts as one without headers, and is judged as that
  }
}

/** Reads single headers from a block without parsing the rest; exact spelling first, then any case. */
export class BlockReader implements HeaderReader {
  readonly block: string
  #lower: string | undefined

  constructor(block: string) {
    this.block = block
  }

  get(name: string): string | undefined {
    const at = this.block.indexOf(`\n${name}:`)
    if (at >= 0) return this.#value(at + name.length + 2)
    this.#lower ??= lowerCase(this.block)
    const anyCase = this.#lower.indexOf(`\n${name.toLowerCase()}:`)
    return anyCase < 0 ? undefined : this.#value(anyCase + name.length + 2)
  }

  entries(): readonly (readonly [string, string])[] {
    const block = this.block
    const entries: (readonly [string, string])[] = []
    let at = block.indexOf('\n') + 1
    while (at > 0 && at < block.length) {
      const end = block.indexOf('\r', at)
      const colon = block.indexOf(':', at)
      if (end <= at || colon < 0) break
      if (colon < end) entries.push([block.slice(at, colon), block.slice(colon + 1, end).trim()])
      at = end + 2
    }
    return entries
  }

  #value(from: number): string {
    const end = this.block.indexOf('\r', from)
    return this.block.slice(from, end < 0 ? undefined : end).trim()
  }
}

/** Lower case with every character at its place: some letters become longer, and then only ASCII is lowered. */
function lowerCase(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
