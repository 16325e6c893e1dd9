import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** One line of the server's log. */
export interface ServerLogLine {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  readonly text: string
}

const LEVELS: Readonly<Record<string, ServerLogLine['level']>> = {
  TRC: 'trace',
  DBG: 'debug',
  INF: 'info',
  WRN: 'warn',
  ERR: 'error',
  FTL: 'fatal',
}
const LINE = /^\[\d+\] (?:\S+ \S+ )?\[(TRC|DBG|INF|WRN|ERR|FTL)\] (.*)$/
const KEPT = 40

/** Reads a line of nats-server's log. What is not in its form (a panic, a flag error) counts as an error. */
export function parseServerLog(line: string): ServerLogLine {
  const match = LINE.exec(line)
  return match === null
    ? { level: 'error', text: line }
    : { level: LEVELS[match[1] ?? ''] ?? 'info', text: match[2] ?? '' }
}

/** Follows the server's log: hands each line on, and keeps the last ones for an error message. */
export function followServerLog(
  source: Readable,
  onLog: (line: ServerLogLine) => void,
): () => readonly ServerLogLine[] {
  const kept: ServerLogLine[] = []
  createInterface({ input: source, crlfDelay: Infinity }).on('line', (text) => {
    const line = parseServerLog(text)
    kept.push(line)
    if (kept.length > KEPT) kept.shift()
    onLog(line)
  })
  return () => kept
}

/** The lines that say why a server stopped: from the first error on, or else the last few. */
export function reasonIn(lines: readonly ServerLogLine[]): string {
  const first = lines.findIndex(({ level }) => level === 'error' || level === 'fatal')
  const told = first === -1 ? lines.slice(-5) : lines.slice(first, first + 10)
  return told.length === 0 ? 'it wrote no log' : told.map(({ text }) => text).join(' | ')
}
