import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../src/event/decode.ts'
import type { Envelope } from '../../src/event/envelope.ts'
import { bytes, headerList } from './header-list.ts'

const test = suite('decode')

const REQUIRED: [string, string][] = [
  ['ce-specversion', '1.0'],
  ['ce-id', 'i'],
  ['ce-source', '/s'],
  ['ce-type', 'paid'],
]

function binary(headers: [string, string][], data = '{}'): ReturnType<typeof decodeMessage> {
  return decodeMessage(headerList(headers), bytes(data))
}

function structured(payload: unknown, type = 'application/cloudevents+json'): ReturnType<typeof decodeMessage> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return decodeMessage(headerList([['Content-Type', type]]), bytes(text))
}

function envelope(message: ReturnType<typeof decodeMessage>): Envelope {
  if (message.kind === 'rejected') throw new Error(message.detail)
  return message.envelope
}

function problem(message: ReturnType<typeof decodeMessage>): string {
  if (message.kind !== 'rejected') throw new Error('it was read')
  return message.detail
}

test('reads a foreign binary message with only what CloudEvents requires', () => {
  assert.equal(envelope(binary(REQUIRED, '{"n":1}')), {
    id: 'i',
    source: '/s',
    type: 'paid',
    version: 1,
    time: undefined,
    key: undefined,
    correlationId: undefined,
    causationId: undefined,
    attributes: {},
    data: { n: 1 },
  })
})

test('header names are read without regard to case, and NATS’s own are left alone', () => {
  const shouted = REQUIRED.map(([name, value]): [string, string] => [name.toUpperCase(), value])
  const read = envelope(binary([['Nats-Msg-Id', 'x'], ...shouted, ['CE-TraceParent', '00'], ['Cache', 'x'], ['', 'x']]))
  assert.is(read.id, 'i')
  assert.equal(read.attributes, { traceparent: '00' })
})

test('says everything that is wrong with the envelope at once', () => {
  const rejected = binary([
    ['ce-id', 'i'],
    ['ce-source', ''],
    ['ce-specversion', '0.3'],
    ['ce-time', 'yesterday'],
    ['ce-dataversion', '0'],
    ['ce-partitionkey', ''],
    ['ce-x_y', 'z'],
    ['ce-data', 'z'],
    ['ce-', 'z'],
    ['ce-subject', '%C0%A0'],
  ])
  if (rejected.kind !== 'rejected') return assert.unreachable()
  assert.is(rejected.code, 'EVENT_ENVELOPE_INVALID')
  assert.is(rejected.id, 'i')
  assert.equal(rejected.issues.map((issue) => issue.detail).toSorted(), [
    '"" is no attribute name',
    '"ce-subject" is not percent-encoded UTF-8',
    '"data" is no attribute name',
    '"x_y" is no attribute name',
    'dataversion "0" is not a whole number from 1',
    'partitionkey is empty',
    'source is empty',
    'specversion "0.3" is not 1.0',
    'time "yesterday" is not RFC 3339',
    'type is missing',
  ])
})

test('an attribute that is there twice is ambiguous', () => {
  assert.match(problem(binary([...REQUIRED, ['Ce-Id', 'other']])), 'id is there twice')
  assert.match(problem(binary([...REQUIRED, ['ce-subject', 'a'], ['ce-subject', 'a']])), '"subject" is there twice')
})

test('a message made to be wrong in thousands of ways says the first twenty', () => {
  const rejected = binary(Array.from({ length: 5_000 }, (_, n) => [`ce-x_${n}${'y'.repeat(200)}`, 'z']))
  assert.is(rejected.kind === 'rejected' && rejected.issues.length, 20)
  assert.ok(problem(rejected).length < 4_000)
})

test('attributes with the names of object members are attributes', () => {
  const read = envelope(binary([...REQUIRED, ['ce-constructor', 'a'], ['ce-tostring', 'b']]))
  assert.equal({ ...read.attributes }, { constructor: 'a', tostring: 'b' })
})

test('a payload that is not JSON is rejected, never repaired', () => {
  assert.match(problem(binary(REQUIRED, '{"n":')), 'not JSON')
  const broken = decodeMessage(headerList(REQUIRED), new Uint8Array([0x22, 0xc3, 0x28, 0x22]))
  assert.match(problem(broken), 'not UTF-8')
  assert.is(envelope(binary(REQUIRED, '')).data, undefined)
})

test('only JSON content types are read, and the type is what is said about another', () => {
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'text/json', 'application/vnd.x+json'])
    assert.ok(envelope(binary([...REQUIRED, ['ce-datacontenttype', type.replaceAll(' ', '%20')]])), type)
  for (const type of ['text/plain', 'application/jsonx', 'json', 'application/xml;json'])
    assert.is(
      problem(binary([...REQUIRED, ['ce-datacontenttype', type]], 'not json')),
      `datacontenttype "${type}" is not JSON`,
    )
})

test('Content-Type means nothing but structured mode', () => {
  assert.is(envelope(binary([['Content-Type', 'text/plain'], ...REQUIRED])).id, 'i')
})

test('a view into a larger buffer is read from its own start', () => {
  const whole = bytes('xx{"n":1}yy')
  const read = envelope(decodeMessage(headerList(REQUIRED), whole.subarray(2, 9)))
  assert.equal(read.data, { n: 1 })
})

const JSON_EVENT = { specversion: '1.0', id: 'i', source: '/s', type: 'paid' }

test('reads structured mode: attributes of every type, null as absent', () => {
  const message = {
    ...JSON_EVENT,
    time: '2026-01-01T00:00:00Z',
    partitionkey: 'k',
    dataversion: 2,
    sampled: true,
    subject: null,
    correlationid: 'c',
    data: [1],
  }
  for (const type of [
    'application/cloudevents+json',
    'Application/CloudEvents+JSON; charset=utf-8',
    'application/cloudevents',
  ])
    assert.equal(envelope(structured(message, type)), {
      id: 'i',
      source: '/s',
      type: 'paid',
      version: 2,
      time: Date.UTC(2026, 0, 1),
      key: 'k',
      correlationId: 'c',
      causationId: undefined,
      attributes: { sampled: 'true' },
      data: [1],
    })
})

test('structured attributes are taken as they are: JSON needs no percent encoding', () => {
  assert.is(envelope(structured({ ...JSON_EVENT, id: '%41' })).id, '%41')
})

test('data_base64 is the same bytes as data', () => {
  const encoded = Buffer.from('{"n":1}').toString('base64')
  assert.equal(envelope(structured({ ...JSON_EVENT, data_base64: encoded })).data, { n: 1 })
  assert.equal(envelope(structured({ ...JSON_EVENT, data: 1, data_base64: null })).data, 1)
  assert.match(problem(structured({ ...JSON_EVENT, data: 1, data_base64: encoded })), 'both')
  assert.match(problem(structured({ ...JSON_EVENT, data_base64: 'a' })), 'not base64')
  assert.match(problem(structured({ ...JSON_EVENT, data_base64: 7 })), 'not base64')
  assert.match(problem(structured({ ...JSON_EVENT, data_base64: 'e30K!' })), 'not base64')
  assert.match(problem(structured({ ...JSON_EVENT, data_base64: 'ew==' })), 'not JSON')
})

test('what is no JSON event is rejected', () => {
  for (const payload of ['', '[]', '1', 'null', '"x"']) assert.match(problem(structured(payload)), 'not a JSON object')
  assert.match(problem(structured('{')), 'not JSON')
  assert.match(problem(structured({ ...JSON_EVENT, extra: { a: 1 } })), '"extra" is not a string')
  assert.match(problem(structured({ ...JSON_EVENT, extra: 1.5 })), '"extra" is not a string')
  assert.match(problem(structured({ ...JSON_EVENT, ID: 'x' })), '"ID" is no attribute name')
  assert.match(problem(structured({ ...JSON_EVENT, id: null })), 'id is missing')
  assert.match(problem(structured([JSON_EVENT], 'application/cloudevents-batch+json')), 'only the JSON format')
  assert.match(problem(structured(JSON_EVENT, 'application/cloudevents+avro')), 'only the JSON format')
})

test.run()
