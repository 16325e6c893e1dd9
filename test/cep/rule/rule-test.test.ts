import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runRuleTest } from '../../../src/cep/rule/run-rule-test.ts'
import { issuesIn, ruleOf } from './rule-texts.ts'

const test = suite('tests of rules')

const text = (tests: string) => `rule: card-testing
on: PAYMENTS
key: data.cardId
sequence:
  - probe: { event: payment.authorized, where: data.amount < 2, times: 2.. }
  - hit: { event: payment.authorized, where: data.amount > 50 }
within: 10m
skip: past-last
emit: { event: fraud.suspected, severity: high, data: { cardId: key, amount: hit.data.amount, since: first(probe).time } }
tests:
${tests}`
const results = (tests: string) => {
  const rule = ruleOf(text(tests))
  return rule.tests.map((each) => runRuleTest(rule, each))
}

test('a test that holds passes: events at their offsets, what is emitted by its data', () => {
  const [short, full, none] = results(`
  - name: probed and emptied
    given:
      - payment.authorized: { cardId: c1, amount: 1 }
      - +10s payment.authorized: { cardId: c1, amount: 1.5 }
      - { event: payment.authorized, at: +1m, data: { cardId: c1, amount: 60 }, id: big }
    expect:
      - { cardId: c1, amount: 60, since: +0s }
  - name: in full
    given:
      - payment.authorized: { cardId: c1, amount: 1 }
      - +10s payment.authorized: { cardId: c1, amount: 1.5 }
      - +20s payment.authorized: { cardId: c1, amount: 60 }
    expect: { event: fraud.suspected, severity: high, at: +20s, key: c1, data: { amount: 60 } }
  - name: too slow
    given:
      - payment.authorized: { cardId: c1, amount: 1 }
      - +10s payment.authorized: { cardId: c1, amount: 1.5 }
      - +11m payment.authorized: { cardId: c1, amount: 60 }
    expect: none
`)
  for (const result of [short, full, none]) assert.equal([result?.passed, result?.differences], [true, []])
  assert.is(short?.line, 12)
})

test('a test that does not hold says what differed', () => {
  const given = `
    given:
      - payment.authorized: { cardId: c1, amount: 1 }
      - +1s payment.authorized: { cardId: c1, amount: 1 }
      - +2s payment.authorized: { cardId: c1, amount: 60 }`
  const [other, none, more, severity] = results(`
  - name: other${given}
    expect: [{ amount: 61 }]
  - name: none${given}
    expect: none
  - name: more${given}
    expect: [{ amount: 60 }, { amount: 60 }]
  - name: severity${given}
    expect: { event: fraud.suspected, severity: low, at: +3s }
`)
  assert.equal(other?.differences, ['1: data.amount: expected 61, was 60'])
  assert.match(none?.differences[0] ?? '', /^1: not expected: .*"amount":60/)
  assert.match(more?.differences[0] ?? '', /^2: expected .*nothing was emitted/)
  assert.equal(severity?.differences, ['1: severity: expected "low", was "high"', '1: at: expected 3000, was 2000'])
})

test('until lets time pass after the last event, so that what waits for time ends', () => {
  const rule = ruleOf(`rule: unpaid
on: ORDERS
key: data.order
sequence:
  - placed: { event: order.placed }
  - not: { event: order.paid }
within: 1h
emit: { event: order.unpaid, data: { order: key, since: placed.time } }
tests:
  - { name: paid, given: [{ order.placed: { order: o, total: 1 } }, { +5m order.paid: { order: o, amount: 1 } }], until: +2h, expect: none }
  - { name: unpaid, given: [{ order.placed: { order: o, total: 1 } }], until: 2h, expect: { event: order.unpaid, at: +1h, data: { since: +0s } } }
`)
  assert.equal(
    rule.tests.map((each) => runRuleTest(rule, each).differences),
    [[], []],
  )
})

test('mistakes in tests are told with their place when the rule is loaded', () => {
  const cases: [string, RegExp, number][] = [
    ['  - { given: [], expect: none, gven: [] }', /did you mean given/, 11],
    ['  - { expect: none }', /given is missing/, 11],
    ['  - { given: [{ payment.authorised: { cardId: c } }], expect: none }', /did you mean payment.authorized/, 11],
    ['  - given: [{ payment.authorized: { cardId: c } }]\n    expect: none', /amount/, 11],
    ['  - given: []\n    expect: [{ amuont: 3 }]', /did you mean data.amount/, 12],
    ['  - given: []\n    expect: { event: order.paid }', /does not emit order.paid/, 12],
    ['  - given: [{ +soon payment.authorized: { cardId: c, amount: 1 } }]\n    expect: none', /duration/, 11],
    ['  - given: []\n    until: later\n    expect: none', /duration/, 12],
    ['  - given: []\n    expect: some', /expect is none/, 12],
    ['  - given: [nothing]\n    expect: none', /an event is/, 11],
  ]
  for (const [tests, detail, line] of cases) {
    const [issue] = issuesIn(text(tests))
    assert.match(issue?.detail ?? 'nothing', detail, tests)
    assert.is(issue?.line, line, tests)
  }
})

test.run()
