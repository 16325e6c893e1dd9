import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('conformance')
const directory = mkdtempSync(join(tmpdir(), 'conformance-'))
test.after(() => rmSync(directory, { recursive: true, force: true }))

const CASE = {
  id: 'one',
  pattern: {
    stages: [
      { name: 'a', where: { eq: ['name', 'a'] } },
      { name: 'b', contiguity: 'relaxed', where: { eq: ['name', 'b'] } },
    ],
    within: 10,
  },
  skip: { type: 'none' },
  events: [
    { id: 'e1', ts: 1, name: 'a', price: 1 },
    { id: 'e2', ts: 2, name: 'a', price: 1 },
    { id: 'e3', ts: 3, name: 'b', price: 1 },
    { wm: 20 },
  ],
  expected: [
    { a: ['e1'], b: ['e3'] },
    { b: ['e3'], a: ['e2'] },
  ],
  at: [2, 2],
  expectedTimeouts: [],
}

function run(cases: unknown, ...flags: string[]) {
  const file = join(directory, 'cases.json')
  writeFileSync(file, typeof cases === 'string' ? cases : JSON.stringify(cases))
  const main = fileURLToPath(new URL('../conformance/main.ts', import.meta.url))
  const loader = new URL('../src/runtime/load-typescript.js', import.meta.url).href
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', loader, main, ...flags, file], {
    encoding: 'utf8',
  })
  return { status, lines: stdout.trimEnd().split('\n'), stderr }
}

test('cases that pass, and those that are quirks and were not asked for, are counted on lines of their own', () => {
  const { status, lines } = run([CASE, { ...CASE, id: 'two', quirks: ['holdback'], expected: [], at: [] }])
  assert.equal(lines, ['1 skipped: quirks of Flink, which --flink-compatible turns on', '1 passed, 0 failed'])
  assert.is(status, 0)
})

test('a failure is told with its id, what is missing and what is extra; the last line counts; the exit code is 1', () => {
  const wrong = { ...CASE, id: 'wrong', expected: [{ a: ['e1'], b: ['e3'] }, { a: ['e9'] }] }
  const elsewhere = { ...CASE, id: 'elsewhere', at: [2, 3] }
  const late = { ...CASE, id: 'late', expectedTimeouts: [{ match: { a: ['e1'] }, ts: 11 }] }
  const accepted = { ...CASE, id: 'accepted', expectError: { phase: 'compile' } }
  const { status, lines } = run([wrong, elsewhere, late, accepted, CASE], '--flink-compatible', '--snapshots')
  assert.is(status, 1)
  assert.is(lines.at(-1), '1 passed, 4 failed')
  const text = lines.join('\n')
  assert.match(text, /FAIL wrong\n {2}matches: missing \{a: e9\}, extra \{a: e2, b: e3\}\n/)
  assert.match(text, /FAIL elsewhere\n {2}entries: missing \{a: e2, b: e3\} #3, extra \{a: e2, b: e3\} #2\n/)
  assert.match(text, /FAIL late\n {2}timeouts: missing \{a: e1\} at 11, extra none\n/)
  assert.match(text, /FAIL accepted\n {2}expected an error when compiled\n/)
})

test('what cannot be read is a coded error and exit code 2', () => {
  for (const [cases, message] of [
    ['{', /^CASES_UNREADABLE: .*cases\.json: /],
    [{ no: 'array' }, /not an array of cases/],
    [[{ id: 'x' }], /case 0: x has no events/],
    [[{ id: 'x', events: [], expected: [] }], /x has no pattern/],
  ] as const) {
    const { status, stderr } = run(cases)
    assert.is(status, 2)
    assert.match(stderr, message)
  }
  const { status, stderr } = run([CASE], '--unknown')
  assert.equal([status, stderr.includes('usage: ')], [2, true])
})

test.run()
