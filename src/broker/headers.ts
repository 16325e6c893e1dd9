import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import type { AsciiMessage, HeaderReader } from '../event/wire.js'
import { fault } from '../error/millrace-error.js'

const PREFIX = 'NATS/1.0'
const PRELUDE = `${PREFIX}\r\n`
const NOTHING = new Uint8Array(0)

/**
 * NATS headers as bytes, ready for the wire. The client's own header map validates and stores each entry anew for
 * every message, which costs more than the rest of a publish; this writes them once.
 * @throws MESSAGE_INVALID when a value has a line break, or a name anything but printable ASCII without colon and space:
 * receivers fail on such names
 */
export function encodeHeaders(entries: readonly (readonly [string, string])[]): MsgHdrs {
  let text = PRELUDE
  for (const [name, value] of entries) {
    if (!isWritableHeader(name, value)) throw fault('MESSAGE_INVALID', `header ${JSON.stringify(name)}`)
    text += `${name}: ${value}\r\n`
  }
  const bytes = Buffer.from(`${text}\r\n`)
  // the client asks a header object for nothing but its bytes when it publishes
  return { encode: () => bytes } as unknown as MsgHdrs
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

let chunk: Buffer<ArrayBufferLike> = Buffer.alloc(0)

/** A view of the memory that holds these bytes: many messages come in one chunk of the socket, and share it. */
function chunkOf(bytes: Uint8Array): Buffer<ArrayBufferLike> {
  if (chunk.buffer !== bytes.buffer) chunk = Buffer.from(bytes.buffer)
  return chunk
}

/** Of a longer message the payload may never be asked for as text: a pack, for instance. */
const MOST_AT_ONCE = 4_096

/** Reads a short message that has headers in one go, without the client decoding or cutting it. */
export function asciiOf(message: Msg): AsciiMessage | undefined {
  // the client's messages know where their headers are, though its interface does not say so
  const { _msg: layout, _rdata: bytes } = message as ClientMessage
  if (layout === undefined || bytes === undefined || layout.hdr <= 0 || bytes.length > MOST_AT_ONCE) return undefined
  const text = shortText(bytes)
  // as many characters as bytes: each is one byte, so the headers end where they do in the bytes
  return text.length === bytes.length ? { bytes, text, headers: layout.hdr } : undefined
}

/** The raw header block of a received message, found without the client decoding it. */
export function headerBlock(message: Msg): string {
  const { _msg: layout, _rdata: raw } = message as ClientMessage
  if (layout === undefined || raw === undefined) return decodedBlock(message)
  if (layout.hdr <= 0) return ''
  const block = chunkOf(raw).toString('utf8', raw.byteOffset, raw.byteOffset + layout.hdr)
  return block.startsWith(PREFIX) ? block : decodedBlock(message)
}

/** The payload of a received message as text, without cutting it out; undefined when that is not possible. */
export function payloadText(message: Msg): string | undefined {
  const { _msg: layout, _rdata: raw } = message as ClientMessage
  if (layout === undefined || raw === undefined) return undefined
  const from = raw.byteOffset + Math.max(0, layout.hdr)
  return chunkOf(raw).toString('utf8', from, raw.byteOffset + raw.length)
}

/** The reply subject of a received message, undecoded: of a thousand, one is needed as text. Empty: it has none. */
export function replyBytes(message: Msg): Uint8Array {
  const { _msg: layout } = message as ClientMessage
  return layout === undefined ? Buffer.from(message.reply ?? '') : (layout.reply ?? NOTHING)
}

/** The subject of a received message: a stream has few, so nearly always it is a string that is there already. */
export function subjectOf(message: Msg): string {
  const bytes = (message as ClientMessage)._msg?.subject
  if (bytes === undefined) return message.subject
  let hash = bytes.length
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  const known = subjects[hash & (SUBJECTS - 1)]
  if (known !== undefined && isText(known, bytes)) return known
  return (subjects[hash & (SUBJECTS - 1)] = shortText(bytes))
}

const SUBJECTS = 512
const subjects: (string | undefined)[] = Array.from({ length: SUBJECTS }, () => undefined)

function isText(text: string, bytes: Uint8Array): boolean {
  if (text.length !== bytes.length) return false
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[at]) return false
  return true
}

/** Bytes as text: the client decodes with a decoder made for long texts. */
export function shortText(bytes: Uint8Array): string {
  return chunkOf(bytes).toString('utf8', bytes.byteOffset, bytes.byteOffset + bytes.length)
}

/** The client’s own message, with what it keeps to itself. */
type ClientMessage = Msg & {
  readonly _msg?: { readonly hdr: number; readonly subject?: Uint8Array; readonly reply?: Uint8Array }
  /** Headers and payload, one after the other. */
  readonly _rdata?: Uint8Array
}

/** For another layout of the client’s buffers, or what begins like no headers: what the client makes of them. */
function decodedBlock(message: Msg): string {
  let text = PRELUDE
  try {
    for (const [name, values] of message.headers ?? []) for (const value of values) text += `${name}: ${value}\r\n`
  } catch {
    return PRELUDE // nobody can read them: the message counts as one without headers, and is judged as that
  }
  return text
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
