import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fault } from '../src/error/millrace-error.ts'
import type { Window } from './scoring.ts'

export interface Row {
  /** ms; timestamps without a zone are taken as UTC. */
  readonly time: number
  /** NaN where the file has no number. */
  readonly value: number
}

export interface Series {
  /** Path below `data`, with slashes, as the labels name it. */
  readonly name: string
  readonly rows: readonly Row[]
  readonly windows: readonly Window[]
}

const LABELS = 'labels/combined_windows.json'

/**
 * Reads data in NAB's layout: `data/**.csv` (timestamp,value) and the windows in `labels/combined_windows.json`. A file that the labels
 * do not name has no windows.
 * @throws BENCHMARK_UNREADABLE
 */
export function readCorpus(directory: string): Series[] {
  const data = join(directory, 'data')
  const labels = readLabels(join(directory, LABELS))
  const paths = orUnreadable(data, () =>
    readdirSync(data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.csv'))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  if (paths.length === 0) throw fault('BENCHMARK_UNREADABLE', `${data} has no .csv file`)
  return paths.sort().map((path) => {
    const name = relative(data, path).split(sep).join('/')
    const lines = orUnreadable(path, () => readFileSync(path, 'utf8'))
      .trim()
      .split(/\r?\n/)
      .slice(1)
    const rows = lines.map((line, at) => readRow(line, path, at + 2))
    return { name, rows, windows: (labels[name] ?? []).map((limits) => windowOf(limits, rows, name)) }
  })
}

function readRow(line: string, path: string, number: number): Row {
  const [stamp = '', value = ''] = line.split(',')
  const time = timeOf(stamp)
  if (Number.isNaN(time)) throw fault('BENCHMARK_UNREADABLE', `${path}, line ${number}: “${stamp}” is no timestamp`)
  return { time, value: value.trim() === '' ? NaN : Number(value) }
}

function timeOf(stamp: string): number {
  return Date.parse(`${stamp.trim().replace(' ', 'T')}Z`)
}

/** Rows of a window: those with its own timestamps, or the first and last between them. */
function windowOf([start, end]: readonly [string, string], rows: readonly Row[], name: string): Window {
  const [from, to] = [timeOf(start), timeOf(end)]
  const exact = (time: number): number => rows.findIndex((row) => row.time === time)
  const first = exact(from) >= 0 ? exact(from) : rows.findIndex((row) => row.time >= from)
  const last = exact(to) >= 0 ? exact(to) : rows.findLastIndex((row) => row.time <= to)
  if (first < 0 || last < first)
    throw fault('BENCHMARK_UNREADABLE', `${LABELS}: ${name} has no row from ${start} to ${end}`)
  return [first, last]
}

function readLabels(path: string): Record<string, [string, string][]> {
  const parsed: unknown = orUnreadable(path, () => JSON.parse(readFileSync(path, 'utf8')))
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((t) => typeof t === 'string')
  const right =
    typeof parsed === 'object' &&
    parsed !== null &&
    Object.values(parsed).every((windows) => Array.isArray(windows) && windows.every(isPair))
  if (!right) throw fault('BENCHMARK_UNREADABLE', `${path}: expected { file: [[start, end], …] }`)
  return parsed as Record<string, [string, string][]>
}

function orUnreadable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw fault('BENCHMARK_UNREADABLE', `${path}: ${why}`, { cause })
  }
}
