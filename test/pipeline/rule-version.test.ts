import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../src/broker/define-stream.ts'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { alarmRule, Alarm, High, Reading } from '../support/kill-fixture.ts'

const test = suite('version of a rule')

const stream = defineStream({ name: 'T', root: 't' })
const version = (contracts: Parameters<typeof createRegistry>[0], rule = alarmRule('T')) =>
  ruleProcessor(rule, createRegistry(contracts), { from: stream, to: stream }).version

const reading = (data: z.ZodType, version = 1) => {
  const upcasters = version === 1 ? {} : { upcasters: { 1: (old: unknown) => old } }
  return defineEvent('reading.taken', { version, data, ...upcasters })
}
const fields = { machine: z.string(), value: z.number() }
const now = version([Reading, Alarm])

test('the same text and contracts have the same version, whatever else is declared and in whatever order', () => {
  assert.is(version([Reading, Alarm]), now)
  assert.is(version([Alarm, High, Reading]), now)
  assert.match(now, /^[0-9a-f]{32}$/)
})

test('the schema of an event that it reads belongs to the version', () => {
  assert.is(version([reading(z.object(fields)), Alarm]), now, 'the same schema in another declaration')
  assert.is.not(version([reading(z.object({ ...fields, unit: z.string().default('C') })), Alarm]), now)
  assert.is.not(version([reading(z.object({ ...fields, value: z.number().max(100) })), Alarm]), now)
})

test('the order in which a schema names its members does not', () => {
  const { machine, value } = fields
  const backwards = z.object({ value, machine })
  assert.is.not(JSON.stringify(reading(backwards).jsonSchema()), JSON.stringify(Reading.jsonSchema()))
  assert.is(version([reading(backwards), Alarm]), now)
})

test('the contract version of an event that it reads belongs to it, and the event that it emits', () => {
  assert.is.not(version([reading(z.object(fields), 2), Alarm]), now)
  const emitted = defineEvent('machine.alarmed', { data: z.object({ machine: z.string(), count: z.number() }) })
  assert.is.not(version([Reading, emitted]), now)
  assert.is.not(version([Reading]), now, 'not declared')
})

test('so does the text', () => {
  const other = parseRule(
    'rule: alarm\non: T\nkey: data.machine\nwithin: 5s\nsequence:\n  - low: { event: reading.taken }\nemit: { event: machine.alarmed, data: {} }\n',
    { file: 'alarm.yaml' },
  )
  assert.is.not(version([Reading, Alarm], other), now)
})

test.run()
