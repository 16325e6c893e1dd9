import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runRuleTest } from '../../src/cep/rule/run-rule-test.ts'
import { ruleOf } from '../cep/rule/rule-texts.ts'

const test = suite('docs/rules.md')

const text = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8')
const examples = Array.from(text.matchAll(/```yaml\n([^]*?)```/g), ([, yaml]) => yaml ?? '')

test('every example is a rule without mistakes, and its tests hold', () => {
  const rules = examples.map(ruleOf)
  assert.equal([...new Set(rules.map(({ kind }) => kind))].sort(), [
    'aggregate',
    'correlate',
    'detect',
    'pattern',
    'sequence',
  ])
  for (const rule of rules)
    for (const each of rule.tests) assert.equal(runRuleTest(rule, each).differences, [], `${rule.name}: ${each.name}`)
})

test.run()
