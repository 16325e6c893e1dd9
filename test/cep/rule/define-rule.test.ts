import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pattern } from '../../../src/cep/pattern/pattern-builder.ts'
import { defineRule } from '../../../src/cep/rule/define-rule.ts'
import { runRuleTest } from '../../../src/cep/rule/run-rule-test.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { storedEvent } from '../stored-event.ts'
import { z } from 'zod'
import { defineEvent } from '../../../src/event/contract.ts'
import { ruleOf } from './rule-texts.ts'
import { SAMPLES } from './sample-rules.ts'

const test = suite('rules in TypeScript')

const Payment = defineEvent('payment.authorized', { data: z.object({ cardId: z.string(), amount: z.number() }) })
const Verified = defineEvent('card.verified', { data: z.object({ cardId: z.string() }) })
const Fraud = defineEvent('fraud.suspected', { data: z.object({ cardId: z.string(), amount: z.number() }) })

const cardTesting = defineRule({
  name: 'card-testing',
  on: 'PAYMENTS',
  key: (event) => (event.data as { cardId?: string }).cardId,
  find: pattern()
    .begin('probe', Payment, (e) => e.data.amount < 2)
    .times(3, null)
    .notFollowedBy('verified', Verified)
    .followedBy('hit', Payment, (e, { probe }) => e.data.amount > 50 * (probe.avg('amount') ?? Infinity))
    .within('10m')
    .skip('past-last')
    .compile(),
  emit: {
    event: Fraud,
    severity: 'high',
    data: ({ key, stages: { hit } }) => ({ cardId: key, amount: hit.data.amount }),
  },
  suppress: { for: '1h', by: (_, data) => data },
  tests: [
    {
      name: 'probed and emptied',
      given: [
        ...[1, 1, 1].map((amount) => Payment({ cardId: 'c', amount })),
        { at: '+10s', event: Payment({ cardId: 'c', amount: 60 }) },
      ],
      expect: [{ at: 10_000, data: { amount: 60 } }],
    },
    { name: 'nothing', given: [], expect: 'none' },
  ],
})

test('is a rule as one from a file is, and finds the same', () => {
  const events = [1, 1.5, 20, 0.5, 49, 60, 60, 70].map((amount, at) =>
    storedEvent({ type: 'payment.authorized', id: `p${at}`, time: at, data: { cardId: 'c', amount } }),
  )
  const [code, file] = [cardTesting, ruleOf(SAMPLES.sequence)]
  const emitted = (rule: typeof code) => runRule(rule, events).matches.map((match) => rule.emit(match))
  assert.ok(emitted(code).length > 0)
  assert.equal(emitted(code), emitted(file))
  assert.equal([...code.eventTypes].sort(), [...file.eventTypes].sort())
  assert.is(code.kind, 'sequence')
})

test('its tests run as those in a file do', () => {
  for (const each of cardTesting.tests) assert.equal(runRuleTest(cardTesting, each).differences, [], each.name)
})

test('other engines are given their options', () => {
  const rule = defineRule({
    name: 'hot',
    on: 'PAYMENTS',
    key: () => 'all',
    find: {
      correlate: { sides: { a: { events: ['payment.authorized'] }, b: { events: ['card.verified'] } }, within: '1m' },
    },
    emit: { event: Fraud, data: ({ values }) => ({ cardId: String(values?.['outcome']), amount: 1 }) },
  })
  const run = runRule(rule, [
    storedEvent({ type: 'card.verified', time: 1 }),
    storedEvent({ type: 'payment.authorized', time: 2 }),
  ])
  assert.equal(
    run.matches.map((match) => rule.emit(match).data),
    [{ cardId: 'complete', amount: 1 }],
  )
})

test('a rule that would read what it emits, or has no key, is refused', () => {
  const base = {
    name: 'x',
    on: 'S',
    key: () => 'k',
    find: { aggregate: { events: ['a'], window: { tumbling: '1m' }, values: {} } },
  }
  const throws = (run: () => unknown, code: 'PATTERN_INVALID' | 'RULE_CYCLIC' | 'DECLARATION_INVALID') =>
    assert.throws(run, (error: unknown) => isFault(error, code))
  const A = defineEvent('a', { data: z.object({}) })
  throws(() => defineRule({ ...base, emit: { event: A, data: () => ({}) } }), 'PATTERN_INVALID')
  const find = { detect: { events: ['a'], value: () => 1 } }
  throws(() => defineRule({ ...base, find, emit: { event: A, data: () => ({}) } }), 'RULE_CYCLIC')
  throws(
    () => defineRule({ name: 'x', on: 'S', find, emit: { event: Fraud, data: () => ({ cardId: '', amount: 1 }) } }),
    'DECLARATION_INVALID',
  )
})

test.run()
