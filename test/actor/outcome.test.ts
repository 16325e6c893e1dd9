import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeOutcome, encodeOutcome, isReplySubject, replyOf, type Outcome } from '../../src/actor/outcome.ts'

const test = suite('outcome')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('each kind of outcome is read back as it was written', () => {
  const common = { commandId: 'c1', id: 'order 1' }
  const outcomes: Outcome[] = [
    { kind: 'accepted', ...common, version: 2, events: [{ id: 'order:order 1:2', type: 'order.placed' }], sequence: 9 },
    { kind: 'accepted', ...common, version: 0, events: [] },
    { kind: 'rejected', ...common, version: 2, code: 'OUT_OF_STOCK', message: 'nothing left', data: { left: 0 } },
    { kind: 'failed', ...common, code: 'EVENT_DATA_INVALID', detail: 'amount is missing' },
  ]
  for (const outcome of outcomes) assert.equal(decodeOutcome(encodeOutcome(outcome)), outcome)
})

test('what is no outcome is read as none, whatever it is', () => {
  for (const text of ['', '{', 'null', '[]', '{"kind":"accepted"}', '{"kind":"done","commandId":"c","id":"i"}'])
    assert.is(decodeOutcome(bytes(text)), undefined, text)
  assert.is(decodeOutcome(bytes('{"kind":"accepted","commandId":"c","id":"i","version":1}')), undefined)
  assert.is(decodeOutcome(new Uint8Array([0xff, 0xfe])), undefined)
})

test('an owner answers to inboxes alone: no command has it write into a stream or to the server', () => {
  for (const inbox of ['_INBOX.Ab3.1', '_INBOX_alice.x.y.7', '_R_.x.1']) assert.ok(isReplySubject(inbox), inbox)
  for (const other of [
    'payments.c1.payment.authorized',
    'millrace.PAYMENTS.commit.actor-card.0',
    '$JS.API.STREAM.DELETE.PAYMENTS',
    '_inbox.1', // may be the root of a stream
    '_INBOX',
    '_INBOX.*',
    '_INBOX.>',
    '_INBOX.a b',
    '_INBOX..a',
    `_INBOX.${'a'.repeat(300)}`,
    '',
  ])
    assert.not(isReplySubject(other), other)
  assert.is(replyOf({ attributes: { replyto: 'payments.c1.x' } }), undefined)
  assert.is(replyOf({ attributes: { replyto: '_INBOX.a.1' } }), '_INBOX.a.1')
  assert.is(replyOf({ attributes: {} }), undefined)
})

test.run()
