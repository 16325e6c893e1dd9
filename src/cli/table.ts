import { stripVTControlCharacters } from 'node:util'
import type { Output } from './output.js'

export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  readonly value: (row: Row) => string
  /** Cut with … so that the line fits a terminal. At most one column. */
  readonly flexible?: boolean
}

/** Rows under their titles, columns aligned; nothing but text, so that it can be piped on. */
export function printTable<Row>(out: Output, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const cells = rows.map((row) => columns.map(({ value }) => oneLine(value(row))))
  const titles = columns.map(({ title }) => title)
  const widths = titles.map((title, at) => Math.max(width(title), ...cells.map((row) => width(row[at] ?? ''))))
  const flexible = columns.findIndex((column) => column.flexible === true)
  if (flexible >= 0 && out.isTty) {
    const others = widths.reduce((sum, each, at) => sum + (at === flexible ? 0 : each + 2), 0)
    widths[flexible] = Math.max(10, Math.min(widths[flexible] ?? 0, out.columns - others))
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.align ?? 'left'))
      .join('  ')
      .trimEnd()
  out.line(out.style('bold', line(titles)))
  for (const row of cells) out.line(line(row))
}

/** A whole number with separators: 1,234,567. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** A number of things: 1 event, 1,234 events, 2 matches. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** Bytes for a person: 812 B, 3.4 MB. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let scaled = value
  let unit = 0
  while (scaled >= 1_000 && unit < units.length - 1) {
    scaled /= 1_000
    unit += 1
  }
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${units[unit]}`
}

/** How many columns a terminal needs for a text; wide East Asian characters and most emoji take two. */
export function width(text: string): number {
  let columns = 0
  for (const character of stripVTControlCharacters(text)) {
    const code = character.codePointAt(0) ?? 0
    if (/\p{Mark}|\p{Cf}/u.test(character)) continue
    columns += /\p{Emoji_Presentation}/u.test(character) || isWide(code) ? 2 : 1
  }
  return columns
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}

function pad(cell: string, to: number, align: 'left' | 'right'): string {
  const shown = width(cell) > to ? cut(cell, to) : cell
  const space = ' '.repeat(Math.max(0, to - width(shown)))
  return align === 'left' ? shown + space : space + shown
}

function cut(text: string, to: number): string {
  let kept = ''
  for (const character of text) {
    if (width(kept + character) > to - 1) break
    kept += character
  }
  return `${kept}…`
}

/** Control characters in stored data must not reach a terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return text.replace(/\s+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}
