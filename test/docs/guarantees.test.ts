import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkGuarantees, invariantsOf, testNames, updateGuarantees } from '../support/guarantees-document.ts'
import { filesUnder, readText } from '../support/repository.ts'

const test = suite('docs/guarantees.md')

const sources = filesUnder('src', /\.ts$/)
const tests = filesUnder('test', /\.test\.ts$/)

const planted = `# Guarantees

### C1 One promise

- \`test/a.test.ts\` › C1 it's kept

Limits: none.

### Another

Limits: many.

- No test yet.
`
const source = { 'src/a.ts': '// Committer\n//\n// Invariants:\n//   C1  One promise.\n' }
const tested = { 'test/a.test.ts': "test('C1 it\\'s kept', () => {})\ntest('else', () => {})\n" }

test('every promise names a test that exists, every invariant of the source is there', () => {
  assert.equal(
    checkGuarantees(readText('docs/guarantees.md'), sources, tests),
    [],
    'npm run docs brings the lists up to date',
  )
})

test('the invariants of the source and the names of tests were found at all', () => {
  const ids = Object.values(sources).flatMap(invariantsOf)
  assert.ok(ids.length >= 16, `${ids.length} invariants`)
  assert.is(new Set(ids).size, ids.length, 'no number twice')
  assert.ok(Object.values(tests).flatMap(testNames).length > 100)
})

test('a planted document without a fault passes', () => {
  assert.equal(checkGuarantees(planted, source, tested), [])
})

test('a test that is gone or was renamed is reported', () => {
  assert.equal(checkGuarantees(planted, source, { 'test/a.test.ts': "test('otherwise', () => {})\n" }), [
    'C1 One promise: test/a.test.ts has no test "C1 it\'s kept"',
  ])
  assert.equal(checkGuarantees(planted, source, {}), ['C1 One promise: test/a.test.ts has no test "C1 it\'s kept"'])
})

test('an invariant without a promise, and a test that cites one unnamed, are reported', () => {
  const more = { 'src/b.ts': '//   C2  Another promise.\n' }
  assert.equal(checkGuarantees(planted, { ...source, ...more }, tested), ['C2 of src/b.ts is not in the document'])
  const citing = { ...tested, 'test/b.test.ts': "test('C1 C9 under load', () => {})\n" }
  assert.equal(checkGuarantees(planted, source, citing), [
    'C1 One promise: test/b.test.ts "C1 C9 under load" cites it and is not named',
    'test/b.test.ts "C1 C9 under load" cites C9, which is not in the document',
  ])
})

test('a promise without limits, without a test, or with both a test and none is reported', () => {
  assert.equal(checkGuarantees('### A\n\n### B\n\nLimits: some.\n\n- No test yet.\n', {}, {}), [
    'A: no test and no word about it',
    'A: no limits',
  ])
  assert.equal(checkGuarantees(planted.replace('Limits: none.', '- No test yet.\n\nLimits: none.'), source, tested), [
    'C1 One promise: it has a test and says that it has none',
  ])
})

test('the lists of tests are brought up to date, and nothing else is touched', () => {
  assert.is(updateGuarantees(planted, tested), planted)
  const now = { 'test/b.test.ts': "test('C1 under load', () => {})\n" }
  const updated = updateGuarantees(planted, now)
  assert.is(updated, planted.replace("- `test/a.test.ts` › C1 it's kept", '- `test/b.test.ts` › C1 under load'))
  assert.equal(checkGuarantees(updated, source, now), [])
  assert.match(updateGuarantees(planted, {}), '### C1 One promise\n\n- No test yet.\n')
})

test.run()
