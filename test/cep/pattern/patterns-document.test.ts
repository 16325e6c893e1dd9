import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readText } from '../../support/repository.ts'
import { readExamples, runExample } from './documented-examples.ts'

const test = suite('docs/patterns.md')
const examples = readExamples(readText('docs/patterns.md'))

test('its tables are found', () => {
  assert.ok(examples.length >= 60, `${examples.length} rows`)
})

test('what its tables say is what the engine finds', () => {
  for (const example of examples) {
    const { matches, timeouts } = runExample(example)
    const said = (column: string) => example.cells[column]?.replaceAll('`', '')
    assert.is(said('matches'), matches, `line ${example.line}: ${example.code}`)
    if (said('timeouts') !== undefined) assert.is(said('timeouts'), timeouts, `line ${example.line}: ${example.code}`)
  }
})

test('a table that says otherwise would be noticed', () => {
  const [first] = readExamples("| pattern | matches over `a1 b1` |\n|---|---|\n| `.begin('a', 'a')` | `{b1}` |")
  assert.is(first?.cells['matches'], '`{b1}`')
  assert.is(runExample(first as NonNullable<typeof first>).matches, '{a1}')
})

test.run()
