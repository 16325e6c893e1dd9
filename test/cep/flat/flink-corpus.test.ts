import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Case } from '../../../conformance/case.ts'
import { runCases } from '../../../conformance/run-cases.ts'

const test = suite('flink-corpus')

for (const [name, count, asDefault] of [
  ['flink-cases', 165, 149],
  ['flink-fuzz-cases', 507, 492],
] as const) {
  const file = new URL(`../../fixtures/cep/${name}.json`, import.meta.url)
  const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[]

  test(`${name}: as Flink, everything is exactly what Flink's NFA finds, also after a restore at every event`, () => {
    assert.is(cases.length, count)
    const results = runCases(cases, { flinkCompatible: true, snapshots: true })
    for (const { id, wrong } of results) assert.equal(wrong, [], id)
    assert.is(results.filter(({ verdict }) => verdict === 'passed').length, count)
  })

  test(`${name}: by default, what Flink finds is found wherever it is not a quirk, also after a restore at every event`, () => {
    const results = runCases(cases, { flinkCompatible: false, snapshots: true })
    for (const { id, wrong } of results) assert.equal(wrong, [], id)
    assert.is(results.filter(({ verdict }) => verdict === 'passed').length, asDefault)
  })
}

test.run()
