import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodedSize, encodeHeaders } from '../../src/broker/headers.ts'
import { readDeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import type { Issue } from '../../src/error/millrace-error.ts'
import type { Decision } from '../../src/kernel/decision.ts'
import { MOST_HEADER_BYTES } from '../../src/broker/event-message.ts'
import { lettersOf, deadLetterMessage, type DeadLetterReason } from '../../src/kernel/dead-letter.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { headersOf, storedMessage, turnOf } from './messages.ts'

const test = suite('a dead letter')

const MAX = 1_048_576
const REASON: DeadLetterReason = { processor: 'contract', code: 'EVENT_DATA_INVALID', detail: 'no number', issues: [] }

function letterOf(
  headers: readonly (readonly [string, string])[],
  data: Uint8Array,
  reason: Partial<DeadLetterReason> = {},
  maxPayload = MAX,
) {
  const message = storedMessage(7, { subject: 'shop.c%201.order', headers: headersOf(headers), data })
  const letter = deadLetterMessage('SHOP', message, { ...REASON, ...reason }, maxPayload)
  const size = encodedSize(encodeHeaders(letter.headers))
  const read = readDeadLetter(storedMessage(1, { headers: headersOf(letter.headers), data: letter.data }))
  return { letter, read, header: size, size: size + letter.data.length }
}

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', 'x\ny', 'x\r\nNats-Rollup: all', '\ud800', '"', '%', ' '),
  fc
    .tuple(fc.constantFrom('x', 'ä', '鍵', '🔑', '\ud800', '"', '\n'), fc.integer({ min: 1, max: 70_000 }))
    .map(([char, length]) => char.repeat(length)),
)
const name = fc.oneof(
  fc.stringMatching(/^[!-9;-~]{1,20}$/),
  fc.constantFrom('My Header', 'Nats-Rollup', 'nats-expected-last-subject-sequence', 'Millrace-Dead-Code', 'ce-id', ''),
  text,
)
const issue = fc.record({ detail: text, pointer: text }, { requiredKeys: ['detail'] }) as fc.Arbitrary<Issue>
const reason = fc.record(
  { detail: text, code: text, stack: text, issues: fc.array(issue, { maxLength: 30 }) },
  { requiredKeys: ['detail', 'code', 'issues'] },
) as fc.Arbitrary<Partial<DeadLetterReason>>
const maxPayload = fc.oneof(fc.constantFrom(4_096, 65_536, MAX), fc.integer({ min: 4_096, max: MAX }))
const payload = new Uint8Array(MAX)

test('any message within the limit of the server has one that is within it too, and says what it is about', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, text), { maxLength: 12 }),
      maxPayload,
      fc.integer({ min: 0, max: 3_000 }),
      fc.boolean(),
      reason,
      (headers, max, n, near, why) => {
        const data = payload.subarray(0, near ? max - n : n)
        const { letter, read, header, size } = letterOf(headers, data, why, max)
        assert.ok(size <= max, `${size} of ${max}`)
        assert.ok(header <= MOST_HEADER_BYTES, `${header} of headers`)
        assert.equal([read.stream, read.sequence, read.subject], ['SHOP', 7, 'shop.c%201.order'])
        // what is not there is said to be left out
        assert.is(read.leftOut.payload ?? letter.data.length, data.length)
        assert.is(read.leftOut.headers ?? read.headers.length, headers.length)
        const nats = letter.headers.filter(([key]) => /^nats-/i.test(key))
        assert.equal(nats, [['Nats-Expected-Last-Subject-Sequence', '0']])
      },
    ),
    { numRuns: 120 },
  )
})

test('headers of any kind come back as they were when there is room, and never count as its own', () => {
  const short = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('x\ny', '\r', '"%', ' x '))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(name, short), short), { maxLength: 8 }), (headers) => {
      fc.pre(headers.every(([key]) => key.length < 100))
      const { read } = letterOf(headers, Buffer.from('{}'))
      const sorted = (list: readonly (readonly [string, string])[]) => list.map((h) => JSON.stringify(h)).sort()
      assert.equal(sorted(read.headers), sorted(headers))
      assert.equal([read.code, read.processor, read.detail], ['EVENT_DATA_INVALID', 'contract', 'no number'])
    }),
  )
})

test('what is too large is given up in order: stack, ends of texts, payload', () => {
  const long = { detail: 'd'.repeat(2_000), stack: 's'.repeat(2_000) }
  const { size } = letterOf([['a', 'b']], Buffer.alloc(0), long)
  const room = (bytes: number) => letterOf([['a', 'b']], Buffer.alloc(MAX - size + bytes), long).read
  assert.is(room(0).stack, long.stack)
  assert.is(room(1).stack, undefined)
  assert.is(room(1).detail, long.detail)
  assert.match(room(2_500).detail, /^d{200,}…$/)
  assert.equal(room(2_500).leftOut, {})
  const without = room(size)
  assert.equal(without.leftOut, { payload: MAX })
  assert.equal(without.headers, [['a', 'b']])
  assert.equal([without.detail, without.stack], [long.detail, long.stack], 'there is room for them again')
})

test('headers that fill what the server takes of them are left out, and the payload stays', () => {
  const { read } = letterOf([['a', 'x'.repeat(65_500)]], Buffer.from('{"a":1}'))
  assert.equal(read.leftOut, { headers: 1 })
  assert.is(Buffer.from(read.data).toString(), '{"a":1}')
})

test('a long list of issues stays a list, and says how many it has not', () => {
  const issues = Array.from({ length: 5_000 }, (_, at) => ({ detail: `wrong "${at}"`, pointer: `/${at}` }))
  const { read } = letterOf([], Buffer.from('{}'), { issues })
  const shown = read.issues.length - 1
  assert.ok(shown > 50)
  assert.equal(read.issues.slice(0, shown), issues.slice(0, shown))
  assert.equal(read.issues.at(-1), { detail: `${5_000 - shown} of 5000 are left out` })
})

test('letters of a message are numbered by processor, those of a decision are named after it', () => {
  const by = (processor: string) => ({ ...REASON, processor })
  const deadLetters = [by('contract'), by('rule-a'), by('rule-a'), by('contract'), by('rule-a')]
  const which = (fields: Partial<Turn>) =>
    lettersOf(turnOf(7, 0, { deadLetters, ...fields })).map((letter) => letter.which)
  assert.equal(which({}), ['', '', '1', '1', '2'])
  const none = { message: undefined, storedAt: 0 }
  const step = (id: string, value: unknown): Decision => ({ kind: 'step', id, outcome: { ok: true, value } })
  const decisions: Decision[] = [
    { kind: 'tick', time: 5 },
    { kind: 'tick', time: 6 },
    step('a', 1),
    step('a', 2),
    step('b', 1),
  ]
  const all = decisions.map((decision) => which({ ...none, decision }))
  for (const [name = '', ...others] of all) {
    assert.match(name, /^d[0-9a-f]{8}$/)
    assert.equal(others, [name, `${name}.1`, `${name}.1`, `${name}.2`])
  }
  assert.is(new Set(all.map(([name]) => name)).size, decisions.length)
  assert.equal(
    which({ ...none, decision: JSON.parse(JSON.stringify({ after: 6, ...step('a', 1) })) as Decision }),
    all[2],
    'the same in a replay',
  )
})

test.run()
