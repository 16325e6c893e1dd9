// A recording is read back as the messages that it was made of: what a processor makes of them is the same.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../src/broker/define-stream.ts'
import { mergeStream } from '../../src/broker/merge-stream.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { decodeEvents } from '../../src/event/decode-event.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { packEvents } from '../../src/event/packed.ts'
import { partitionOf } from '../../src/event/partition.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { eventLine } from '../../src/replay/event-line.ts'
import { asStored, keepMessage } from '../../src/replay/kept-message.ts'
import { readRecording, storedSubject } from '../../src/replay/read-recording.ts'
import { unpack } from '../../src/replay/unpack.ts'

const test = suite('a recording')
const Paid = defineEvent('order.paid', {
  version: 2,
  data: z.object({ order: z.string(), amount: z.number() }),
  key: (data) => data.order,
  upcasters: { 1: (data) => ({ ...(data as object), amount: 0 }) },
})
const Sent = defineEvent('order.sent', { data: z.object({ order: z.string() }) })
const registry = createRegistry([Paid, Sent])
const stream = defineStream({ name: 'SHOP', root: 'shop', partitions: 4 })
const target = { stream, registry, time: 5_000 }

/** Messages as a stream has them: single ones, and one with two events. */
function messages(): StoredMessage[] {
  const event = (n: number) =>
    completeDraft(Paid({ order: `o${n}`, amount: n + 0.5 }, { attributes: { traceparent: `00-${n}` } }), {
      id: `e${n}`,
      source: '/shop',
      time: 1_000 * n,
      correlationId: 'c',
    })
  const stored = (n: number, encoded: ReturnType<typeof encodeEvent>, sequence: number): StoredMessage =>
    asStored({ subject: storedSubject(stream, event(n)), ...encoded }, sequence, 2_000 * n)
  return [
    stored(1, encodeEvent(event(1)), 3),
    stored(2, packEvents([event(2), event(2)]), 7),
    stored(3, encodeEvent(event(3)), 8),
  ]
}

function linesOf(all: readonly StoredMessage[]): string {
  return unpack(all)
    .map(({ headers, data, sequence, storedAt }) => {
      const line = eventLine(headers, data, { stream: 'SHOP', sequence, storedAt })
      return line.kind === 'line' ? line.text : ''
    })
    .join('')
}

test('lines of a replay are the messages that they were, with their sequences, times and partitions', () => {
  const original = messages()
  const { messages: read, rejected, others } = readRecording(linesOf(original), target)
  assert.equal([rejected, others], [[], 0])
  const decode = (message: StoredMessage) => {
    const { subject, sequence, storedAt } = message
    return [subject, sequence, storedAt, decodeEvents(registry, message, { stream: 'SHOP', sequence, storedAt })]
  }
  assert.equal(read.map(decode), original.map(decode))
})

test('events that were in one message are in one again', () => {
  assert.equal(
    readRecording(linesOf(messages()), target).messages.map(({ sequence }) => sequence),
    [3, 7, 8],
  )
})

test('where sequences do not rise, or are of several streams, the lines are counted', () => {
  const lines = linesOf(messages()).trimEnd().split('\n')
  const sequences = (text: string): number[] => readRecording(text, target).messages.map(({ sequence }) => sequence)
  assert.equal(sequences([...lines].reverse().join('\n')), [1, 2, 3, 4])
  assert.equal(sequences([lines[0], (lines[3] ?? '').replace('"SHOP"', '"OTHER"')].join('\n')), [1, 2])
})

test('lines by hand need no more than type and data', () => {
  const text = '{"type":"order.paid","data":{"order":"a","amount":1}}\n\n{"type":"order.sent","data":{"order":"a"}}\n'
  const { messages: read, others } = readRecording(text, { ...target, types: ['order.paid'] })
  assert.is(others, 1)
  const [message] = read
  assert.ok(message)
  assert.equal([message.sequence, message.storedAt], [1, 5_000])
  assert.is(message.subject, `shop.${partitionOf('a', 4)}.order.paid`)
  const [decoded] = decodeEvents(registry, message, { stream: 'SHOP', sequence: 1, storedAt: 5_000 })
  assert.ok(decoded?.kind === 'event')
  assert.equal([decoded.event.id, decoded.event.version, decoded.event.key], ['line-1', 2, 'a'])
})

test('an event without a key is in the partition of those', () => {
  const [message] = readRecording('{"type":"order.sent","data":{"order":"a"}}', target).messages
  assert.is(message?.subject, `shop.${partitionOf('_', 4)}.order.sent`)
})

test('in a stream that merges others, the subject says where an event came from', () => {
  const merged = mergeStream('p', [{ stream, types: ['order.paid'] }])
  const [message] = readRecording(linesOf(messages()), { ...target, stream: merged }).messages
  assert.match(message?.subject ?? '', /^millrace\.PIPELINE_p_INPUT\.SHOP\.\d\.order\.paid$/)
})

test('lines that are no events are named with their numbers and reasons', () => {
  const text = `{"type":"order.paid"\n[1]\n{"specversion":"1.0"}\n{"type":"order.paid","data":null}\n`
  const { rejected } = readRecording(text, target, 'day.ndjson')
  assert.equal(
    rejected.map(({ file, line }) => [file, line]),
    [1, 2, 3, 4].map((line) => ['day.ndjson', line]),
  )
  assert.match(rejected[0]?.detail ?? '', 'it is not JSON')
  assert.match(rejected[1]?.detail ?? '', 'it is not a JSON object')
  assert.match(rejected[2]?.detail ?? '', 'id is missing')
  assert.match(rejected[3]?.detail ?? '', 'its key cannot be taken from the data')
})

test('a kept message reads like the one that it is of, and does not hold its bytes', () => {
  const [original] = messages()
  assert.ok(original)
  const chunk = Buffer.concat([Buffer.alloc(1_000), original.data])
  const data = chunk.subarray(1_000)
  const kept = keepMessage({ ...original, data })
  assert.equal([...kept.headers.entries()], [...original.headers.entries()])
  assert.is(kept.headers.get('ce-id'), 'e1')
  assert.is(kept.text, Buffer.from(original.data).toString())
  chunk.fill(0)
  assert.is(Buffer.from(kept.data).toString(), kept.text)
})

test.run()
