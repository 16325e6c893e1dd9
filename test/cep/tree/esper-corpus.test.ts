import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Case } from '../../../conformance/case.ts'
import { compare } from '../../../conformance/compare.ts'
import { runCases } from '../../../conformance/run-cases.ts'
import { multiplies, runTreeCase } from '../../../conformance/tree-case.ts'

const test = suite('esper-corpus')
const file = new URL('../../fixtures/cep/esper-cases.json', import.meta.url)
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[]

test('matches, and the events at which they come, are those of Esper, also with a snapshot after every event', () => {
  assert.is(cases.length, 101)
  const results = runCases(cases, { flinkCompatible: false, snapshots: true })
  assert.equal(
    results.filter(({ verdict }) => verdict !== 'passed'),
    [],
  )
})

test('only trees that multiply may find equal matches more often than the corpus lists them, and five do', () => {
  const results = runCases(cases, { flinkCompatible: false, snapshots: false })
  assert.equal(
    results.filter(({ surplus }) => surplus).map(({ id }) => id),
    ['And#9', 'Or#8', 'Or#9', 'Every#3', 'Every#5'].map((each) => `esper:PatternOperator${each}`),
  )
  assert.is(cases.filter(multiplies).length, 8)
})

test('a tree that multiplies doubles what runs with every coming', () => {
  const or9 = cases.find(({ id }) => id.endsWith('Or#9')) as Case
  const { at } = runTreeCase(or9, { flinkCompatible: false, restoreAfter: () => false })
  const comings = [...new Set(at)].map((index) => at.filter((each) => each === index).length)
  assert.equal(comings, [1, 2, 4, 8, 16, 32])
})

test('a surplus does not hide a match that is missing or one that is not listed', () => {
  const or9 = cases.find(({ id }) => id.endsWith('Or#9')) as Case
  const outcome = runTreeCase(or9, { flinkCompatible: false, restoreAfter: () => false })
  const [first, ...rest] = outcome.matches
  assert.ok(compare(or9, { ...outcome, matches: rest, at: outcome.at.slice(1) }, true).length > 0)
  assert.ok(
    compare(or9, { ...outcome, matches: [...outcome.matches, { ...first, d: ['D9'] }], at: [...outcome.at, 1] }, true)
      .length > 0,
  )
})

test.run()
