import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  aggregateSnapshotSubject,
  assertAggregateType,
  idToken,
  isRecordSubject,
  parseRecordSubject,
  partitionOfAggregate,
  recordFilter,
  recordSubject,
  storedRecordSubject,
} from '../../src/actor/aggregate-subject.ts'
import { publishBatch } from '../../src/broker/batch.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { isSubject, publishSubject, subjectMatches } from '../../src/event/subject.ts'
import { freshStream, readAll, sharedConnection } from './support.ts'

const test = suite('subjects of aggregates')

const stream = { name: 'ORDERS', root: 'orders', partitions: 7 }
const id = fc.string({ minLength: 1, maxLength: 30, unit: 'binary' })

test('any text is an id: its subject says it, its type and its partition', () => {
  fc.assert(
    fc.property(id, fc.constantFrom('order', 'Card_2', 'a-b'), (text, type) => {
      const stored = storedRecordSubject(stream, type, text)
      assert.ok(isSubject(stored) && isSubject(recordSubject('orders', type, text)))
      const partition = partitionOfAggregate(text, 7)
      assert.equal(parseRecordSubject('orders', stored), { partition, type, id: text })
      assert.ok(isRecordSubject('orders', stored))
      assert.ok(subjectMatches(recordFilter('orders', type, partition), stored))
      assert.ok(isSubject(aggregateSnapshotSubject('ORDERS', type, text)))
    }),
  )
})

test('an event is not taken for a record, whatever its type', () => {
  assert.not(isRecordSubject('orders', 'orders.3.order.placed'))
  assert.not(isRecordSubject('orders', 'payments.3.millrace.aggregate.order.1'))
  assert.is(parseRecordSubject('orders', 'orders.3.millrace.aggregate.order'), undefined)
  assert.is(parseRecordSubject('orders', 'orders.3.millrace.aggregate.order.1.2'), undefined)
  assert.is(parseRecordSubject('orders', 'orders.x.millrace.aggregate.order.1'), undefined)
  assert.is(parseRecordSubject('orders', publishSubject('orders', 'k', 'millrace.aggregates.order.1')), undefined)
})

test('what cannot be an id or a type is said', () => {
  for (const bad of ['', '\ud800', 'é'.repeat(400)])
    assert.throws(
      () => idToken(bad),
      (error: unknown) => isFault(error, 'AGGREGATE_ID_INVALID'),
    )
  for (const bad of ['', 'a.b', 'a*', 'x'.repeat(65)])
    assert.throws(
      () => assertAggregateType(bad),
      (error: unknown) => isFault(error, 'AGGREGATE_ID_INVALID'),
    )
})

test('the server stores a record where storedRecordSubject says', async () => {
  const connection = await sharedConnection()
  const fresh = await freshStream(connection)
  const ids = ['1', '_', 'a b', 'é.*>', '%', 'x'.repeat(1_000)]
  const messages = ids.map((one) => ({
    subject: recordSubject(fresh.root, 'order', one),
    headers: [],
    data: Buffer.from('[]'),
  }))
  await publishBatch(connection, messages)
  const stored = await readAll(connection, fresh.name)
  assert.equal(
    stored.map(({ subject }) => subject),
    ids.map((one) => storedRecordSubject(fresh, 'order', one)),
  )
})

test.run()
