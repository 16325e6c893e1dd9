import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { EventContract } from '../../src/event/contract.ts'
import { defineSchedule } from '../../src/schedule/define-schedule.ts'
import { asyncapiDocument } from '../../src/runtime/asyncapi/asyncapi-document.ts'
import { discover } from '../../src/runtime/discover.ts'
import { TOP } from '../support/repository.ts'

const test = suite('the AsyncAPI document')
const text = JSON.stringify(
  asyncapiDocument(await discover(join(TOP, 'streams')), { title: 'Streams', version: '1.0.0' }),
)
const document = JSON.parse(text) as Record<string, any>

async function validator() {
  const schema = JSON.parse(await readFile(join(TOP, 'test/fixtures/asyncapi/asyncapi-3.1.0.json'), 'utf8'))
  // the schema names parts of itself by id, and formats that are not checked here
  const options = { strict: false, meta: false, validateSchema: false, addUsedSchema: false, validateFormats: false }
  return new Ajv(options).compile(schema)
}

function at(reference: string): unknown {
  const names = reference.slice(2).split('/')
  return names.reduce<any>((part, name) => part?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], document)
}

test('every reference leads somewhere, a message of an operation to one of its channel', () => {
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference)
  assert.ok(references.length > 100)
  for (const reference of references) assert.ok(at(reference) !== undefined, reference)
  for (const { channel, messages } of Object.values<any>(document['operations']))
    for (const { $ref } of messages) assert.ok($ref.startsWith(`${channel.$ref}/messages/`), $ref)
})

test('a channel has the subject that its events are published to, and the key as a parameter', () => {
  const { address, parameters } = document['channels']['SUPPLY.order.placed']
  assert.is(address, 'supply.{key}.order.placed')
  assert.equal(Object.keys(parameters), ['key'])
})

test('what reads and what makes an event is there', () => {
  const { operations } = document
  assert.is(operations['pipeline-large-payments-receive-payment.authorized']?.action, 'receive')
  assert.is(operations['pipeline-large-payments-send-payment.flagged']?.action, 'send')
  assert.is(operations['actor-order-receive-order.place']?.action, 'receive')
  assert.is(operations['rule-velocity-send-fraud.suspected']?.action, 'send')
})

test('handlers, webhooks, schedules, outboxes, sinks and sources are operations of it', async () => {
  const fixture = (name: string) => discover(join(TOP, 'test/fixtures', name))
  const info = { title: 'Streams', version: '1.0.0' }
  const ordered = await fixture('streams-ordered')
  const [shop] = ordered.streams
  const place = ordered.registry.get('order.placed') as EventContract
  const daily = defineSchedule({ name: 'daily', stream: 'SHOP', events: [place], every: '1d', emits: () => undefined })
  const all = [
    { ...ordered, schedules: [{ declaration: daily, stream: shop as StreamDeclaration }] },
    await fixture('streams-handlers'),
    await fixture('streams-edges'),
    await fixture('streams-outbox'),
  ].map((deployment) => JSON.parse(JSON.stringify(asyncapiDocument(deployment, info))))
  const valid = await validator()
  for (const one of all) assert.ok(valid(one), JSON.stringify(valid.errors?.slice(0, 3)))
  const found = all.map(({ operations }) =>
    Object.values<any>(operations).map((one) => `${one.action} ${one['x-millrace'].name}`),
  )
  assert.equal(found, [
    ['receive handler-ship', 'send handler-ship', 'send schedule-daily'],
    ['receive handler-confirm', 'send handler-confirm'],
    [
      'receive sink-archive',
      'receive sink-rows',
      'send source-http',
      'send source-lines',
      'send source-sensors',
      'receive webhook-partner',
    ],
    ['send outbox-orders'],
  ])
  assert.match(all[0].operations['handler-ship-receive-order.placed']['x-jetstream'].consumer, /^ordered/)
  assert.match(all[1].operations['handler-confirm-receive-order.placed']['x-jetstream'].consumer, /explicit/)
})

test('it is valid by the schema of AsyncAPI 3.1.0, and what is wrong in it would be found', async () => {
  const valid = await validator()
  assert.ok(valid(document), JSON.stringify(valid.errors?.slice(0, 3)))
  const wrong = structuredClone(document)
  const [name = ''] = Object.keys(wrong['operations'])
  wrong['operations'][name].action = 'get'
  assert.not(valid(wrong))
})

test.run()
