import { ByteLiteral, viewOf } from './byte-literal.js'
import { parseText, type JsonPayload } from './json-payload.js'
import type { AsciiMessage } from './wire.js'

// The data of one type of event is alike: the same names in the same order. What lies between two values is compared as
// bytes, and the values are cut out, in half of the time of `JSON.parse`: that also looks every short text up in the
// table of all names of the process, and keeps it there until a full collection.

/** One member of a flat object. */
interface Member {
  readonly name: string
  readonly isText: boolean
  /** All that comes before its value. */
  readonly before: ByteLiteral
}

/** A flat object of texts and numbers, with gaps where its values are. */
interface Layout {
  readonly members: readonly Member[]
  readonly end: ByteLiteral
  /** An object of this kind, with nothing in it: a copy of it has its members in place. */
  readonly model: Flat
}

/** What is known of the data of one type. */
interface Known {
  layout: Layout | undefined
  misses: number
}

type Flat = Record<string, string | number>

const MOST_TYPES = 256
const MOST_MEMBERS = 32
const LEARN_EVERY = 16
/** V8 copies what is cut out of a text and shorter than this; longer, it would keep the whole message alive. */
const COPIED = 13
/** So many digits are a whole number that is exact. */
const EXACT_DIGITS = 15
const [QUOTE, BACKSLASH, SPACE, MINUS, DOT, ZERO, NINE] = [0x22, 0x5c, 0x20, 0x2d, 0x2e, 0x30, 0x39]
const types = new Map<string, Known>()

/** Reads the payload of a message as `parseText` does. @param type whose data it is: it alone says which layout to try */
export function readJson(message: AsciiMessage, type: string): JsonPayload {
  const known = types.get(type)
  const value = known?.layout === undefined ? undefined : read(known.layout, message)
  if (value !== undefined) return { ok: true, value }
  const payload = parseText(message.text.slice(message.headers))
  if (payload.ok) learn(type, known, payload.value, message)
  return payload
}

/** @returns undefined when the payload is not exactly of this layout, with plain texts and plain numbers */
function read({ members, end, model }: Layout, { bytes, from, text, headers }: AsciiMessage): Flat | undefined {
  const view = viewOf(bytes)
  const limit = from + text.length
  const flat = { ...model }
  let at = from + headers
  for (let which = 0; which < members.length; which++) {
    const { name, isText, before } = members[which] as Member
    if (!before.isAt(view, at, limit)) return undefined
    const begin = at + before.length
    at = isText ? endOfText(bytes, begin, limit) : endOfNumber(bytes, begin, limit)
    if (at < 0) return undefined
    if (!isText) flat[name] = numberAt(bytes, begin, at)
    else if (at - begin < COPIED) flat[name] = text.slice(begin - from, at - from)
    else flat[name] = bytes.toString('latin1', begin, at)
  }
  return at + end.length === limit && end.isAt(view, at, limit) ? flat : undefined
}

/** -1: it has something that stands for something else, or no end. */
function endOfText(bytes: Uint8Array, from: number, limit: number): number {
  for (let at = from; at < limit; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) return at
    if (byte === BACKSLASH || byte < SPACE) return -1
  }
  return -1
}

/** -1: it is none that JSON knows, or not written in the usual way. */
function endOfNumber(bytes: Uint8Array, from: number, limit: number): number {
  const begin = bytes[from] === MINUS ? from + 1 : from
  const whole = endOfDigits(bytes, begin, limit)
  if (whole === begin || (bytes[begin] === ZERO && whole > begin + 1)) return -1
  if (bytes[whole] !== DOT) return whole
  const end = endOfDigits(bytes, whole + 1, limit)
  return end === whole + 1 ? -1 : end
}

function endOfDigits(bytes: Uint8Array, from: number, limit: number): number {
  let at = from
  while (at < limit && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++
  return at
}

function numberAt(bytes: Buffer, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if (byte < ZERO || to - from > EXACT_DIGITS) return Number(bytes.toString('latin1', from, to))
    value = value * 10 + byte - ZERO
  }
  return value
}

/** What a publisher said is not kept. */
function blankOf(flat: Flat): Flat {
  return Object.fromEntries(Object.entries(flat).map(([name, value]) => [name, typeof value === 'string' ? '' : 0]))
}

/** Notes how the data of a type looks, now and then, where it looks otherwise than before. */
function learn(type: string, known: Known | undefined, value: unknown, message: AsciiMessage): void {
  if (known === undefined) {
    if (types.size >= MOST_TYPES) types.clear()
    types.set(type, { layout: layoutOf(value, message), misses: 0 })
    return
  }
  known.misses = (known.misses + 1) % LEARN_EVERY
  if (known.misses === 0) known.layout = layoutOf(value, message)
}

function layoutOf(value: unknown, message: AsciiMessage): Layout | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const model = value as Flat
  const names = Object.keys(model)
  if (names.length === 0 || names.length > MOST_MEMBERS) return undefined
  const members: Member[] = []
  let literal = '{'
  for (const name of names) {
    const isText = typeof model[name] === 'string'
    if (!isText && typeof model[name] !== 'number') return undefined
    literal += `${members.length === 0 ? '' : ','}${JSON.stringify(name)}:${isText ? '"' : ''}`
    members.push({ name, isText, before: new ByteLiteral(literal) })
    literal = isText ? '"' : ''
  }
  const layout = { members, end: new ByteLiteral(`${literal}}`), model: blankOf(model) }
  // one that does not fit where it was learned fits nothing: written with spaces, names twice or in another order
  return read(layout, message) === undefined ? undefined : layout
}
