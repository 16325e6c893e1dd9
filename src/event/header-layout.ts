import { ByteLiteral, viewOf } from './byte-literal.js'
import { KnownValues } from './known-values.js'
import type { AsciiMessage } from './wire.js'

// Header blocks of one program are alike: the same names in the same order. What lies between two values is compared
// as bytes, and so is a value that was the same in the last message: a fifth of the time of reading line by line.

/** A value of a header block, and what comes before it. */
interface Gap {
  readonly before: ByteLiteral
  /** Where the value belongs. */
  readonly field: number
  /** Values of before, where it is the same in many messages. */
  readonly known: KnownValues | undefined
}

/** A header block with gaps where its values are. */
interface Layout {
  readonly gaps: readonly Gap[]
  readonly end: ByteLiteral
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
    for (let at = 0; at < into.length; at++) into[at] = undefined // `fill` takes longer for so few
    const layout = layouts[which] as Layout
    if (!fits(layout, message, into)) continue
    if (which > 0) layouts.splice(0, 0, ...layouts.splice(which, 1))
    return true
  }
  return false
}

function fits({ gaps, end, constants }: Layout, message: AsciiMessage, into: (string | undefined)[]): boolean {
  const { bytes, from: origin, text, headers } = message
  const view = viewOf(bytes)
  const limit = origin + headers
  let at = origin
  for (const gap of gaps) {
    const { before, field, known } = gap
    if (!before.isAt(view, at, limit)) return false
    const from = at + before.length
    const again = known?.at(view, from, limit)
    if (again !== undefined) {
      into[field] = again
      at = from + again.length
      continue
    }
    at = endOfValue(bytes, from, limit, field !== SKIPPED)
    if (at < 0) return false
    if (field === SKIPPED) continue
    const value = (into[field] = text.slice(from - origin, at - origin))
    known?.add(value)
  }
  if (at + end.length !== limit || !end.isAt(view, at, limit)) return false
  for (const [field, value] of constants) into[field] = value
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
    gaps.push({ before: new ByteLiteral(literal), field, known: repeated ? new KnownValues() : undefined })
    literal = ''
  }
  layouts.unshift({ gaps, end: new ByteLiteral(`${literal}\r\n\r\n`), constants })
  layouts.length = Math.min(layouts.length, MOST_LAYOUTS)
}
