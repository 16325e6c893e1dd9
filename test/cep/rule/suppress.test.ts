import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuleAtWork } from '../../../src/cep/rule/rule-at-work.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'
import { issuesIn, ruleOf } from './rule-texts.ts'

const test = suite('suppress')

const text = (suppress: string) => `rule: large
on: PAYMENTS
key: data.cardId
sequence:
  - pay: { event: payment.authorized, where: data.amount > 10 }
within: 1m
suppress: ${suppress}
emit: { event: fraud.suspected, data: { cardId: key, amount: pay.data.amount } }
`
const pay = (seconds: number, cardId: string, amount = 20): StoredEvent =>
  storedEvent({ type: 'payment.authorized', id: `p${seconds}`, time: seconds * 1_000, data: { cardId, amount } })
const found = (suppress: string, events: StoredEvent[]) =>
  runRule(ruleOf(text(suppress)), events).matches.map(({ first, key }) => `${first.time / 1_000}${key}`)

test('after a match its key is quiet for the cool-down, and then speaks again', () => {
  const events = [pay(0, 'a'), pay(5, 'b'), pay(9, 'a'), pay(10, 'a'), pay(14, 'b'), pay(19, 'a'), pay(20, 'a')]
  assert.equal(found('10s', events), ['0a', '5b', '10a', '20a'])
  assert.equal(found('{ for: 10s }', events), ['0a', '5b', '10a', '20a'])
})

test('max lets that many through in each cool-down', () => {
  const events = [0, 1, 2, 3, 10, 11, 12].map((seconds) => pay(seconds, 'a'))
  assert.equal(found('{ for: 10s, max: 2 }', events), ['0a', '1a', '10a', '11a'])
})

test('by groups matches by what is emitted, across keys', () => {
  const events = [pay(0, 'a', 20), pay(1, 'b', 20), pay(2, 'a', 30), pay(3, 'b', 30), pay(11, 'b', 20)]
  assert.equal(found('{ for: 10s, by: [data.amount] }', events), ['0a', '2a', '11b'])
  assert.equal(found('{ for: 10s, by: [pay.data.amount, key] }', events), ['0a', '1b', '2a', '3b', '11b'])
})

const TOTAL = (suppress: string) => `rule: total
on: PAYMENTS
key: data.cardId
aggregate:
  event: payment.authorized
  window: { tumbling: 10s }
  values: { amount: sum(data.amount) }
  allowedLateness: 1m
suppress: ${suppress}
emit: { event: fraud.suspected, data: { cardId: key, amount: amount, since: window.start } }
`

test('a window that is put right late is a match like others: within the cool-down it is held down, and counted', () => {
  // final 3 at 10; late 11 of the same window, and what follows, are within 30 s of it
  const events = [pay(1, 'a', 1), pay(2, 'a', 2), pay(12, 'a', 4), pay(5, 'a', 8), pay(45, 'a', 16), pay(60, 'a', 0)]
  const told = (suppress: string) => {
    const { matches, stats } = runRule(ruleOf(TOTAL(suppress)), events)
    return { said: matches.map(({ values }) => `${values?.['kind']} ${values?.['amount']}`), ...stats.dropped }
  }
  assert.equal(told('30s'), { said: ['final 3', 'final 16'], suppressed: 2 })
  // by window: the first result of each, and its correction when there is room for two
  assert.equal(told('{ for: 30s, by: [window.start] }').said, ['final 3', 'final 4', 'final 16'])
  assert.equal(told('{ for: 30s, by: [window.start], max: 2 }').said, ['final 3', 'late 11', 'final 4', 'final 16'])
})

test('what is suppressed is counted', () => {
  const { stats } = runRule(ruleOf(text('10s')), [pay(0, 'a'), pay(1, 'a'), pay(2, 'a')])
  assert.is(stats.dropped['suppressed'], 2)
  assert.is(stats.matches, 1)
})

test('a match whose group cannot be told is let through, and the error is counted', () => {
  const rule = ruleOf(text('{ for: 10s, by: [data.since] }'))
  const { matches, stats } = runRule(rule, [pay(0, 'a'), pay(1, 'a')])
  assert.is(matches.length, 2)
  assert.is(stats.evaluationErrors, 2)
  assert.match(stats.errorSamples[0] ?? '', /p0, suppress: .*since/)
})

test('goes on from its state exactly as before, wherever it was taken', () => {
  const events = fc.array(
    fc.record({
      step: fc.integer({ min: 0, max: 8 }),
      card: fc.constantFrom('a', 'b'),
      amount: fc.constantFrom(20, 30),
    }),
    { minLength: 2, maxLength: 20 },
  )
  const by = fc.constantFrom('10s', '{ for: 10s, max: 2 }', '{ for: 7s, by: [data.amount] }')
  fc.assert(
    fc.property(events, by, fc.nat(20), (steps, suppress, cut) => {
      const rule = ruleOf(text(suppress))
      let seconds = 0
      const list = steps.map(({ step, card, amount }) => pay((seconds += step), card, amount))
      let work = new RuleAtWork(rule)
      const live = list.flatMap((event, at) => {
        if (at === cut) work = new RuleAtWork(rule, JSON.parse(JSON.stringify(work.state())))
        return work.take(event).flatMap(({ matches }) => matches.map(({ first }) => first.sequence))
      })
      const whole = runRule(rule, list)
      assert.equal(
        live,
        whole.matches.map(({ first }) => first.sequence),
      )
      assert.equal(work.stats().dropped, whole.stats.dropped)
    }),
    { numRuns: 200 },
  )
})

test('groups that never come back are let go', () => {
  const work = new RuleAtWork(ruleOf(text('10s')))
  for (let at = 0; at < 1_000; at++) work.take(pay(at * 20, `card${at}`))
  assert.ok(JSON.stringify(work.state()).length < 2_000)
})

test('mistakes in suppress are told at their place', () => {
  const cases: [string, RegExp][] = [
    ['{ max: 2 }', /for is missing/],
    ['soon', /duration/],
    ['{ for: 0s }', /more than 0/],
    ['{ for: 10s, max: 0 }', /max is a whole number/],
    ['{ for: 10s, by: [data.amuont] }', /did you mean data.amount/],
    ['{ for: 10s, by: [] }', /empty/],
    ['{ for: 10s, every: 3 }', /suppress has no every/],
  ]
  for (const [suppress, detail] of cases) {
    const [issue] = issuesIn(text(suppress))
    assert.match(issue?.detail ?? 'nothing', detail, suppress)
    assert.is(issue?.line, 7, suppress)
  }
})

test.run()
