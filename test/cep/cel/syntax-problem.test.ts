import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileCel } from '../../../src/cep/cel/compile-cel.ts'

const test = suite('mistakes in how an expression is written')

const saidOf = (expression: string): string => {
  const compiled = compileCel(expression, { variables: ['data'], stages: new Map() } as never)
  return compiled.ok ? 'nothing' : (compiled.problems[0]?.detail ?? '')
}

const CASES: readonly (readonly [string, string])[] = [
  ['data.a >', 'the expression ends too early after "data.a >"'],
  ['(data.a > 3', 'the expression ends too early after "(data.a > 3": ) is missing'],
  ['data.', 'the expression ends too early after "data.": a name is missing'],
  ['', 'there is no expression'],
  ['data.a = 3', 'unexpected "=": it cannot come after "data.a"; did you mean ==?'],
  ['data.a > 3 and data.b', 'unexpected "and": it cannot come after "data.a > 3"; did you mean &&?'],
  ['not data.a', 'unexpected "data": it cannot come after "not"; did you mean !?'],
  ['data.a <> 3', 'unexpected ">": it cannot come after "data.a <"; did you mean !=?'],
  ['> 3', 'unexpected ">": the expression cannot begin with it'],
  [`data.${'b'.repeat(40)} +`, `the expression ends too early after "…${'b'.repeat(28)} +"`],
]

for (const [expression, said] of CASES)
  test(`${expression === '' ? 'an empty text' : expression} is told in words, not in tokens`, () => {
    assert.is(saidOf(expression), said)
  })

test.run()
