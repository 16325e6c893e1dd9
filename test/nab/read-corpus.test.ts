import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCorpus } from '../../nab/read-corpus.ts'
import { MillraceError } from '../../src/error/millrace-error.ts'
import { atEnd } from '../support/cleanup.ts'

const test = suite('reading NAB data')

function corpus(files: Record<string, string>, labels: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'nab-'))
  atEnd(() => rmSync(directory, { recursive: true }))
  for (const [name, text] of Object.entries({ ...prefixed(files), 'labels/combined_windows.json': labels })) {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

const prefixed = (files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`data/${name}`, text]))

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof MillraceError) return `${error.code} ${error.detail}`
    throw error
  }
  return 'none'
}

const ROWS = 'timestamp,value\r\n2014-01-01 00:00:00,1\r\n2014-01-01 00:05:00,\r\n2014-01-01 00:10:00,3.5\r\n'

test('reads files in folders of any depth, rows of any line end, windows by timestamp; what is no number is NaN', () => {
  const directory = corpus(
    { 'a/b/x.csv': ROWS, 'y.csv': ROWS },
    '{"a/b/x.csv":[["2014-01-01 00:05:00.000000","2014-01-01 00:10:00.000000"]]}',
  )
  const [x, y] = readCorpus(directory)
  assert.is(x?.name, 'a/b/x.csv')
  assert.equal(x?.windows, [[1, 2]])
  assert.equal(
    x?.rows.map((row) => row.value),
    [1, NaN, 3.5],
  )
  assert.is(x?.rows[1]?.time, Date.UTC(2014, 0, 1, 0, 5))
  assert.equal(y?.windows, [])
})

test('what cannot be read is told by code, with the file, the line and what is wrong', () => {
  assert.match(
    codeOf(() => readCorpus('/nowhere')),
    /^BENCHMARK_UNREADABLE .*combined_windows.json: ENOENT/,
  )
  assert.match(
    codeOf(() => readCorpus(corpus({ 'x.csv': ROWS }, '[1]'))),
    /expected \{ file: \[\[start, end\]/,
  )
  assert.match(
    codeOf(() => readCorpus(corpus({ 'x.txt': ROWS }, '{}'))),
    /no \.csv file/,
  )
  assert.match(
    codeOf(() => readCorpus(corpus({ 'x.csv': 'h\nnever,1' }, '{}'))),
    /x\.csv, line 2: “never” is no timestamp/,
  )
  assert.match(
    codeOf(() => readCorpus(corpus({ 'x.csv': ROWS }, '{"x.csv":[["2015-01-01 00:00:00","2015-01-02 00:00:00"]]}'))),
    /x\.csv has no row from/,
  )
})

test.run()
