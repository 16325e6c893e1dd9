import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../src/event/decode.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { Event } from '../../src/event/event.ts'
import type { HeaderReader } from '../../src/event/wire.ts'
import { eventLine } from '../../src/replay/event-line.ts'
import { wireHeaders } from '../../src/replay/output-index.ts'

const test = suite('an event as a line')

const event: Event = {
  id: 'ü 1"',
  source: '/shop?a=b',
  type: 'order.paid',
  version: 3,
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  key: 'order 7',
  data: { text: 'line\nbreak and “quotes”', n: 0.1, list: [1, null] },
  correlationId: 'c',
  causationId: 'k',
  attributes: { traceparent: '00-ab', subject: 'x "y"' },
}
const at = { stream: 'ORDERS', sequence: 3_000_000_000, storedAt: Date.UTC(2026, 1, 1) }
const STRUCTURED: HeaderReader = {
  get: (name) => (name.toLowerCase() === 'content-type' ? 'application/cloudevents+json' : undefined),
  entries: () => [['Content-Type', 'application/cloudevents+json']],
}

function line(headers: HeaderReader, data: Uint8Array): string {
  const written = eventLine(headers, data, at)
  if (written.kind === 'rejected') throw new Error(written.detail)
  return written.text
}

test('reads back as the same event, with its position beside it', () => {
  const { headers, data } = encodeEvent(event)
  const text = line(wireHeaders({ headers }), data)
  assert.is(text.indexOf('\n'), text.length - 1, 'one line')
  const decoded = decodeMessage(STRUCTURED, Buffer.from(text))
  if (decoded.kind === 'rejected') throw new Error(decoded.detail)
  const { attributes, ...fields } = decoded.envelope
  const { attributes: own, ...expected } = event
  assert.equal(fields, expected)
  const position = { streamname: 'ORDERS', streamsequence: '3000000000', storedtime: '2026-02-01T00:00:00.000Z' }
  assert.equal(attributes, { ...own, ...position })
})

test('a line that is published and replayed again has its new position, not both', () => {
  const { headers, data } = encodeEvent(event)
  const first = line(wireHeaders({ headers }), data)
  const second = line(STRUCTURED, Buffer.from(first))
  assert.equal(JSON.parse(second), JSON.parse(first))
})

test('numbers keep the digits that they were stored with', () => {
  const { headers } = encodeEvent(event)
  const text = line(wireHeaders({ headers }), Buffer.from('{"id":12345678901234567890,"price":1.10}'))
  assert.match(text, '"data":{"id":12345678901234567890,"price":1.10}}')
})

test('a payload that was stored over several lines becomes one', () => {
  const { headers } = encodeEvent(event)
  const text = line(wireHeaders({ headers }), Buffer.from('{\r\n  "a": 1\n}'))
  assert.match(text, '"data":{"a":1}}')
})

test('an event without a time has the one at which it was stored, and no data stays no data', () => {
  const headers = encodeEvent({ ...event, data: undefined }).headers.filter(([name]) => name !== 'ce-time')
  const parsed = JSON.parse(line(wireHeaders({ headers }), Buffer.alloc(0))) as object
  assert.is((parsed as { time: string }).time, '2026-02-01T00:00:00.000Z')
  assert.not('data' in parsed)
})

test('a message that is no event is told apart, with the reason', () => {
  const written = eventLine(wireHeaders({ headers: [['ce-id', '1']] }), Buffer.from('{'), at)
  assert.is(written.kind, 'rejected')
  assert.match(written.kind === 'rejected' ? written.detail : '', 'source is missing')
})

test.run()
