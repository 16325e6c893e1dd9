import type { AsciiMessage } from './wire.js'

// Header blocks of one program are alike: the same names in the same order. What lies between two values is compared
// byte by byte, which takes a third of the time of reading line by line.

/** A value of a header block, and what comes before it. */
interface Gap {
  readonly before: Uint8Array
  /** Where the value belongs. */
  readonly field: number
  /** Whether it is the same in many messages: then it stays the same string, whose hash is known. */
  readonly repeated: boolean
  last: string
}

/** A header block with gaps where its values are. */
interface Layout {
  readonly gaps: readonly Gap[]
  readonly end: Uint8Array
  /** What the text between the gaps says. */
  readonly constants: readonly (readonly [field: number, value: string])[]
}

/** What becomes of the value of a header. */
export type HeaderUse =
  | { readonly kind: 'skip' }
  | { readonly kind: 'value'; readonly field: number; readonly repeated: boolean }
  | { readonly kind: 'constant'; readonly field: number }

const SKIPPED = -1
const [CR, SPACE, PERCENT, QUOTE] = [0x0d, 0x20, 0x25, 0x22]
const MOST_LAYOUTS = 8
const MOST_LINES = 20
// the one that matched last comes first
const layouts: Layout[] = []
const LEARN_EVERY = 16
let misses = 0

/**
 * Reads a header block by one of the layouts that were learned.
 * @param into takes the values by their fields; worth nothing when the block is not read
 * @returns whether a layout fits, and each value has at least one character, no space around it and nothing escaped
 */
export function readKnownLayout(message: AsciiMessage, into: (string | undefined)[]): boolean {
  for (let which = 0; which < layouts.length; which++) {
    into.fill(undefined)
    const layout = layouts[which] as Layout
    if (!fits(layout, message, into)) continue
    if (which > 0) layouts.splice(0, 0, ...layouts.splice(which, 1))
    return true
  }
  return false
}

function fits({ gaps, end, constants }: Layout, message: AsciiMessage, into: (string | undefined)[]): boolean {
  const { bytes, from: origin, text, headers } = message
  const limit = origin + headers
  let at = origin
  for (const gap of gaps) {
    if (!standsAt(gap.before, bytes, at)) return false
    const from = at + gap.before.length
    at = endOfValue(bytes, from, limit, gap.field !== SKIPPED)
    if (at < 0) return false
    if (gap.field === SKIPPED) continue
    if (!gap.repeated) into[gap.field] = text.slice(from - origin, at - origin)
    else if (isAt(gap.last, bytes, from, at)) into[gap.field] = gap.last
    else into[gap.field] = gap.last = text.slice(from - origin, at - origin)
  }
  if (at + end.length !== limit || !standsAt(end, bytes, at)) return false
  for (const [field, value] of constants) into[field] = value
  return true
}

function standsAt(literal: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < literal.length; index++) if (bytes[at + index] !== literal[index]) return false
  return true
}

function isAt(value: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (value.length !== to - from) return false
  for (let index = 0; index < value.length; index++) if (bytes[from + index] !== value.charCodeAt(index)) return false
  return true
}

/** @returns -1 when the value has to be looked at more closely */
function endOfValue(bytes: Uint8Array, from: number, limit: number, closely: boolean): number {
  let at = from
  for (; at < limit; at++) {
    const byte = bytes[at]
    if (byte === CR) break
    if (closely && (byte === PERCENT || byte === QUOTE)) return -1
  }
  if (!closely) return at
  return at === from || (bytes[from] ?? 0) <= SPACE || (bytes[at - 1] ?? 0) <= SPACE ? -1 : at
}

/** @param block of a message that was read, with no header twice */
export function learnLayout(block: string, useOf: (name: string, value: string) => HeaderUse): void {
  // where there are more layouts than places, learning all the time would cost more than it saves
  if (layouts.length === MOST_LAYOUTS && (misses = (misses + 1) % LEARN_EVERY) > 0) return
  const lines = block.split('\r\n')
  if (lines.length > MOST_LINES || lines.slice(-2).join('') !== '') return
  const gaps: Gap[] = []
  const constants: (readonly [number, string])[] = []
  let literal = lines[0] ?? ''
  for (const line of lines.slice(1, -2)) {
    const valueAt = line.indexOf(': ') + 2
    if (valueAt < 2) return
    const value = line.slice(valueAt)
    const use = useOf(line.slice(0, valueAt - 2), value)
    literal += `\r\n${line.slice(0, valueAt)}`
    if (use.kind === 'constant') {
      constants.push([use.field, value])
      literal += value
      continue
    }
    const { field, repeated } = use.kind === 'value' ? use : { field: SKIPPED, repeated: false }
    gaps.push({ before: Buffer.from(literal), field, repeated, last: '' })
    literal = ''
  }
  layouts.unshift({ gaps, end: Buffer.from(`${literal}\r\n\r\n`), constants })
  layouts.length = Math.min(layouts.length, MOST_LAYOUTS)
}
