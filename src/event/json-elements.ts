const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const SPACE = 0x20 // and what is below it: no other byte of JSON text is

/** Whether bytes begin as a JSON array does. */
export function beginsArray(bytes: Uint8Array): boolean {
  return bytes[skipSpace(bytes, 0)] === OPEN_ARRAY
}

/**
 * The elements of a JSON array as they stand in its text, without the space around them: numbers keep their digits, and
 * an element that is not JSON leaves the others alone. Undefined when no array is to be found.
 */
export function elementsOf(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const open = skipSpace(bytes, 0)
  if (bytes[open] !== OPEN_ARRAY) return undefined
  const elements: Uint8Array[] = []
  let begin = open + 1
  let depth = 0
  for (let at = begin; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1
    else if (byte === COMMA && depth === 0) {
      elements.push(trimmed(bytes, begin, at))
      begin = at + 1
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth -= 1
      if (depth >= 0) continue
      if (byte !== CLOSE_ARRAY || skipSpace(bytes, at + 1) < bytes.length) return undefined
      const last = trimmed(bytes, begin, at)
      return elements.length === 0 && last.length === 0 ? elements : [...elements, last]
    }
  }
  return undefined
}

/** Where the string that begins at a quotation mark ends. */
function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at += 1
    else if (bytes[at] === QUOTE) return at
  }
  return bytes.length
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && (bytes[at] ?? 0) <= SPACE) at++
  return at
}

function trimmed(bytes: Uint8Array, begin: number, end: number): Uint8Array {
  let last = end
  while (last > begin && (bytes[last - 1] ?? 0) <= SPACE) last--
  return bytes.subarray(Math.min(skipSpace(bytes, begin), last), last)
}
