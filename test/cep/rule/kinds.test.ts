import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runRuleTest } from '../../../src/cep/rule/run-rule-test.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import { storedEvent } from '../stored-event.ts'
import { issuesIn, ruleOf } from './rule-texts.ts'
import { SAMPLES } from './sample-rules.ts'

const test = suite('kinds of rules')

test('the tests of every sample hold', () => {
  for (const [name, text] of Object.entries(SAMPLES)) {
    const rule = ruleOf(text)
    for (const each of rule.tests) assert.equal(runRuleTest(rule, each).differences, [], `${name}: ${each.name}`)
  }
})

/** Each change of a right rule, with what must be said about it. */
function assertTold(text: string, cases: [from: string, to: string, detail: RegExp][]): void {
  assert.equal(issuesIn(text), [])
  for (const [from, to, detail] of cases) {
    const changed = text.replace(from, () => to)
    assert.is.not(changed, text, from)
    const told = issuesIn(changed).map((issue) => `${issue.line}:${issue.column} ${issue.detail}`)
    assert.ok(
      told.some((line) => detail.test(line)),
      `${to}: ${JSON.stringify(told)}`,
    )
  }
}

test('an aggregate is checked: windows, functions, their arguments, and what results are used for', () => {
  assertTold(SAMPLES.aggregate, [
    ['sliding: 10m, step: 1m', 'slidng: 10m', /7:13 window has no slidng; did you mean sliding/],
    ['sliding: 10m, step: 1m', 'sliding: 10m', /step is missing/],
    ['sliding: 10m, step: 1m', 'tumbling: 10m, step: 1m', /step means nothing with tumbling/],
    ['sliding: 10m, step: 1m', 'sliding: 10m, session: 1m', /one of tumbling, sliding and session/],
    ['sliding: 10m, step: 1m', 'sliding: 10d, step: 1ms', /windows at one time/],
    ['sum(data.amount)', 'summ(data.amount)', /9:12 there is no summ; did you mean sum/],
    ['sum(data.amount)', 'sum(data.amuont)', /9:21 .*did you mean data.amount/],
    ['sum(data.amount)', 'sum(data.cardId)', /9:16 sum of string/],
    ['sum(data.amount)', 'sum()', /takes a value/],
    ['sum(data.amount)', 'data.amount', /name\(/],
    ['sum(data.amount)', 'sum(data.amount', /9:\d+ /],
    ['0.99)', '99)', /12:32 quantile takes a value and a number from 0 to 1/],
    ['topK(data.channel, 2)', 'topK(data.channel)', /topK takes a value and how many/],
    ['spread: std', 'window: std', /cannot be called window/],
    ['having: total > 100', "having: total > 'x'", /number or null > string/],
    ['having: total > 100', 'having: totl > 100', /did you mean total/],
    ['amount: total', 'amount: totals', /did you mean total/],
    ['amount: total', 'amount: channels', /is number, and this gives list/],
    ['every: 30s', 'every: sometimes', /duration/],
    ['  window: { sliding: 10m, step: 1m }\n', '', /window is missing/],
    ['on: PAYMENTS', 'on: PAYMENTS\nwithin: 3m', /within means nothing with aggregate/],
  ])
})

test('a correlation is checked: sides, keys, conditions on other sides, outcomes', () => {
  assertTold(SAMPLES.correlate, [
    ['event: order.placed', 'event: order.plaecd', /5:21 .*did you mean order.placed/],
    ['key: data.order }', 'key: data.ordr }', /did you mean data.order/],
    [', key: data.order }', ' }', /each side needs a key/],
    ['order.data.total', 'ordr.data.total', /did you mean order/],
    ['[missing, partial]', '[mising]', /did you mean missing/],
    ['within: 1h\n', '', /within is missing/],
    ['completes: soonest', 'completes: later', /soonest, end/],
    ["outcome == 'missing'", 'outcome == 3', /never equal/],
    ['since: order.time', 'since: outcome', /is number, and this gives string/],
    ['    payment: {', '    #payment: {', /two sides at least/],
    ['duplicates: first', 'duplicates: first\n  gap: { from: 0s, to: 1m }', /means nothing with gap/],
  ])
  assertTold(SAMPLES.join, [
    ['from: -5s', 'from: soon', /duration/],
    ['from: -5s', 'from: 20m', /lower is above upper/],
    ['outer: placed', 'outer: place', /did you mean placed/],
    ['paid.data.amount ==', 'paid.data.amuont ==', /did you mean data.amount/],
    [', to: 10m', '', /to is missing/],
  ])
})

test('a pattern is checked: operators, tags, durations, and state that nothing bounds', () => {
  assertTold(SAMPLES.pattern, [
    ['interval: 30m', 'intervall: 30m', /9:13 there is no intervall; did you mean interval/],
    ['interval: 30m', 'interval: never', /9:23 .*duration/],
    ['placed: { event: order.placed', 'placed: { event: order.plaecd', /7:\d+ .*did you mean order.placed/],
    ['placed.data.total', 'place.data.total', /did you mean placed/],
    ['placed: {', 'data: {', /a tag cannot be called data/],
    ['      - placed: { event: order.placed, where: data.total > 1 }\n', '      - {}\n', /nothing is named/],
    ['          - not:', '            not:', /./],
    ['    seq:', '    - seq:', /mapping/],
  ])
  assertTold(SAMPLES.every, [
    ['times: 3', 'time: 3', /did you mean times/],
    ['end: { event: card.verified }, ', '', /until: end is missing/],
    ['min: 2', 'min: 9', /min/],
    [', for: 10s', '', /within: for is missing/],
    ['every:\n', 'every:\n  and: []\n', /side by side/],
  ])
})

test('a detector is checked: its name, its options, what it reads and what is emitted', () => {
  assertTold(SAMPLES.detect, [
    ['{ threshold: {', '{ treshold: {', /8:15 there is no detector treshold; did you mean threshold/],
    ['clearAbove: 80', 'clearAbov: 80', /did you mean clearAbove/],
    ['clearAbove: 80', 'clearAbove: high', /is a number/],
    ['{ threshold: { above: 90, clearAbove: 80 } }', 'threshold', /8:13 /],
    ['value: data.value\n', 'value: data.machine\n', /is a number, and this gives string/],
    ['value: data.value\n', 'value: data.valeu\n', /did you mean data.value/],
    ['side: above', 'side: over', /both, above, below/],
    ['coolDown: 1m', 'coolDown: long', /duration/],
    ['event.data.machine', 'event.data.machin', /did you mean data.machine/],
    ['score: score', 'score: scroe', /did you mean score/],
    ['score: score', 'score: direction', /is number, and this gives string/],
    ['keys: 500', 'key: 500', /did you mean keys/],
  ])
  assertTold(SAMPLES.heartbeat, [['every: 1m', 'every: 1 minute', /duration/]])
})

test('names that expressions have another use for are refused wherever a name is given', () => {
  for (const name of ['data', 'type', 'int', 'map', 'google', 'optional', 'null', 'in', 'constructor', '__proto__'])
    for (const kind of ['sequence', 'pattern', 'correlate', 'aggregate'] as const) {
      const text = SAMPLES[kind].replaceAll(/\b(?:probe|placed|order|total)(?=:)/g, name)
      assert.is.not(text, SAMPLES[kind])
      const issues = issuesIn(text)
      if (name === 'constructor') continue // a name like any other
      assert.ok(issues.length > 0, `${name} in ${kind}`)
    }
})

test('a join finds pairs, and with outer what has none', () => {
  const rule = ruleOf(SAMPLES.join)
  const placed = (time: number, total: number) =>
    storedEvent({ type: 'order.placed', id: `o${time}`, time, data: { order: 'a', total } })
  const paid = (time: number, amount: number) =>
    storedEvent({ type: 'order.paid', id: `p${time}`, time, data: { order: 'a', amount } })
  const { matches } = runRule(rule, [placed(0, 5), placed(1, 7), paid(60_000, 5)], 3_600_000)
  assert.equal(
    matches.map((match) => [match.first.id, rule.emit(match).data]),
    [
      ['o0', { order: 'a', since: 60_000 }],
      ['o1', { order: 'a', since: 1 }],
    ],
  )
})

test('a correlation by cause needs no key', () => {
  const rule = ruleOf(`rule: caused
on: ORDERS
correlate:
  sides: { order: { event: order.placed }, payment: { event: order.paid, starts: false } }
  by: cause
within: 1h
emit: { event: order.unpaid, data: { order: order.id, since: payment.time } }
`)
  const order = storedEvent({ type: 'order.placed', id: 'o', time: 0, data: { order: 'a', total: 1 } })
  const other = storedEvent({ type: 'order.paid', id: 'x', time: 1, data: { order: 'a', amount: 1 } })
  const payment = { ...other, id: 'p', time: 2, causationId: 'o' }
  const { matches } = runRule(rule, [order, other, payment])
  assert.equal(
    matches.map((match) => rule.emit(match).data),
    [{ order: 'o', since: 2 }],
  )
})

test.run()
