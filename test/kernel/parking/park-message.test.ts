import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodedSize, encodeHeaders } from '../../../src/broker/headers.ts'
import { packEvents } from '../../../src/event/packed.ts'
import { completeDraft } from '../../../src/event/complete.ts'
import { isSubject } from '../../../src/event/subject.ts'
import type { WireMessage } from '../../../src/event/wire.ts'
import { decodeEvents } from '../../../src/event/decode-event.ts'
import {
  originalOf,
  parkMessage,
  parkToken,
  partsOf,
  readParked,
  redriven,
} from '../../../src/kernel/parking/park-message.ts'
import type { ParkedKey } from '../../../src/kernel/parking/parked-key.ts'
import { registry } from '../../support/kill-fixture.ts'
import { headersOf, storedMessage } from '../messages.ts'
import { work } from './tally.ts'

const test = suite('events in a park')
const NO_LIMIT = Number.POSITIVE_INFINITY

const entryOf = (key: string): ParkedKey => ({
  key,
  since: 7,
  at: 1,
  diverted: 3,
  redriven: 0,
  failed: 7,
  code: 'TURN_FAILED',
  time: 0,
})

const readable = ({ headers, data }: WireMessage) => ({ headers: headersOf(headers), data })

const someHeader = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      'ce-id',
      'Nats-Msg-Id',
      'Nats-Batch-Id',
      'Millrace-Park-Number',
      'millrace-park-id',
      'Millrace-Dead-Code',
      'with space',
      'X',
    ),
    fc.string({ minLength: 1, maxLength: 8 }),
  ),
  fc.oneof(fc.string({ maxLength: 20 }), fc.constant('two\r\nlines'), fc.string({ unit: 'grapheme', maxLength: 10 })),
)

test('an event comes out of the park as it went in: payload and headers, whatever they are', () => {
  fc.assert(
    fc.property(
      fc.array(someHeader, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 50 }),
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.nat(1_000),
      (headers, data, key, number) => {
        const message = storedMessage(9, { headers: headersOf(headers), data, subject: 't.3.made', storedAt: 1_234 })
        const { message: parked, kept } = parkMessage(
          'park',
          entryOf(key),
          number,
          { message, part: message },
          NO_LIMIT,
        )
        assert.ok(kept)
        encodeHeaders(parked.headers) // can be written
        const back = redriven('back', readable(parked))
        assert.is(
          back.headers.some(([name]) => name.startsWith('Nats-')),
          false,
        )
        const noted = readParked(headersOf(back.headers))
        if (noted === undefined) throw new Error('nothing is noted')
        const { key: readKey, ...note } = noted
        assert.is(readKey, key)
        assert.equal(note, {
          parking: '7-1',
          number,
          sequence: 9,
          subject: 't.3.made',
          storedAt: 1_234,
          leftOut: false,
          pass: false,
        })
        const original = originalOf(readable(back))
        const sorted = (all: Iterable<readonly [string, string]>) => [...all].map((pair) => pair.join('\0')).sort()
        assert.equal(sorted(original.headers.entries()), sorted(headers))
        assert.is(Buffer.compare(original.data, data), 0)
      },
    ),
    { numRuns: 300 },
  )
})

test('of a pack each event is kept for itself, and is the same event', () => {
  const events = [1, 2, 3].map((number) =>
    completeDraft(work('m', number, {}, 1_000 + number), { id: `e${number}`, source: '/test', time: 0 }),
  )
  const pack = packEvents(events)
  const message = storedMessage(4, { headers: headersOf(pack.headers), data: pack.data })
  const at = { stream: 'T', sequence: 4, storedAt: 4 }
  const all = decodeEvents(registry, message, at)
  const parts = partsOf(message)
  assert.is(parts.length, 3)
  for (const [index, part] of parts.entries()) {
    const { message: parked } = parkMessage('park', entryOf('m'), index, { message, part }, NO_LIMIT)
    assert.equal(decodeEvents(registry, originalOf(readable(parked)), at), [all[index]])
  }
})

test('an event without room for what is noted with it leaves its number', () => {
  const limit = 4_096
  const message = (bytes: number) => storedMessage(9, { data: new Uint8Array(bytes) })
  const keep = (bytes: number) =>
    parkMessage('park', entryOf('m'), 2, { message: message(bytes), part: message(bytes) }, limit)
  const fits = keep(2_000)
  assert.ok(fits.kept)
  const { message: parked, kept } = keep(3_500)
  assert.is(kept, false)
  assert.equal([parked.data.length, readParked(headersOf(parked.headers))?.leftOut], [0, true])
  assert.is(readParked(headersOf(parked.headers))?.number, 2)
  const many = Array.from({ length: 900 }, (_, at) => [`X-${at}`, 'x'.repeat(70)] as const)
  const heavy = storedMessage(9, { headers: headersOf(many) })
  assert.is(parkMessage('park', entryOf('m'), 0, { message: heavy, part: heavy }, NO_LIMIT).kept, false, 'headers too')
})

test('what fits can be published again with all that a batch and another subject add', () => {
  const limit = 4_096
  for (let bytes = 1_500; bytes < 3_500; bytes += 7) {
    const message = storedMessage(9, { data: new Uint8Array(bytes) })
    const { message: parked, kept } = parkMessage('park', entryOf('m'), 0, { message, part: message }, limit)
    const size = encodedSize(encodeHeaders(parked.headers)) + parked.data.length
    if (kept) assert.ok(size + 500 <= limit, `${bytes}`)
  }
})

test('each key has a token of its own, one that a subject takes', () => {
  const tokens = new Map<string, string>()
  const keys = [
    'a',
    'd e.f*',
    '_',
    'Ä',
    '>',
    '~x',
    'x'.repeat(199),
    'x'.repeat(201),
    '.'.repeat(100),
    '\ud800',
    '\ud801',
  ]
  for (const key of [...keys, ...keys.map((key) => parkToken(key))]) {
    const token = parkToken(key)
    assert.ok(isSubject(token) && !token.includes('.') && token.length <= 200, token)
    assert.ok(!tokens.has(token) || tokens.get(token) === key, `${tokens.get(token)} and ${key}: ${token}`)
    tokens.set(token, key)
  }
  assert.is(parkToken('order-7'), 'order-7')
})

test.run()
