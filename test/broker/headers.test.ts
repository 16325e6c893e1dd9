import * as fc from 'fast-check'
import type { Msg } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deliveryOf, subscribeDeliveries } from '../../src/broker/deliveries.ts'
import type { Delivery } from '../../src/broker/delivery-parser.ts'
import { BlockReader, encodedSize, encodeHeaders } from '../../src/broker/headers.ts'
import { DeliveredMessage } from '../../src/broker/stored-message.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { numbered, upTo } from '../support/numbered.ts'

const test = suite('headers on the wire')

const name = fc.stringMatching(/^[!-9;-~]{1,20}$/)
const value = fc
  .oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }))
  .map((text) => text.replaceAll(/[\r\n]/g, ' ').trim())
  .filter((text) => Buffer.from(text).toString() === text) // unpaired surrogates have no UTF-8
const entries = fc.array(fc.tuple(name, value), { maxLength: 8 })
const payload = fc.uint8Array({ maxLength: 200 })

/** Sends through the server and back: as the client reads it, and as a pull does. */
async function roundTrip(subject: string, headers: readonly (readonly [string, string])[], data: Uint8Array) {
  const { nats } = await sharedConnection()
  let stop = () => {}
  const taken = new Promise<DeliveredMessage>((resolve) => {
    stop = subscribeDeliveries(nats, subject, (delivery) => resolve(new DeliveredMessage({ ...delivery })))
  })
  const read = new Promise<Msg>((resolve, reject) => {
    const subscription = nats.subscribe(subject, {
      max: 1,
      callback: (error, message) => (error === null ? resolve(message) : reject(error)),
    })
    if (headers.length === 0) nats.publish(subject, data)
    else nats.publish(subject, data, { headers: encodeHeaders(headers) })
    void nats.flush().catch(() => subscription.unsubscribe())
  })
  const both = { message: await read, delivered: await taken }
  stop()
  return both
}

test('what is written is what the client of the server reads, and what is read here', async () => {
  let serial = 0
  await fc.assert(
    fc.asyncProperty(entries, payload, async (headers, data) => {
      const { message, delivered } = await roundTrip(`headers.${process.pid}.${(serial += 1)}`, headers, data)
      const reader = delivered.headers
      for (const [key] of headers) {
        const expected = message.headers?.get(key)
        assert.is(reader.get(key), expected)
        assert.is(expected, headers.find(([other]) => other === key)?.[1])
      }
      assert.equal([...reader.entries()], headers)
      const again = [...new DeliveredMessage(deliveryOf(message)).headers.entries()]
      assert.equal(again.map(String).sort(), headers.map(String).sort(), 'the client keeps those of one name together')
      for (const got of [message.data, delivered.data]) assert.equal(Buffer.from(got), Buffer.from(data))
    }),
    { numRuns: 200 },
  )
})

test('a block is found for subjects that are not ASCII, empty payloads and messages without headers', async () => {
  for (const subject of ['plain', 'schlüssel', '鍵.値', '🔑'])
    for (const data of [Buffer.alloc(0), Buffer.from('NATS/1.0\r\nno: header\r\n\r\n')])
      for (const headers of [
        [],
        [['a', 'ä']],
        [
          ['Nats-Msg-Id', '1'],
          ['empty', ''],
        ],
      ] as [string, string][][]) {
        const { message, delivered } = await roundTrip(`${subject}.${process.pid}`, headers, data)
        for (const got of [delivered, new DeliveredMessage(deliveryOf(message))]) {
          assert.equal([...got.headers.entries()], headers, `${subject} ${data.length}`)
          assert.is(got.headers.get('absent'), undefined)
          assert.is(got.subject, `${subject}.${process.pid}`)
          assert.is(got.text, data.toString())
        }
      }
})

test('a name is found in any case; the exact spelling goes first', () => {
  const reader = new BlockReader('NATS/1.0\r\nCe-Id: other\r\nce-id: exact\r\nNATS-MSG-ID:  spaced \r\n\r\n')
  assert.is(reader.get('ce-id'), 'exact')
  assert.is(reader.get('CE-ID'), 'other')
  assert.is(reader.get('nats-msg-id'), 'spaced')
  assert.is(reader.get('msg-id'), undefined)
  assert.is(reader.get('id'), undefined)
})

test('a value is never taken for a name', () => {
  const reader = new BlockReader('NATS/1.0\r\na: b: c\r\nx: ce-id: 7\r\n\r\n')
  assert.is(reader.get('a'), 'b: c')
  assert.is(reader.get('ce-id'), undefined)
  assert.is(reader.get('b'), undefined)
})

test('a letter that changes its length in lower case does not shift what is found after it', () => {
  const reader = new BlockReader('NATS/1.0\r\nfirst: İİİİ\r\nSecond: two\r\n\r\n')
  assert.is(reader.get('second'), 'two')
})

test('line breaks, colons and names that no server takes are refused', () => {
  for (const [key, text] of [
    ['a', 'b\nc'],
    ['a', 'b\rc'],
    ['a\nb', 'c'],
    ['a\rb', 'c'],
    ['a:b', 'c'],
    ['', 'c'],
    ['a b', 'c'],
    ['ä', 'c'],
  ] as const)
    assert.throws(
      () => encodeHeaders([[key, text]]),
      (error: unknown) => (error as MillraceError).code === 'MESSAGE_INVALID',
      JSON.stringify(key),
    )
})

test('the size of encoded headers is what the server counts', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const headers = encodeHeaders([['a', 'ö'.repeat(100)]])
  const room = connection.server.maxPayload - encodedSize(headers)
  const { subject } = numbered(stream, 0)
  const reply = await connection.nats.request(subject, Buffer.alloc(room), { headers, timeout: 5_000 })
  assert.is(reply.json<{ seq: number }>().seq, 1)
  const over = connection.nats.request(subject, Buffer.alloc(room + 1), { headers, timeout: 5_000 })
  await over.then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, 'max_payload'),
  )
})

test('a subject is read as it is, however many came before that look like it', () => {
  const subject = fc.oneof(
    fc.stringMatching(/^[ab]{1,9}\.[0-3]\.[ab]{1,3}$/),
    fc.string({ minLength: 1, unit: 'grapheme' }),
  )
  fc.assert(
    fc.property(fc.array(subject, { minLength: 1, maxLength: 40 }), (subjects) => {
      const texts = subjects.map((text) => Buffer.from(text))
      const frame = Buffer.concat(texts)
      let at = 0
      for (const [which, { length }] of texts.entries()) {
        const end = at + length
        const rest = { reply: end, replyEnd: end, headers: end, data: end, end }
        const message = new DeliveredMessage({ frame, subject: at, subjectEnd: end, ...rest })
        assert.is(message.subject, texts[which]?.toString())
        at = end
      }
    }),
    { numRuns: 500 },
  )
})

function delivered(reply: string): DeliveredMessage {
  const frame = Buffer.from(`MSG s 1 ${reply} 0`)
  const end = frame.length - 2
  const delivery: Delivery = { frame, subject: 4, subjectEnd: 5, reply: 8, replyEnd: end, headers: end, data: end, end }
  return new DeliveredMessage(delivery)
}

test('the ack subject is read in both of its layouts, whatever the names', () => {
  const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,30}$/)
  const count = fc.integer({ min: 0, max: 2 ** 53 - 1 })
  fc.assert(
    fc.property(
      label,
      label,
      fc.record({ tries: count, sequence: count, delivery: count, pending: count }),
      fc.integer({ min: 1_000_000_000_000, max: 9_000_000_000_000 }),
      fc.integer({ min: 0, max: 999_999 }),
      (stream, consumer, { tries, sequence, delivery, pending }, ms, ns) => {
        const time = `${ms}${String(ns).padStart(6, '0')}`
        const tail = `${stream}.${consumer}.${tries}.${sequence}.${delivery}.${time}.${pending}`
        for (const reply of [`$JS.ACK.${tail}`, `$JS.ACK._.AHASH.${tail}.x7Yz`, `$JS.ACK.hub.AHASH.${tail}.0`]) {
          const message = delivered(reply)
          assert.is(message.sequence, sequence)
          assert.is(message.delivery, delivery)
          assert.is(message.pending, pending)
          assert.is(message.storedAt, ms)
          assert.is(message.reply, reply)
        }
      },
    ),
  )
})

test('a stored message is what was published, with its time and place', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const before = Date.now()
  for (const n of upTo(3)) {
    const { subject, headers, data } = numbered(stream, n)
    await connection.nats.request(subject, n === 1 ? '' : data, { headers: encodeHeaders(headers), timeout: 5_000 })
  }
  await connection.nats.request(`${stream.root}.schlüssel.größe`, 'no headers', { timeout: 5_000 })
  const read = await readAll(connection, stream.name)
  assert.equal(
    read.map(({ sequence, delivery, pending }) => [sequence, delivery, pending]),
    upTo(4).map((n) => [n + 1, n + 1, 3 - n]),
  )
  assert.equal(
    read.map(({ headers }) => headers.get('nats-msg-id')),
    [...upTo(3).map((n) => `${stream.name}-${n}`), undefined],
  )
  assert.match(read[3]?.subject ?? '', /^t[\d-]+\.\d\.größe$/)
  assert.is(read[1]?.data.length, 0)
  for (const { storedAt } of read) assert.ok(storedAt >= before - 1 && storedAt <= Date.now() + 1)
})

test('a message that is no delivery of a stream reads as numbers, not as an exception', () => {
  for (const reply of ['', '$JS.ACK', 'a.b.c']) assert.type(delivered(reply).sequence, 'number')
})

test.run()
