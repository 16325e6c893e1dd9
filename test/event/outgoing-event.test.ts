import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { OutgoingEvent } from '../../src/event/outgoing-event.ts'
import { packEvent } from '../../src/event/pack-event.ts'
import { outputId } from '../../src/event/identity.ts'
import { OutputCompletion } from '../../src/event/output-completion.ts'
import { ownText } from '../../src/event/own-text.ts'
import { memberOf, writeMember, type PackMember } from '../../src/event/packed.ts'
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
const identity = fc.record({
  processor: fc.oneof(fc.constantFrom('pipeline-p', 'rule-é', 'x'.repeat(600)), text),
  partition: fc.nat(40),
  sequence: fc.maxSafeNat(),
  ordinal: fc.nat(2_000),
})
const cause = fc.record({
  source: fc.constantFrom('/made', '/a'),
  time: fc.oneof(
    fc.integer({ min: -6e13, max: 2e14 }),
    fc.integer({ min: -1e9, max: 1e9 }).map((us) => us / 1_000),
  ),
  correlationId: fc.option(text, { nil: undefined }),
  causationId: fc.option(text, { nil: undefined }),
})
const nested = fc.oneof(
  fc.array(fc.string({ maxLength: 4_000, size: 'max' }), { maxLength: 30 }),
  fc.dictionary(text, fc.oneof(fc.double(), fc.integer(), fc.string({ maxLength: 80 })), { maxKeys: 60 }),
)

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
  assert.ok(packable > 20, `${packable} could be packed`)
})

test('an output as a member is what encodeEvent writes, whatever its names, its time and the size of its data', () => {
  let packable = 0
  fc.assert(
    fc.property(draft, identity, cause, nested, fc.boolean(), (given, names, rest, data, same) => {
      const causation = same ? { ...rest, causationId: rest.correlationId } : rest
      const made = new OutputCompletion(names, causation)
      const { processor, partition, sequence, ordinal } = names
      assert.is(made.id, outputId(processor, partition, sequence, ordinal))
      const output = { ...given, id: undefined, data }
      const packed = packEvent(output, made, { root: 'r', partitions: 8, mostData: 100_000 })
      if (packed === undefined) return
      packable += 1
      const member = memberOf(encodeEvent(completeDraft(output, made)))
      assert.is(textOf(packed), member === undefined ? '' : textOf(member))
    }),
    { numRuns: 500 },
  )
  assert.ok(packable > 20, `${packable} could be packed`)
})

test('members that were written stay as they are, whatever is written after them', () => {
  const sizes = [10, 70_000, 3, 30_000, 7_000, 64_000, 1, 200_000, 5]
  const members = sizes.map((size, at) => writeMember(`${at}:${'é'.repeat(size)}`))
  assert.equal(
    members.map((member) => textOf(member).length),
    sizes.map((size) => size + 2),
  )
  assert.ok(members.every((member, at) => textOf(member) === `${at}:${'é'.repeat(sizes[at] ?? 0)}`))
})

test('data that is larger than it may be is not packed', () => {
  const large = { ...good, data: { text: 'x'.repeat(50), more: 'y'.repeat(50) } }
  assert.is(packEvent(large, completion, { root: 'r', partitions: 1, mostData: 100 }), undefined)
  assert.is(
    packEvent({ ...good, data: ['x'.repeat(200)] }, completion, { root: 'r', partitions: 1, mostData: 100 }),
    undefined,
  )
  assert.is.not(packEvent(large, completion, { root: 'r', partitions: 1, mostData: 200 }), undefined)
})

function textOf({ page, from, to }: PackMember): string {
  return page.toString('utf8', from, to)
}

test('what encodeEvent refuses is refused when it is made', () => {
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
