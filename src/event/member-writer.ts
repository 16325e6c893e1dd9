import { isPlain } from './plain-text.js'
import { formatTime } from './rfc3339.js'

// Members of packs are written as bytes where they wait: texts put together from a dozen parts, flattened and then
// encoded cost three times as much, and a kilobyte of the heap for each.

/** A place in a page, where a member is. */
export interface WrittenMember {
  readonly page: Buffer
  readonly from: number
  readonly to: number
}

const PAGE_BYTES = 64 * 1024
/** Room that there is for whatever is short. */
const LEAST_ROOM = 8 * 1024
/** Longest text that is written byte by byte. */
const MOST_PLAIN = 512
/** How many names of a type are kept. */
const MOST_NAMES = 32
/** Longer texts JSON.stringify writes as fast. */
const SHORT = 64
const [QUOTE, COMMA, DASH, ZERO, BACKSLASH, LETTER_Z, OPEN, CLOSE] = [0x22, 0x2c, 0x2d, 0x30, 0x5c, 0x5a, 0x7b, 0x7d]
const NOTHING: object = {}

/** By code, what isPlain takes. */
const IS_PLAIN = Uint8Array.from({ length: 0x7f }, (_, code) => (isPlain(String.fromCharCode(code)) ? 1 : 0))

let page = Buffer.alloc(0)
let view = new DataView(page.buffer, 0, 0)
/** Up to where the page is written. */
let written = 0
/** Where the member that is being written begins, and how far it has come. */
let start = 0
let at = 0

/** Begins a member; one that is begun and not ended is forgotten. What is short needs no look at the room. */
export function beginMember(): void {
  if (written + LEAST_ROOM > page.length) {
    newPage(PAGE_BYTES)
    written = 0
  }
  at = start = written
}

function newPage(bytes: number): void {
  page = Buffer.allocUnsafeSlow(bytes)
  view = new DataView(page.buffer)
}

/** Ends a member. */
export function endMember(): WrittenMember {
  written = at
  return { page, from: start, to: at }
}

/** How many bytes it has so far. */
export function memberLength(): number {
  return at - start
}

/** Takes back what was written after so many bytes. */
export function cutMember(length: number): void {
  at = start + length
}

/** Text that is written often, eight bytes at a time. */
export interface ConstantText {
  readonly length: number
  /** Its bytes, and zeros behind them. No text of ASCII characters reads as a number that is not one (NaN). */
  readonly words: Float64Array
}

/** @param text ASCII, short */
export function constantText(text: string): ConstantText {
  const bytes = new Uint8Array(Math.ceil(text.length / 8) * 8)
  bytes.set(Buffer.from(text, 'latin1'))
  const view = new DataView(bytes.buffer)
  const words = Float64Array.from({ length: bytes.length / 8 }, (_, word) => view.getFloat64(word * 8, true))
  return { length: text.length, words }
}

/** What stands behind it in its last eight bytes is written over by what comes next. */
export function writeConstant({ words, length }: ConstantText): void {
  for (let word = 0; word < words.length; word++) view.setFloat64(at + word * 8, words[word] as number, true)
  at += length
}

/** Writes a text that stands in a header and in a JSON string as it is (isPlain). @returns whether it is one, and short */
export function writePlain(text: string): boolean {
  const { length } = text
  if (length === 0 || length > MOST_PLAIN) return false
  const into = page
  const to = at
  for (let from = 0; from < length; from++) {
    const code = text.charCodeAt(from)
    if (code > 0x7e || IS_PLAIN[code] === 0) return false
    into[to + from] = code
  }
  at += length
  return true
}

/** Writes once more what was written `length` bytes before `end`, counted from where the member begins. */
export function writeAgain(end: number, length: number): void {
  const into = page
  const to = at
  const from = start + end - length
  for (let byte = 0; byte < length; byte++) into[to + byte] = into[from + byte] as number
  at += length
}

/** Writes a whole number from 0. */
export function writeNumber(value: number): void {
  if (value > 0x7fff_ffff) return void writePlain(String(value))
  let size = 1
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) size += 1
  let rest = value | 0
  for (let to = at + size - 1; to >= at; to--) {
    const tenth = (rest / 10) | 0
    page[to] = ZERO + rest - tenth * 10
    rest = tenth
  }
  at += size
}

let lastSecond = Number.NaN
let lastPrefix = constantText('')

/** Writes a time that can be written, as formatTime does. */
export function writeTime(time: number): void {
  const second = Math.floor(time / 1_000)
  if (second !== lastSecond) {
    lastPrefix = constantText(formatTime(second * 1_000).slice(0, 20))
    lastSecond = second
  }
  writeConstant(lastPrefix)
  const ms = Math.floor(time) - second * 1_000
  page[at] = ZERO + ((ms / 100) | 0)
  page[at + 1] = ZERO + (((ms / 10) | 0) % 10)
  page[at + 2] = ZERO + (ms % 10)
  page[at + 3] = LETTER_Z
  at += 4
}

/**
 * Writes data that is one flat object of short ASCII texts and numbers, as that of most outputs is, as JSON.stringify
 * would.
 * @returns false, and nothing written, for any other data, right or wrong
 */
export function writeFlatJson(data: unknown): boolean {
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return false
  for (const _ in NOTHING) return false // somebody has given every object a member
  const from = at
  const limit = page.length - 4 * SHORT
  page[at++] = OPEN
  let which = 0
  for (const name in data) {
    const value: unknown = (data as Record<string, unknown>)[name]
    if (at > limit || !writeName(name, which++)) return giveUp(from)
    if (typeof value === 'string') {
      if (!writeShort(value)) return giveUp(from)
    } else if (typeof value !== 'number' || !writeAnyNumber(value)) return giveUp(from)
  }
  page[at++] = CLOSE
  return true
}

// data of one type has the same names at the same places
const lastNames: string[] = []
const lastWritten: ConstantText[] = []

/** Writes the name of a member, with what comes before and after it. */
function writeName(name: string, which: number): boolean {
  const known = lastWritten[which]
  if (lastNames[which] === name && known !== undefined) {
    writeConstant(known)
    return true
  }
  const from = at
  if (which > 0) page[at++] = COMMA
  if (!writeShort(name)) return false
  page[at++] = 0x3a
  if (which >= MOST_NAMES) return true
  lastNames[which] = name
  lastWritten[which] = constantText(page.toString('latin1', from, at))
  return true
}

function giveUp(from: number): false {
  at = from
  return false
}

function writeAnyNumber(value: number): boolean {
  if ((value | 0) !== value) return Number.isFinite(value) && writePlain(String(value))
  if (value < 0) page[at++] = DASH
  writeNumber(Math.abs(value))
  return true
}

/** A short text in quotes; false when it does not stand in JSON as it is. */
function writeShort(text: string): boolean {
  const { length } = text
  if (length > SHORT) return false
  const into = page
  const to = at + 1
  into[at] = QUOTE
  for (let from = 0; from < length; from++) {
    const code = text.charCodeAt(from)
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false
    into[to + from] = code
  }
  into[to + length] = QUOTE
  at += length + 2
  return true
}

/** Writes any text, as UTF-8. */
export function writeText(text: string): void {
  const most = text.length * 3
  if (at + most + LEAST_ROOM > page.length) {
    const begun = page.subarray(start, at)
    newPage(Math.max(PAGE_BYTES, begun.length + most + LEAST_ROOM))
    page.set(begun, 0)
    at = begun.length
    start = written = 0
  }
  at += page.write(text, at)
}
