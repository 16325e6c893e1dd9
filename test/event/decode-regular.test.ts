import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockReader } from '../../src/broker/headers.ts'
import { decodeMessage, decodeThoroughly } from '../../src/event/decode.ts'
import { readRegular } from '../../src/event/decode-regular.ts'

const test = suite('regular messages')

const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('ce-id', 'ce-source', 'ce-type', 'ce-specversion', 'ce-time', 'ce-partitionkey'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('ce-dataversion', 'ce-correlationid', 'ce-causationid', 'ce-datacontenttype'),
  },
  fc.constantFrom(
    'ce-traceparent',
    'CE-ID',
    'Nats-Msg-Id',
    'Content-Type',
    'content-type',
    'x',
    'ce-',
    'cex',
    'Nats',
    'c',
  ),
)
const value = fc.oneof(
  fc.constantFrom('1.0', 'a', '/source', '2026-01-01T00:00:00Z', '2026-13-01T00:00:00Z', '2', '0', '', ' ', 'a b', 'ü'),
  fc.constantFrom(
    'application/json',
    'text/plain',
    'application/cloudevents+json',
    '%41',
    '%zz',
    '"quoted"',
    'a:b',
    ': ',
  ),
)
const payload = fc.constantFrom('', '{"a":1}', '[', '"\uFFFD"', '{"id":"x"}')
const required = [
  ['ce-specversion', '1.0'],
  ['ce-id', 'i'],
  ['ce-source', '/s'],
  ['ce-type', 't'],
] as const

test('are read as the thorough reader reads them, and everything else is left to it', () => {
  const entries = fc.array(fc.tuple(name, value), { maxLength: 4 })
  fc.assert(
    fc.property(entries, fc.boolean(), payload, (extra, complete, text) => {
      const all = complete ? [...required, ...extra] : extra
      const block = `NATS/1.0\r\n${all.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`
      const data = Buffer.from(text)
      assert.equal(decodeMessage(new BlockReader(block), data), decodeThoroughly(new BlockReader(block), data))
    }),
    { numRuns: 20_000 },
  )
})

test('the quick way is taken for what Millrace itself writes', () => {
  const block =
    'NATS/1.0\r\nce-specversion: 1.0\r\nce-id: a-1\r\nce-source: /s\r\nce-type: t.x\r\nce-time: 2026-01-01T00:00:00.000Z\r\n' +
    'ce-datacontenttype: application/json\r\nce-partitionkey: k\r\nNats-Msg-Id: /s a-1\r\n\r\n'
  const nothing = () => ({ ok: true, value: undefined }) as const
  assert.is(readRegular(block, nothing)?.id, 'a-1')
  assert.is(readRegular(block, nothing)?.time, Date.UTC(2026, 0, 1))
  assert.is(readRegular(block.replace('ce-id', 'CE-Id'), nothing), undefined)
  assert.is(readRegular(block.replace('a-1', 'a%201'), nothing), undefined)
})

test('a payload that is not UTF-8 is refused on the quick way too', () => {
  const block = `NATS/1.0\r\n${required.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`
  const decoded = decodeMessage(new BlockReader(block), Buffer.from([0x22, 0xff, 0x22]))
  assert.is(decoded.kind, 'rejected')
})

test.run()
