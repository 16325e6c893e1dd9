import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readRecord, readRecordHead } from '../../src/actor/read-record.ts'
import { aggregateVersionOf } from '../../src/actor/aggregate-event.ts'
import { DECIDED_HEADER, STATE_HEADER, VERSION_HEADER } from '../../src/actor/record.ts'
import { encodeHeaders, encodedSize } from '../../src/broker/headers.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { decodeEvents } from '../../src/event/decode-event.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { headerList } from '../event/header-list.ts'
import { Deposited, effect, Noted, recordOf, registry, sourceOf } from './support.ts'

const test = suite('records of aggregates')

const text = fc.string({ minLength: 1, maxLength: 20, unit: 'binary' })
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const draft = fc.oneof(
  fc.integer().map((amount): EventDraft => Deposited({ amount })),
  json.map((value): EventDraft => Noted({ text: value }, { attributes: { traceparent: 'é "x"' } })),
)
const effects = fc.array(
  fc.record({
    commandId: text,
    sequence: fc.nat(),
    time: fc.integer({ min: 0, max: 4e12 }),
    correlationId: fc.option(text, { nil: undefined }),
    events: fc.array(draft, { maxLength: 8 }),
    rejected: fc.option(fc.record({ code: text, message: text, data: json }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 4 },
)

test('a record is read as it was written: any id, any data, any state, in as many messages as it takes', () => {
  fc.assert(
    fc.property(
      text,
      effects,
      json,
      fc.nat(1e6),
      fc.constantFrom(7_000, 1_048_576),
      (id, all, s, before, maxPayload) => {
        const count = all.reduce((sum, { events }) => sum + events.length, 0)
        const frame = { sv: 3, v: before + count, s, c: 'abcdefgh', t: { é: '1' }, o: { a: ['\u2028'] } }
        const { messages, version, carried } = recordOf({ id, before, effects: all, frame, carry: 1e6, maxPayload })
        assert.ok(carried)
        assert.is(version, before + count)
        const read = messages.map((message, at) => readRecord(registry, sourceOf(message, at + 1), 'S', 'it'))
        assert.equal(
          read.map(({ goesOn }) => goesOn),
          messages.map((_, at) => at < messages.length - 1),
        )
        const last = read.at(-1)
        assert.equal(last?.frame, frame)
        assert.equal(
          last?.decided,
          all.map(({ commandId: c, sequence: q, events, correlationId: r, rejected: x }) => ({
            c,
            q,
            n: events.length,
            ...(events.length > 0 || r === undefined || r === c ? {} : { r }),
            ...(x === undefined ? {} : { x: JSON.parse(JSON.stringify(x)) as unknown }),
          })),
        )
        const events = read.flatMap((part) => part.events)
        const expected = all.flatMap((one) => one.events.map((event) => ({ one, event })))
        assert.is(events.length, count)
        for (const [at, event] of events.entries()) {
          const { one, event: written } = expected[at] as (typeof expected)[number]
          assert.is(event.id, `account:${id}:${before + at + 1}`)
          assert.is(event.source, '/millrace/actors/account')
          assert.is(event.key, id)
          assert.is(event.time, one.time)
          assert.is(event.correlationId, one.correlationId)
          assert.is(event.causationId, one.commandId)
          assert.is(aggregateVersionOf(event), before + at + 1)
          assert.equal([event.type, event.version, event.data], [written.type, written.version, written.data])
          assert.is(event.attributes['traceparent'], written.attributes['traceparent'])
        }
      },
    ),
  )
})

for (const count of [1, 100, 1_000, 20_000])
  test(`${count} events of one decision keep within what the server takes, batch and expectation included`, () => {
    const maxPayload = 65_536
    const events = Array.from({ length: count }, (_, amount) => Deposited({ amount }))
    const frame = { sv: 1, v: count, s: { sum: 'x'.repeat(900) } }
    const { messages } = recordOf({ effects: [effect('c', events)], frame, maxPayload })
    for (const { headers, data } of messages) {
      const added: [string, string][] = [
        ['Nats-Batch-Id', 'x'.repeat(64)],
        ['Nats-Batch-Sequence', '1000'],
        ['Nats-Batch-Commit', '1'],
        ['Nats-Expected-Last-Subject-Sequence', '9007199254740991'],
      ]
      assert.ok(encodedSize(encodeHeaders([...headers, ...added])) + data.length <= maxPayload)
    }
    const read = messages.flatMap((message) => readRecord(registry, sourceOf(message), 'S', 'it').events)
    assert.equal(
      read.map(({ data }) => (data as { amount: number }).amount),
      events.map(({ data }) => data.amount),
    )
    assert.is(messages.length > 1, count > 100)
  })

test('every reader of events reads a record as the events in it', () => {
  const [message] = recordOf({ effects: [effect('c', [Deposited({ amount: 1 }), Deposited({ amount: 2 })])] }).messages
  const { headers, data } = message as NonNullable<typeof message>
  const read = decodeEvents(registry, { headers: headerList(headers), data }, { stream: 'S', sequence: 1, storedAt: 2 })
  assert.equal(
    read.map((one) => one.kind === 'event' && [one.event.type, one.event.attributes]),
    [1, 2].map((version) => ['account.deposited', { aggregateversion: String(version) }]),
  )
})

test('a rejection leaves the version as it is, and is told', () => {
  const rejected = { code: 'order.closed', message: 'größer\nals', data: { limit: 1 } }
  const { messages, version } = recordOf({ before: 7, effects: [effect('c', [], { rejected })] })
  assert.is(version, 7)
  const read = readRecord(registry, sourceOf(messages[0] as (typeof messages)[number]), 'S', 'it')
  assert.equal([read.version, read.events, read.decided], [7, [], [{ c: 'c', q: 3, n: 0, x: rejected }]])
})

test('a state above the limit is left out, all else of the frame is there', () => {
  const frame = { sv: 1, v: 0, s: 'x'.repeat(1_023), c: 'abcdefgh', z: true as const }
  const { messages, carried } = recordOf({ frame })
  assert.not(carried)
  const head = readRecordHead(sourceOf(messages[0] as (typeof messages)[number]), 'it')
  assert.equal(head.frame, { sv: 1, v: 0, c: 'abcdefgh', z: true })
  assert.ok(recordOf({ frame: { ...frame, s: 'x'.repeat(1_022) } }).carried)
})

test('what the draft says of identity and key counts less than the aggregate', () => {
  const odd = Deposited(
    { amount: 1 },
    { id: 'mine', key: 'other', source: '/me', attributes: { aggregateversion: '9' } },
  )
  const [message] = recordOf({ before: 4, effects: [effect('c', [odd])] }).messages
  const { events } = readRecord(registry, sourceOf(message as NonNullable<typeof message>), 'S', 'it')
  const [event] = events
  assert.equal(
    [event?.id, event?.key, event?.source, event?.attributes],
    ['account:42:5', '42', '/millrace/actors/account', { aggregateversion: '5' }],
  )
})

test('an event that is larger than what the server takes is refused before anything is sent', () => {
  const big = Noted({ text: 'é'.repeat(4_000) })
  assert.throws(
    () => recordOf({ effects: [effect('c', [big])], maxPayload: 8_000 }),
    (error: unknown) => isFault(error, 'MESSAGE_TOO_LARGE'),
  )
})

test('what is no record is said, with its place', () => {
  const good = recordOf({ effects: [effect('c', [Deposited({ amount: 1 })])], frame: { sv: 1, v: 1, s: 1 } })
    .messages[0]
  const { headers, data } = good as NonNullable<typeof good>
  const without = (name: string) => headers.filter(([one]) => one !== name)
  const bad = [
    { headers: without(VERSION_HEADER), data },
    { headers: [...without(VERSION_HEADER), [VERSION_HEADER, '-1'] as const], data },
    { headers: [...without(VERSION_HEADER), [VERSION_HEADER, '2'] as const], data },
    { headers: [...without(DECIDED_HEADER), [DECIDED_HEADER, '{'] as const], data },
    { headers: [...without(DECIDED_HEADER), [DECIDED_HEADER, '[1]'] as const], data },
    { headers: [...without(STATE_HEADER), [STATE_HEADER, '{"s":1}'] as const], data },
    { headers, data: Buffer.from('{}') },
    { headers, data: Buffer.from(Buffer.from(data).toString().replace('account.deposited', 'account.unknown')) },
  ]
  for (const message of bad)
    assert.throws(
      () => readRecord(registry, sourceOf(message), 'S', 'account "42"'),
      (error: unknown) => isFault(error, 'AGGREGATE_RECORD_INVALID') && error.detail.startsWith('account "42", seq'),
    )
})

test.run()
