import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { decodeMessage } from '../../src/event/decode.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { Event } from '../../src/event/event.ts'
import { headerList } from './header-list.ts'

const test = suite('encode')

const event: Event = {
  id: 'pay-17',
  source: '/shop',
  type: 'payment.authorized',
  version: 1,
  time: 1_700_000_000_123,
  key: undefined,
  data: { amount: 12.5, note: 'Straße' },
  correlationId: undefined,
  causationId: undefined,
  attributes: {},
}

test('writes binary mode, and leaves out what is absent', () => {
  const { headers, data } = encodeEvent(event)
  assert.equal(headers, [
    ['ce-specversion', '1.0'],
    ['ce-id', 'pay-17'],
    ['ce-source', '/shop'],
    ['ce-type', 'payment.authorized'],
    ['ce-time', '2023-11-14T22:13:20.123Z'],
    ['ce-datacontenttype', 'application/json'],
  ])
  assert.is(new TextDecoder().decode(data), '{"amount":12.5,"note":"Straße"}')
})

test('writes version, key, causes and other attributes, percent-encoded', () => {
  const { headers } = encodeEvent({
    ...event,
    version: 3,
    key: 'Köln 1',
    correlationId: 'a b',
    causationId: 'c"d',
    attributes: { subject: '100%' },
  })
  assert.equal(headers.slice(6), [
    ['ce-dataversion', '3'],
    ['ce-partitionkey', 'K%C3%B6ln%201'],
    ['ce-correlationid', 'a%20b'],
    ['ce-causationid', 'c%22d'],
    ['ce-subject', '100%25'],
  ])
})

test('refuses what no reader could read', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const cases: [Partial<Event>, ErrorCode][] = [
    [{ id: '' }, 'EVENT_ENVELOPE_INVALID'],
    [{ source: '' }, 'EVENT_ENVELOPE_INVALID'],
    [{ type: '' }, 'EVENT_ENVELOPE_INVALID'],
    [{ key: '' }, 'EVENT_ENVELOPE_INVALID'],
    [{ correlationId: '' }, 'EVENT_ENVELOPE_INVALID'],
    [{ causationId: '' }, 'EVENT_ENVELOPE_INVALID'],
    [{ version: 0 }, 'EVENT_ENVELOPE_INVALID'],
    [{ version: 1.5 }, 'EVENT_ENVELOPE_INVALID'],
    [{ time: NaN }, 'EVENT_ENVELOPE_INVALID'],
    [{ time: 1e15 }, 'EVENT_ENVELOPE_INVALID'],
    [{ attributes: { 'x-y': '' } }, 'EVENT_ENVELOPE_INVALID'],
    [{ attributes: { time: 'x' } }, 'EVENT_ENVELOPE_INVALID'],
    [{ key: '\udc00' }, 'EVENT_ENVELOPE_INVALID'],
    [{ data: 1n }, 'EVENT_DATA_INVALID'],
    [{ data: cyclic }, 'EVENT_DATA_INVALID'],
  ]
  for (const [change, code] of cases)
    assert.throws(
      () => encodeEvent({ ...event, ...change }),
      (error: unknown) => isFault(error, code),
      JSON.stringify(Object.keys(change)),
    )
})

const text = fc.string({ unit: 'binary', minLength: 1 })
const attributeName = fc.stringMatching(/^x[a-z0-9]{1,8}$/)
const anyEvent: fc.Arbitrary<Event> = fc.record({
  id: text,
  source: text,
  type: text,
  version: fc.integer({ min: 1, max: 9 }),
  time: fc.integer({ min: 0, max: 4e12 }),
  key: fc.option(text, { nil: undefined }),
  data: fc.oneof(fc.jsonValue({ noUnicodeString: false }), fc.constant(undefined)),
  correlationId: fc.option(text, { nil: undefined }),
  causationId: fc.option(text, { nil: undefined }),
  attributes: fc.dictionary(attributeName, text, { noNullPrototype: true }),
})

test('every event comes back from the wire as it was', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const { headers, data } = encodeEvent(event)
      for (const [name, value] of headers) assert.match(`${name}: ${value}`, /^[!-~]+: [!-~]*$/)
      const decoded = decodeMessage(headerList(headers), data)
      const viaJson = event.data === undefined ? undefined : JSON.parse(JSON.stringify(event.data))
      assert.equal(decoded.kind === 'envelope' ? decoded.envelope : decoded, { ...event, data: viaJson })
    }),
    { numRuns: 300 },
  )
})

test('more sources than the cache holds are all written right', () => {
  for (let n = 0; n < 2_500; n++)
    assert.equal(encodeEvent({ ...event, source: `/s/${n}` }).headers[2], ['ce-source', `/s/${n}`])
})

test.run()
