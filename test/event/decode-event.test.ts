import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { completeDraft } from '../../src/event/complete.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { decodeEvent, type DecodedEvent } from '../../src/event/decode-event.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { bytes, headerList } from './header-list.ts'

const test = suite('decode event')

const Paid = defineEvent('order.paid', {
  version: 2,
  data: z.object({ amount: z.number(), currency: z.string().default('EUR') }),
  upcasters: { 1: (data) => ({ amount: Number((data as { sum: string }).sum) }) },
})
const registry = createRegistry([Paid])
const at = { stream: 'ORDERS', sequence: 7, storedAt: 99 }

function decode(data: unknown, headers: Record<string, string> = {}): DecodedEvent {
  const all = {
    'ce-specversion': '1.0',
    'ce-id': 'i',
    'ce-source': '/s',
    'ce-type': 'order.paid',
    'ce-dataversion': '2',
    ...headers,
  }
  return decodeEvent(registry, headerList(Object.entries(all)), bytes(JSON.stringify(data)), at)
}

test('what a contract made comes back as a stored event', () => {
  const event = completeDraft(Paid({ amount: 5 }), { id: 'i', source: '/s', time: 3, correlationId: 'c' })
  const { headers, data } = encodeEvent(event)
  assert.equal(decodeEvent(registry, headerList(headers), data, at), { kind: 'event', event: { ...event, ...at } })
})

test('defaults are filled in and unknown members dropped, as the schema says', () => {
  const decoded = decode({ amount: 1, addedLater: true })
  assert.equal(decoded.kind === 'event' && decoded.event.data, { amount: 1, currency: 'EUR' })
})

test('an older version is brought to the current one, and says so', () => {
  const decoded = decode({ sum: '12' }, { 'ce-dataversion': '1' })
  if (decoded.kind !== 'event') return assert.unreachable(decoded.detail)
  assert.is(decoded.event.version, 2)
  assert.equal(decoded.event.data, { amount: 12, currency: 'EUR' })
})

test('an event without a time has the time at which it was stored', () => {
  const decoded = decode({ amount: 1 })
  assert.is(decoded.kind === 'event' && decoded.event.time, 99)
})

test('data that a schema takes and a key cannot be read from is rejected, and read where the key is said', () => {
  const Sent = defineEvent('order.sent', {
    data: z.object({ to: z.object({ id: z.string() }).optional() }),
    key: ({ to }) => (to as { id: string }).id,
  })
  const headers = { 'ce-specversion': '1.0', 'ce-id': 'i', 'ce-source': '/s', 'ce-type': 'order.sent' }
  const read = (more: Record<string, string>, data = '{}'): DecodedEvent =>
    decodeEvent(createRegistry([Sent]), headerList(Object.entries({ ...headers, ...more })), bytes(data), at)
  const decoded = read({})
  if (decoded.kind !== 'rejected') return assert.unreachable('it was read')
  assert.is(decoded.code, 'EVENT_DATA_INVALID')
  assert.match(decoded.detail, /order.sent: its key cannot be taken from the data: /)
  assert.equal([decoded.type, decoded.id], ['order.sent', 'i'])
  const keys = [read({}, '{"to":{"id":"a"}}'), read({ 'ce-partitionkey': 'b' })].map(
    (one) => one.kind === 'event' && one.event.key,
  )
  assert.equal(keys, ['a', 'b'])
})

test('each reason has its code, with the type and id that could be read', () => {
  const cases: [DecodedEvent, string, RegExp][] = [
    [decode({}, { 'ce-id': '' }), 'EVENT_ENVELOPE_INVALID', /id is empty/],
    [decode({}, { 'ce-type': 'order.payed' }), 'EVENT_TYPE_UNKNOWN', /"order.payed"; did you mean order.paid\?/],
    [decode({}, { 'ce-type': 'x' }), 'EVENT_TYPE_UNKNOWN', /^"x"$/],
    [decode({}, { 'ce-dataversion': '3' }), 'EVENT_VERSION_UNKNOWN', /version 3, known are 1 to 2/],
    [decode(null, { 'ce-dataversion': '1' }), 'EVENT_UPCAST_FAILED', /from version 1 threw/],
    [decode({ amount: 'x' }), 'EVENT_DATA_INVALID', /\/amount/],
  ]
  for (const [decoded, code, detail] of cases) {
    if (decoded.kind !== 'rejected') return assert.unreachable(code)
    assert.is(decoded.code, code)
    assert.match(decoded.detail, detail)
    assert.ok(decoded.issues.length > 0)
    assert.ok(decoded.type)
  }
  const invalid = decode({ amount: 'x' })
  assert.equal(invalid.kind === 'rejected' && invalid.issues[0]?.pointer, '/amount')
})

test('never throws, whatever the headers and bytes', () => {
  const name = fc.oneof(
    fc.constantFrom(
      'ce-id',
      'ce-source',
      'ce-type',
      'ce-specversion',
      'ce-time',
      'CE-dataversion',
      'content-type',
      'ce-x',
    ),
    fc.string({ unit: 'binary' }),
  )
  const value = fc.oneof(
    fc.constantFrom('1.0', 'order.paid', '1', '2', '%', '"', '"\\"', 'application/cloudevents', ''),
    fc.string({ unit: 'binary' }),
  )
  const payload = fc.oneof(
    fc.uint8Array(),
    fc.json().map(bytes),
    fc
      .record({
        specversion: fc.constant('1.0'),
        id: value,
        source: value,
        type: value,
        data: fc.jsonValue(),
        data_base64: value,
      })
      .map((members) => bytes(JSON.stringify(members))),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), payload, (headers, data) => {
      const decoded = decodeEvent(registry, headerList(headers), data, at)
      assert.ok(decoded.kind === 'event' || decoded.issues.length > 0)
    }),
    { numRuns: 1_000 },
  )
})

test('never throws on valid envelopes with any data, whatever version', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('1', '2', '3'), (data, version) => {
      assert.ok(decode(data, { 'ce-dataversion': version }))
    }),
    { numRuns: 500 },
  )
  const deep = bytes('['.repeat(50_000) + ']'.repeat(50_000))
  const headers = headerList([
    ['ce-specversion', '1.0'],
    ['ce-id', 'i'],
    ['ce-source', '/s'],
    ['ce-type', 'order.paid'],
    ['ce-dataversion', '2'],
  ])
  assert.is(decodeEvent(registry, headers, deep, at).kind, 'rejected')
})

test.run()
