import { isUtf8 } from 'node:buffer'

/** One line of an input, without its end. */
export type InputLine =
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  /** It cannot be text: `problem` says why. */
  | { readonly kind: 'broken'; readonly number: number; readonly problem: string }

/** A line longer than this is no event: the input is something else. */
const LONGEST = 16 * 1024 * 1024
const NEW_LINE = 0x0a
const RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Splits bytes into numbered lines, from 1, one array for each chunk. Blank lines are counted and left out. */
export async function* readLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<readonly InputLine[]> {
  let rest: Buffer[] = []
  let held = 0
  let number = 0
  for await (const chunk of chunks) {
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: InputLine[] = []
    let from = 0
    for (let end = bytes.indexOf(NEW_LINE); end >= 0; end = bytes.indexOf(NEW_LINE, from)) {
      const piece = bytes.subarray(from, end)
      number += 1
      from = end + 1
      const length = held + piece.length
      const whole = held === 0 ? piece : Buffer.concat([...rest, piece])
      const line = length > LONGEST ? tooLong(number) : lineOf(whole, number)
      if (line !== undefined) lines.push(line)
      rest = []
      held = 0
    }
    if (from < bytes.length) {
      held += bytes.length - from
      // of a line that is too long anyway nothing more is kept
      if (held <= LONGEST) rest.push(Buffer.from(bytes.subarray(from)))
    }
    if (lines.length > 0) yield lines
  }
  if (held === 0) return
  const last = held > LONGEST ? tooLong(number + 1) : lineOf(Buffer.concat(rest), number + 1)
  if (last !== undefined) yield [last]
}

function lineOf(bytes: Buffer, number: number): InputLine | undefined {
  let start = 0
  let end = bytes.length
  if (number === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) start = 3
  if (bytes[end - 1] === RETURN) end -= 1
  const line = bytes.subarray(start, end)
  if (!isUtf8(line)) return { kind: 'broken', number, problem: 'it is not UTF-8' }
  const text = line.toString('utf8')
  return text.trim() === '' ? undefined : { kind: 'line', number, text }
}

function tooLong(number: number): InputLine {
  return { kind: 'broken', number, problem: `it is longer than ${LONGEST / 1024 / 1024} MiB` }
}
