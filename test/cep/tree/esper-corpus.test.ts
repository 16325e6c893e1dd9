import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expectedOf, multiplies, runCase, type TreeCase } from './tree-case.ts'

const test = suite('esper-corpus')
const file = new URL('../../fixtures/cep/esper-cases.json', import.meta.url)
const cases = (JSON.parse(readFileSync(file, 'utf8')) as TreeCase[]).filter(({ kind }) => kind === 'tree')

test('matches, and the events at which they come, are those of Esper', () => {
  assert.is(cases.length, 98)
  for (const c of cases.filter((each) => !multiplies(each.tree)))
    assert.equal(runCase(c), expectedOf(c), `${c.id} ${c.text}`)
})

test('trees that multiply find what Esper finds, and as often as the case says or more often', () => {
  const multiplying = cases.filter((each) => multiplies(each.tree))
  assert.is(multiplying.length, 6)
  for (const c of multiplying) {
    const rest = runCase(c)
    assert.equal(new Set(rest), new Set(expectedOf(c)), c.id)
    for (const match of expectedOf(c)) {
      assert.ok(rest.includes(match), `${c.id} ${match}`)
      rest.splice(rest.indexOf(match), 1)
    }
  }
})

test('a snapshot and restore after every event changes nothing', () => {
  for (const c of cases) assert.equal(runCase(c, true), runCase(c), c.id)
})

test.run()
