import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage, decodeMessages, decodeRegular, decodeThoroughly } from '../../src/event/decode.ts'
import type { HeaderReader } from '../../src/event/wire.ts'

const test = suite('layouts of header blocks')

const value = fc.oneof(
  fc.constantFrom(
    '1.0',
    'application/json',
    '2026-01-01T00:00:00.000Z',
    '3',
    ' x',
    'x ',
    'a%20b',
    '"q"',
    '',
    'a: b',
    'a\nb',
  ),
  fc.stringMatching(/^[\x21-\x7e]{1,12}$/),
)
const line = fc.tuple(
  fc.constantFrom('ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-time', 'ce-datacontenttype', 'ce-dataversion'),
  value,
)
const others = fc.tuple(
  fc.constantFrom('ce-partitionkey', 'ce-correlationid', 'ce-causationid', 'Nats-Msg-Id', 'Nats-TTL', 'CE-Id', 'ce-x'),
  value,
)
const regular: fc.Arbitrary<[string, string][]> = fc
  .tuple(fc.stringMatching(/^[\x23-\x24\x26-\x7e]{1,8}$/), fc.constantFrom('/a', '/b'), fc.constantFrom('x.done', 'y'))
  .map(([id, source, type]) => [
    ['ce-specversion', '1.0'],
    ['ce-id', id],
    ['ce-source', source],
    ['ce-type', type],
  ])
const lines = fc.oneof(
  fc.tuple(regular, fc.array(fc.oneof(line, others), { maxLength: 4 })).map(([known, more]) => [...known, ...more]),
  fc.array(fc.oneof(line, others), { maxLength: 8 }),
)

function message(entries: readonly (readonly [string, string])[], payload: string) {
  const block = `NATS/1.0\r\n${entries.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`
  const text = block + payload
  const headers: HeaderReader = {
    get: (name) => entries.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1].trim(),
    entries: () => entries.map(([name, given]) => [name, given.trim()] as const),
    block,
  }
  const data = Buffer.from(payload)
  return { headers, data, ascii: { bytes: Buffer.from(`before${text}after`), from: 6, text, headers: block.length } }
}

test('what a known layout reads is what a thorough look at the headers finds, whatever came before', () => {
  let read = 0
  fc.assert(
    fc.property(
      fc.array(fc.tuple(lines, fc.constantFrom('{"a":1}', '', 'no')), { minLength: 2, maxLength: 6 }),
      (all) => {
        for (const [entries, payload] of [...all, ...all]) {
          // a line break in a value would end its line, and such a message cannot be sent
          if (entries.some(([, text]) => /[\r\n]/.test(text))) continue
          const given = message(entries, payload)
          const envelope = decodeRegular(given)
          if (envelope === undefined) continue
          read += 1
          assert.equal(decodeThoroughly(given.headers, given.data), { kind: 'envelope', envelope })
          assert.equal(decodeMessage(given.headers, given.data), { kind: 'envelope', envelope })
          assert.equal(decodeMessages(given.headers, given.data), [{ kind: 'envelope', envelope }])
        }
      },
    ),
    { numRuns: 400 },
  )
  assert.ok(read > 100, `${read} were read that way`)
})

test('a message of a layout that was learned is told from one that is nearly so', () => {
  const entries = [
    ['ce-specversion', '1.0'],
    ['ce-id', 'a'],
    ['ce-source', '/s'],
    ['ce-type', 'x.done'],
  ] as const
  const good = message(entries, '{}')
  assert.is(decodeRegular(good)?.id, 'a')
  assert.is(decodeRegular(message(entries, '{}'))?.id, 'a')
  const { text, headers } = good.ascii
  for (const [from, to] of [
    ['specversion: 1.0', 'specversion: 1.1'],
    ['ce-id: a', 'ce-id: '],
    ['ce-id: a', 'ce-id:  a'],
    ['ce-id: a', 'ce-id: a '],
    ['ce-id: a', 'ce-id: %61'],
    ['\r\n\r\n', '\r\n \r\n'],
  ] as const) {
    const changed = text.replace(from, to)
    const block = changed.slice(0, headers + to.length - from.length)
    const ascii = { bytes: Buffer.from(changed), from: 0, text: changed, headers: block.length }
    assert.is(decodeRegular({ ...good, ascii }), undefined, to)
  }
})

test.run()
