import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { partitionOf, partitionOfKey } from '../../src/event/partition.ts'
import { encodeToken, NO_KEY, parseStoredSubject } from '../../src/event/subject.ts'
import { publishBatch } from '../../src/broker/batch.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'

const test = suite('the partition of a key')

const ODD = [
  'a',
  'k1',
  '_',
  'a.b',
  '*',
  '>',
  '%',
  'a b',
  'é',
  '日本',
  '🙂',
  '\u0000',
  '-',
  '$',
  '/x?y=z#',
  'x'.repeat(200),
]

test('it is that of the published test vectors of FNV-1a', () => {
  // http://www.isthe.com/chongo/src/fnv/test_fnv.c
  assert.is(partitionOf('', 2 ** 32), 0x811c9dc5)
  assert.is(partitionOf('a', 2 ** 32), 0xe40c292c)
  assert.is(partitionOf('foobar', 2 ** 32), 0xbf9cf968)
})

test('that of a key is that of its token', () => {
  const key = fc.oneof(fc.constantFrom(...ODD), fc.string({ minLength: 1, unit: 'binary-ascii' }))
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 64 }), (given, partitions) =>
      assert.is(partitionOfKey(given, partitions), partitionOf(encodeToken(given), partitions)),
    ),
  )
  for (const none of [undefined, '', '\ud800']) assert.is(partitionOfKey(none, 64), partitionOf(NO_KEY, 64))
})

test('it is always one of the partitions', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.integer({ min: 1, max: 1_024 }),
      (key, partitions) => {
        const partition = partitionOf(encodeToken(key), partitions)
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
      },
    ),
  )
})

test('a real server puts every key, however odd, where this function says, for many numbers of partitions', async () => {
  const connection = await sharedConnection()
  const random = fc.sample(fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }), { numRuns: 80, seed: 7 })
  const tokens = [...new Set([NO_KEY, ...[...ODD, ...random].map(encodeToken)])]
  for (const partitions of [1, 2, 3, 16, 64, 1_000, 1_024]) {
    const stream = await freshStream(connection, { partitions })
    await publishBatch(
      connection,
      tokens.map((token) => ({ subject: `${stream.root}.${token}.a.b`, headers: [], data: Buffer.from(token) })),
    )
    const stored = await readAll(connection, stream.name)
    assert.is(stored.length, tokens.length)
    for (const { subject, data } of stored) {
      const token = Buffer.from(data).toString()
      assert.is(parseStoredSubject(stream.root, subject)?.partition, partitionOf(token, partitions), token)
    }
  }
})

test('raw characters beyond ASCII, which other publishers may send, are hashed as their UTF-8 bytes', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { partitions: 1_024 })
  const tokens = ['é', 'aé', '日本', '🙂x']
  for (const token of tokens)
    await publishBatch(connection, [{ subject: `${stream.root}.${token}.a`, headers: [], data: Buffer.from(token) }])
  for (const { subject, data } of await readAll(connection, stream.name)) {
    const token = Buffer.from(data).toString()
    assert.is(parseStoredSubject(stream.root, subject)?.partition, partitionOf(token, 1_024), token)
  }
})

test.run()
