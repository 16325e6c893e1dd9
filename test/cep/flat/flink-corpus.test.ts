import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { expectedOf, readPattern, runCase, type FlinkCase } from './flink-case.ts'

const test = suite('flink-corpus')

for (const [name, count] of [
  ['flink-cases', 130],
  ['flink-fuzz-cases', 420],
] as const) {
  const file = new URL(`../../fixtures/cep/${name}.json`, import.meta.url)
  const cases = JSON.parse(readFileSync(file, 'utf8')) as FlinkCase[]

  test(`${name}: matches, the events that complete them, timeouts and late events are those of Flink`, () => {
    assert.is(cases.length, count)
    for (const c of cases.filter((each) => each.expectError === undefined)) {
      const outcome = runCase(c)
      for (const [what, expected] of Object.entries(expectedOf(c)))
        assert.equal(outcome[what as keyof typeof outcome], expected, `${c.id} ${what}`)
    }
  })

  test(`${name}: patterns that Flink rejects are rejected`, () => {
    const rejected = cases.filter((each) => each.expectError !== undefined)
    assert.ok(rejected.length > 0)
    for (const c of rejected)
      assert.throws(
        () => compilePattern(readPattern(c)),
        (e: unknown) => isFault(e, 'PATTERN_INVALID'),
        c.id,
      )
  })

  test(`${name}: a snapshot and restore after every event changes nothing`, () => {
    for (const c of cases.filter((each) => each.expectError === undefined))
      assert.equal(
        runCase(c, () => true),
        runCase(c),
        c.id,
      )
  })
}

test.run()
