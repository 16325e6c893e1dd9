import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileCel } from '../../../src/cep/cel/compile-cel.ts'
import { Slots } from '../../../src/cep/cel/slots.ts'

const test = suite('condition-facts')

function facts(expression: string) {
  const compiled = compileCel(expression, {
    variables: ['data', 'type', 'id', 'time', 'key'],
    stages: new Map(),
    slots: new Slots(),
    fieldProblem: () => undefined,
  })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
  return compiled.facts
}
const equals = (expression: string) => facts(expression).equals.map(({ path, values }) => [path.join('.'), ...values])

test('expressions that say the same in the same order have one text, whatever their spaces, quotes and brackets', () => {
  assert.is(facts(`data.c == "se" && (data.n < 10)`).text, facts(`data.c=='se'&&data.n<10`).text)
  const others = ['data.n < 10', 'data.n < 10.0', `data.n < '10'`, 'data.n <= 10', 'data.m < 10', `data.n < -10`]
  others.push(`data["n"] < 10`, `type == 'n'`, `key == 'n'`, `data.l.exists(n, n > 1)`, `data.l.exists(n, n > 2)`)
  assert.is(new Set(others.map((each) => facts(each).text)).size, others.length)
})

test('constants that an event must have are found where nothing else can make the condition true', () => {
  assert.equal(equals(`data.c == 'se' && data.n > 1`), [['c', 'se']])
  assert.equal(equals(`data.n > 1 && (5 == data.a.b && data.ok == true)`), [
    ['a.b', 5],
    ['ok', true],
  ])
  assert.equal(equals(`data.c in ['se', 'no']`), [['c', 'se', 'no']])
  for (const none of [`data.c == 'se' || data.n > 1`, `!(data.c == 'se')`, `data.c != 'se'`, `data.c == data.d`])
    assert.equal(equals(none), [], none)
  assert.equal(equals(`type == 'x' && data.c in ['se', data.d] && data.c == null`), [])
})

test('limits that a number must keep are found likewise, from either side', () => {
  const limits = (expression: string) =>
    facts(expression).thresholds.map(({ path, above, limit }) => [path.join('.'), above ? 'from' : 'to', limit])
  assert.equal(limits('data.n > 5 && data.a.b <= 2.5'), [
    ['n', 'from', 5],
    ['a.b', 'to', 2.5],
  ])
  assert.equal(limits('5 > data.n && 1 <= data.n'), [
    ['n', 'to', 5],
    ['n', 'from', 1],
  ])
  for (const none of [`data.n > 5 || data.m > 1`, `data.c < 'x'`, 'data.n > data.m', '!(data.n > 5)'])
    assert.equal(limits(none), [], none)
})

test.run()
