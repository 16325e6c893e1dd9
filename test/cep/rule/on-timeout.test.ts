import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuleAtWork } from '../../../src/cep/rule/rule-at-work.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import { storedEvent } from '../stored-event.ts'
import { issuesIn, ruleOf } from './rule-texts.ts'

const test = suite('onTimeout')

const TEXT = `rule: order
on: ORDERS
key: data.order
sequence:
  - placed: { event: order.placed }
  - paid: { event: order.paid }
within: 1h
emit: { event: order.unpaid, to: DONE, data: { order: key, since: paid.time } }
onTimeout: { event: machine.alarmed, to: DONE, severity: low, data: { machine: key, value: placed.data.total } }
`
const HOUR = 3_600_000
const placed = (time: number, order: string) => storedEvent({ type: 'order.placed', time, data: { order, total: 7 } })
const paid = (time: number, order: string) => storedEvent({ type: 'order.paid', time, data: { order, amount: 7 } })

test('a partial match whose window closed is emitted as another event, at the end of its window', () => {
  const rule = ruleOf(TEXT)
  assert.equal(rule.outputTypes, ['order.unpaid', 'machine.alarmed'])
  const run = runRule(rule, [placed(0, 'a'), placed(10, 'b'), paid(20, 'b')], 2 * HOUR)
  assert.equal(
    run.matches
      .map((match) => rule.emit(match))
      .map(({ type, time, data, attributes }) => [type, time, data, attributes]),
    [
      ['order.unpaid', 20, { order: 'b', since: 20 }, {}],
      ['machine.alarmed', HOUR, { machine: 'a', value: 7 }, { severity: 'low' }],
    ],
  )
})

test('it comes although no other event does, also after a restart', () => {
  let work = new RuleAtWork(ruleOf(TEXT))
  work.take(placed(0, 'a'))
  work = new RuleAtWork(ruleOf(TEXT), JSON.parse(JSON.stringify(work.state())))
  assert.is(work.due, HOUR + 10_000)
  assert.is(work.passStored(work.due - 1).length, 0)
  const matches = work.passStored(work.due).flatMap((advance) => advance.matches)
  assert.equal(
    matches.map(({ time }) => time),
    [HOUR],
  )
  assert.is(work.due, Infinity)
})

test('RL4 a gap between two events that grew too long is reported when it did, although nothing comes', () => {
  const rule = ruleOf(TEXT.replace('event: order.paid }', 'event: order.paid, withinPrev: 1m }'))
  const work = new RuleAtWork(rule)
  work.take(placed(0, 'a'))
  work.take(placed(20_000, 'b'))
  work.take(paid(30_000, 'b'))
  assert.is(work.due, 60_000 + 20_000 - 30_000 + 20_000, 'idle is counted from the newest event')
  const matches = work.passStored(work.due).flatMap((advance) => advance.matches)
  assert.equal(
    matches.map(({ key, time }) => [key, time]),
    [['a', 60_000]],
  )
  assert.is(work.due, Infinity)
})

test('onTimeout needs a window, and is checked as emit is', () => {
  assert.match(issuesIn(TEXT.replace('value: placed', 'value: paied'))[0]?.detail ?? '', /did you mean paid/)
  assert.match(issuesIn(TEXT.replace('within: 1h', 'bounds: { partialMatchesPerKey: 9 }'))[0]?.detail ?? '', /within/)
})

test.run()
