import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explainCondition } from '../../../src/cep/cel/explain-condition.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('why a condition does not hold')
const event = storedEvent({ type: 'payment.authorized', data: { amount: 40, channel: 'online', tags: ['a'] } })

function because(condition: string, stages: readonly string[] = []): readonly string[] {
  return explainCondition(condition, event, 'card-1', stages).because
}

test('says which term is false, and what its values are', () => {
  assert.equal(because('data.amount < 2'), ['data.amount < 2 is false: data.amount is 40'])
  assert.equal(because("data.channel == 'chip' && data.amount > 10"), [
    `data.channel == 'chip' is false: data.channel is "online"`,
  ])
  assert.equal(because('data.amount < 2 && key == "card-2"'), [
    'data.amount < 2 is false: data.amount is 40',
    'key == "card-2" is false: key is "card-1"',
  ])
  assert.equal(because("'b' in data.tags"), [`'b' in data.tags is false: data.tags is ["a"]`])
  assert.equal(because("type == 'x'"), [`type == 'x' is false: type is "payment.authorized"`])
})

test('of alternatives, all have to be false to be a reason', () => {
  assert.equal(because('data.amount < 2 || data.amount > 10'), [])
  assert.equal(because('data.amount < 2 || data.amount > 100').length, 2)
  assert.equal(because('!(data.amount > 10)'), ['!(data.amount > 10) is false'])
  assert.equal(because("(data.amount + 1) * (2) < 3 && ((data.channel == ')'))"), [
    '(data.amount + 1) * (2) < 3 is false: (data.amount + 1) * (2) is 82',
    `data.channel == ')' is false: data.channel is "online"`,
  ])
})

test('a field that is not there is the reason', () => {
  const [reason] = because('data.country == "DE"')
  assert.match(reason ?? '', /^data\.country == "DE" has no value: .*country/)
})

test('what depends on earlier events is not guessed', () => {
  assert.equal(explainCondition('data.amount > 2 * avg(probe.data.amount)', event, 'k', ['probe']), {
    holds: undefined,
    because: [],
  })
  const { holds } = explainCondition('data.amount > 100 && data.amount > probe.data.amount', event, 'k', ['probe'])
  assert.is(holds, false)
})

test('what holds has no reason', () => {
  assert.equal(explainCondition('data.amount > 2', event, 'k', []), { holds: true, because: [] })
})

test('a text that is no condition gives no reason, and does not throw', () => {
  assert.equal(explainCondition('data.amount >', event, 'k', []), { holds: undefined, because: [] })
})

test.run()
