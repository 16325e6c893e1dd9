import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { OutgoingEvent } from '../../src/event/outgoing-event.ts'
import { packEvent } from '../../src/event/pack-event.ts'
import { ownText } from '../../src/event/own-text.ts'
import { memberOf } from '../../src/event/packed.ts'
import { partitionOf } from '../../src/event/partition.ts'
import { encodeToken, NO_KEY, publishSubject } from '../../src/event/subject.ts'

const test = suite('an event on its way out')

const text = fc.oneof(
  { weight: 12, arbitrary: fc.stringMatching(/^[!#$&-[\]-~]{1,60}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[\x21-\x7e]{1,60}$/) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, unit: 'grapheme' }) },
)
const draft: fc.Arbitrary<EventDraft> = fc.record({
  type: fc.constantFrom('x.done', 'y'),
  version: fc.integer({ min: 1, max: 3 }),
  data: fc.oneof(fc.jsonValue(), fc.constant(undefined)),
  key: fc.option(text, { nil: undefined }),
  id: fc.option(text, { nil: undefined }),
  source: fc.option(fc.constantFrom('/a', '/b', '/b c'), { nil: undefined }),
  time: fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }),
  correlationId: fc.option(text, { nil: undefined }),
  causationId: fc.option(text, { nil: undefined }),
  attributes: fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constant({ other: 'o' }) },
  ),
})
const completion = { id: 'made-1-2-3', source: '/made', time: 1_750_000_000_123 }

test('it is what encodeEvent writes, alone and as a member of a pack', () => {
  let packable = 0
  fc.assert(
    fc.property(draft, fc.integer({ min: 1, max: 32 }), (given, partitions) => {
      const event = new OutgoingEvent(given, completion, 'r.s')
      const expected = encodeEvent(completeDraft(given, completion))
      const subject = publishSubject('r.s', given.key, given.type)
      assert.equal([event.subject, event.headers, event.data], [subject, expected.headers, expected.data])
      const packed = packEvent(given, completion, { root: 'r.s', partitions, mostData: 10_000 })
      if (packed === undefined) return
      packable += 1
      assert.equal([packed.subject, packed.headers], [subject, expected.headers])
      assert.equal(Buffer.from(packed.data), Buffer.from(expected.data))
      assert.is(packed.partition, partitionOf(given.key === undefined ? NO_KEY : encodeToken(given.key), partitions))
      const member = memberOf(expected)
      assert.is(
        packed.page.toString('utf8', packed.from, packed.to),
        member?.page.toString('utf8', member.from, member.to),
      )
    }),
    { numRuns: 500 },
  )
  assert.ok(packable > 50, `${packable} could be packed`)
})

test('what encodeEvent refuses is refused when it is made', () => {
  const good: EventDraft = {
    type: 'x.done',
    version: 1,
    data: {},
    key: 'k',
    id: undefined,
    source: undefined,
    time: undefined,
    correlationId: undefined,
    causationId: undefined,
    attributes: {},
  }
  for (const change of [
    { id: '' },
    { source: '' },
    { key: 'a\ud800' },
    { correlationId: '' },
    { causationId: '\ud800' },
    { time: Number.NaN },
    { version: 1.5 },
    { attributes: { id: 'x' } },
    { attributes: { Upper: 'x' } },
    { data: 1n },
  ])
    assert.throws(
      () => new OutgoingEvent({ ...good, ...change }, completion, 'r'),
      ({ code }: { code: string }) => /^(EVENT_ENVELOPE_INVALID|EVENT_DATA_INVALID|SUBJECT_INVALID)$/.test(code),
      JSON.stringify(Object.keys(change)),
    )
})

test('a text of its own is the same text', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000, unit: 'grapheme' }), (given) => assert.is(ownText(given), given)),
    { numRuns: 300 },
  )
})

test.run()
