import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readAggregateSnapshot, snapshotMessage } from '../../src/actor/aggregate-snapshot.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { sourceOf } from './support.ts'

const test = suite('snapshots of aggregates')

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)

test('a snapshot is read as it was written', () => {
  fc.assert(
    fc.property(json, fc.nat(), fc.constantFrom(0, 40_000), (value, v, more) => {
      const frame = { sv: 2, v, s: [value, 'é'.repeat(more)], c: 'abcdefgh' }
      const message = snapshotMessage('S', 'order', 'é x', frame, 1_048_576)
      assert.is(message.subject, 'millrace.S.aggregate.order.%C3%A9%20x')
      assert.ok(message.data.length < 40_000)
      assert.equal(readAggregateSnapshot(sourceOf(message), 'it'), frame)
    }),
    { numRuns: 50 },
  )
})

test('a state that does not fit into a message is said, before anything is sent', () => {
  const s = randomBytes(40_000).toString('hex')
  assert.throws(
    () => snapshotMessage('S', 'order', '1', { sv: 1, v: 1, s }, 30_000),
    (error: unknown) => isFault(error, 'AGGREGATE_STATE_TOO_LARGE'),
  )
})

test('a state that is not JSON is said', () => {
  const round: unknown[] = []
  round.push(round)
  for (const s of [undefined, round, () => 1])
    assert.throws(
      () => snapshotMessage('S', 'order', '1', { sv: 1, v: 1, s }, 30_000),
      (error: unknown) => isFault(error, 'AGGREGATE_STATE_INVALID'),
    )
})

test('what is no snapshot is said, with its place', () => {
  const { headers } = snapshotMessage('S', 'order', '1', { sv: 1, v: 1, s: 'x'.repeat(40_000) }, 1_048_576)
  for (const message of [
    { headers: [], data: Buffer.from('{') },
    { headers: [], data: Buffer.from('{"sv":1,"v":2}') },
    { headers, data: Buffer.from('no deflate') },
  ])
    assert.throws(
      () => readAggregateSnapshot(sourceOf(message), 'order "1"'),
      (error: unknown) => isFault(error, 'AGGREGATE_RECORD_INVALID') && error.detail.startsWith('order "1", snapshot'),
    )
})

test.run()
