// What a file has, cut into records. Pure.
import { fault } from '../../error/millrace-error.js'

const [LF, CR, QUOTE] = [10, 13, 34]

/** Where a record ends. @property next where the next one begins @property lines line ends in it, its own among them */
export interface Cut {
  readonly end: number
  readonly next: number
  readonly lines: number
}

/** The first record from `from` on; undefined: it has no end yet. @param quoted line ends within quotes are of the record */
export function cutRecord(bytes: Uint8Array, from: number, quoted: boolean): Cut | undefined {
  let open = false
  let lines = 0
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (quoted && byte === QUOTE) open = !open
    if (byte !== LF) continue
    lines += 1
    if (open) continue
    return { end: at > from && bytes[at - 1] === CR ? at - 1 : at, next: at + 1, lines }
  }
  return undefined
}

/**
 * The fields of a record.
 * Source: RFC 4180.
 * @throws SOURCE_INPUT_INVALID
 */
export function readFields(text: string, separator: string): string[] {
  const fields: string[] = []
  for (let at = 0; ;) {
    let field = ''
    if (text[at] === '"') {
      for (at += 1; ; at++) {
        if (at >= text.length) throw fault('SOURCE_INPUT_INVALID', `field ${fields.length + 1}: its quotes do not end`)
        if (text[at] !== '"') field += text[at]
        else if (text[at + 1] === '"') field += text[(at += 1)]
        else break
      }
      at += 1
      if (at < text.length && text[at] !== separator)
        throw fault('SOURCE_INPUT_INVALID', `field ${fields.length + 1}: something follows its quotes`)
    } else {
      const end = text.indexOf(separator, at)
      field = end === -1 ? text.slice(at) : text.slice(at, end)
      at += field.length
    }
    fields.push(field)
    if (at >= text.length) return fields
    at += 1
  }
}

/** A record by the names of its columns. @throws SOURCE_INPUT_INVALID */
export function readRow(text: string, separator: string, columns: readonly string[]): Record<string, string> {
  const fields = readFields(text, separator)
  if (fields.length !== columns.length)
    throw fault('SOURCE_INPUT_INVALID', `${fields.length} fields, ${columns.length} columns`)
  return Object.fromEntries(columns.map((column, at) => [column, fields[at] ?? '']))
}
