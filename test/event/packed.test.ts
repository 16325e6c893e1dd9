import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineEvent } from '../../src/event/contract.ts'
import { decodeMessage, decodeMessages } from '../../src/event/decode.ts'
import { decodeEvent, decodeEvents } from '../../src/event/decode-event.ts'
import { encodeEvent, type EncodedEvent } from '../../src/event/encode.ts'
import type { Event } from '../../src/event/event.ts'
import { isPack, memberOf, membersOf, packEvents, sizeInPack, writePack } from '../../src/event/packed.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { bytes, headerList } from './header-list.ts'

const test = suite('events packed into one message')

const Paid = defineEvent('order.paid', { data: z.object({ amount: z.number() }), key: () => 'k' })
const Noted = defineEvent('order.noted', { version: 3, upcasters: {}, data: z.unknown() })
const registry = createRegistry([Paid, Noted])
const at = { stream: 'S', sequence: 7, storedAt: 1_700_000_000_123 }

const text = fc.string({
  minLength: 1,
  maxLength: 12,
  unit: fc.constantFrom('a', 'Z', '0', '"', '\\', '%', ' ', 'é', '🙂', '\u0001', '.'),
})
const optional = fc.option(text, { nil: undefined })
const event: fc.Arbitrary<Event> = fc.record({
  id: text,
  source: text,
  type: fc.constantFrom('order.paid', 'order.noted', 'order.unknown'),
  version: fc.constantFrom(1, 3, 9),
  time: fc.integer({ min: 0, max: 4e12 }),
  key: optional,
  data: fc.oneof(
    fc.record({ amount: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    fc.jsonValue(),
    fc.constant(undefined),
  ),
  correlationId: optional,
  causationId: optional,
  attributes: fc.dictionary(fc.constantFrom('traceparent', 'subject', 'x1', 'aggregateversion'), text),
})

function message({ headers, data }: EncodedEvent) {
  return { headers: headerList(headers), data }
}

function packOf(json: string | Uint8Array, type = 'application/cloudevents-batch+json') {
  const data = typeof json === 'string' ? bytes(json) : json
  return { headers: headerList([['content-type', type]]), data }
}

const good = (id: string) => `{"specversion":"1.0","id":"${id}","source":"/s","type":"order.paid","data":{"amount":1}}`

/** Per event: its id, or the code of its rejection. */
function read({ headers, data }: ReturnType<typeof packOf>): string[] {
  return decodeEvents(registry, { headers, data }, at).map((one) => (one.kind === 'event' ? one.event.id : one.code))
}

test('are decoded as each of them would be alone', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 6 }), (events) => {
      const pack = message(packEvents(events))
      const alone = events.map((one) => message(encodeEvent(one)))
      assert.equal(
        decodeEvents(registry, pack, at),
        alone.map(({ headers, data }) => decodeEvent(registry, headers, data, at)),
      )
      for (const { headers, data } of alone)
        assert.equal(decodeEvents(registry, { headers, data }, at), [decodeEvent(registry, headers, data, at)])
    }),
  )
})

test('are the CloudEvents JSON batch format, to the byte', () => {
  const one = { ...Paid({ amount: 2 }), id: 'a"\\', source: '/s', time: 0, correlationId: 'ü', causationId: undefined }
  const two = {
    ...one,
    id: 'b',
    type: 'order.noted',
    version: 3,
    key: undefined,
    data: undefined,
    correlationId: undefined,
  }
  const { headers, data } = packEvents([one, two] as Event[])
  assert.equal(headers, [['content-type', 'application/cloudevents-batch+json']])
  assert.is(
    Buffer.from(data).toString(),
    '[{"specversion":"1.0","id":"a\\"\\\\","source":"/s","type":"order.paid","time":"1970-01-01T00:00:00.000Z",' +
      '"partitionkey":"k","correlationid":"ü","data":{"amount":2}},' +
      '{"specversion":"1.0","id":"b","source":"/s","type":"order.noted","time":"1970-01-01T00:00:00.000Z","dataversion":"3"}]',
  )
  assert.is(Buffer.from(packEvents([]).data).toString(), '[]')
})

test('a member says what it takes in the pack', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), (events) => {
      const members = events.flatMap((one) => memberOf(encodeEvent(one)) ?? [])
      const size = members.reduce((sum, member) => sum + sizeInPack(member), members.length === 0 ? 2 : 1)
      assert.is(writePack(members).data.length, size)
    }),
  )
})

test('a message with a header that a member has no place for is no member', () => {
  const { headers, data } = encodeEvent({ ...Paid({ amount: 1 }), id: 'a', source: '/s', time: 0 } as Event)
  for (const odd of [
    ['Nats-TTL', '1s'],
    ['ce-a_b', 'x'],
    ['ce-data', 'x'],
    ['ce-x', '%zz'],
    ['content-type', 'text/plain'],
  ] as const)
    assert.is(memberOf({ headers: [...headers, odd], data }), undefined)
  assert.is(memberOf({ headers: [], data }), undefined)
  const other = memberOf({
    headers: [...headers.filter(([name]) => name !== 'ce-datacontenttype'), ['ce-datacontenttype', 'a/b']],
    data,
  })
  assert.match(other?.page.toString('utf8', other.from, other.to) ?? '', '"datacontenttype":"a/b"')
})

for (const [what, bad, code] of [
  ['without an id', '{"specversion":"1.0","source":"/s","type":"order.paid"}', 'EVENT_ENVELOPE_INVALID'],
  ['of an unknown type', '{"specversion":"1.0","id":"x","source":"/s","type":"order.lost"}', 'EVENT_TYPE_UNKNOWN'],
  ['with data that breaks its contract', good('x').replace('1}', '"1"}'), 'EVENT_DATA_INVALID'],
  ['that is no object', '7', 'EVENT_ENVELOPE_INVALID'],
  ['that is a pack itself', `[${good('x')}]`, 'EVENT_ENVELOPE_INVALID'],
  ['that is no JSON', '{"specversion":1.0.0,"id":"]"}', 'EVENT_ENVELOPE_INVALID'],
  ['that is missing', '', 'EVENT_ENVELOPE_INVALID'],
] as const)
  test(`one bad event takes no other with it: one ${what}`, () => {
    const pack = packOf(`[${good('a')}, ${bad} ,${good('b')}]`)
    assert.equal(read(pack), ['a', code, 'b'])
    const alone = membersOf(pack)?.map(({ headers, data }) => read({ headers, data }))
    assert.equal(alone, [['a'], [code], ['b']])
  })

test('bytes that are not UTF-8 spoil the event that they are in, and no other', () => {
  const spoilt = Buffer.from(`[${good('a')},${good('?')},${good('b')}]`)
  spoilt[spoilt.indexOf('?')] = 0xff
  assert.equal(read(packOf(spoilt)), ['a', 'EVENT_ENVELOPE_INVALID', 'b'])
})

test('a pack that cannot be taken apart is rejected once, an empty one has no events', () => {
  for (const json of ['[', '[{]}', `[${good('a')}`, `[${good('a')}]]`, '{}', 'x', ''])
    assert.equal(read(packOf(json)), ['EVENT_ENVELOPE_INVALID'], json)
  assert.equal(read(packOf(' [ ] ')), [])
  assert.equal(membersOf(packOf('[]')), [])
  assert.is(membersOf(packOf('[{]}')), undefined)
})

test('a pack is told by its content type, whatever its spelling, and not by its payload', () => {
  const json = `[${good('a')},${good('b')}]`
  for (const type of ['Application/CloudEvents-Batch+JSON', ' application/cloudevents-batch+json; charset=utf-8'])
    assert.equal(read(packOf(json, type)), ['a', 'b'])
  for (const type of ['application/cloudevents+json', 'application/json', 'application/cloudevents-batch+avro'])
    assert.equal(read(packOf(json, type)), ['EVENT_ENVELOPE_INVALID'], type)
  const array = message(encodeEvent({ ...Noted([1, 2]), id: 'n', source: '/s', time: 0 } as Event))
  assert.not.ok(isPack(array))
  assert.equal(read(array), ['n'])
})

test('one event is not read from a pack', () => {
  const { headers, data } = packOf(`[${good('a')}]`)
  assert.is(decodeMessage(headers, data).kind, 'rejected')
})

test('members stand alone byte for byte, so that numbers keep their digits', () => {
  const precise = good('p').replace('"amount":1', '"amount": 12345678901234567890.10 ')
  const members = membersOf(packOf(`[ ${good('a')},\n ${precise}\t]`)) ?? []
  assert.equal(
    members.map(({ data }) => Buffer.from(data).toString()),
    [good('a'), precise],
  )
  const [first] = members
  assert.is(first?.headers.get('Content-Type'), 'application/cloudevents+json')
  assert.equal([...(first?.headers.entries() ?? [])], [['content-type', 'application/cloudevents+json']])
})

test('a member is read the same in its pack and alone, whatever is in it', () => {
  const names = fc.constantFrom(
    'id',
    'source',
    'type',
    'specversion',
    'time',
    'datacontenttype',
    'dataversion',
    'partitionkey',
    'correlationid',
    'data',
    'data_base64',
    'x',
    '__proto__',
    'toString',
  )
  const values = fc.oneof(
    fc.constantFrom<unknown>(
      '1.0',
      'a',
      '',
      '2026-01-01T00:00:00Z',
      '3',
      '0',
      'application/json',
      'text/plain',
      'e30=',
    ),
    fc.constantFrom<unknown>(null, 3, 1.5, true, {}, []),
  )
  const required = [
    ['specversion', '1.0'],
    ['id', 'i'],
    ['source', '/s'],
    ['type', 't'],
  ] as const
  const member = fc.tuple(fc.boolean(), fc.array(fc.tuple(names, values), { maxLength: 4 }))
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 3 }), (all) => {
      const texts = all.map(([whole, extra]) => {
        const entries = [...(whole ? required : []), ...extra]
        return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
      })
      const pack = packOf(`[${texts.join(',')}]`)
      const members = membersOf(pack)
      assert.is(members?.length, all.length)
      assert.equal(
        decodeMessages(pack.headers, pack.data),
        members?.map(({ headers, data }) => decodeMessage(headers, data)),
      )
    }),
    { numRuns: 400 },
  )
})

test.run()
