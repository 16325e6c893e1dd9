import { readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writtenConditions } from '../../../src/cep/rule/rule-conditions.ts'

const test = suite('conditions as they are written')

test('each stage with its types and its condition, in order', async () => {
  const text = await readFile(new URL('../../../streams/payments/rules/card-testing.yaml', import.meta.url), 'utf8')
  assert.equal(writtenConditions(text), [
    { stage: 'probe', isNot: false, events: ['payment.authorized'], where: 'data.amount < 2' },
    { stage: 'not', isNot: true, events: ['card.verified'], where: undefined },
    {
      stage: 'hit',
      isNot: false,
      events: ['payment.authorized'],
      where: 'data.amount > 50 * avg(probe.data.amount)',
    },
  ])
})

test('a text that is no rule, or no YAML, has none', () => {
  assert.equal(writtenConditions('a: ['), [])
  assert.equal(writtenConditions('- 1'), [])
  assert.equal(writtenConditions('sequence: 3'), [])
})

test.run()
