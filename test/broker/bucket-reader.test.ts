import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BucketReader, bucketReaderOf } from '../../src/broker/bucket-reader.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { freshBucket } from '../support/bucket.ts'
import { sharedServer } from '../support/nats.ts'

const test = suite('reading a bucket')

async function reading(ttlMs?: number) {
  // of its own: what it sends is counted
  const connection = await connectTo((await sharedServer()).url)
  const bucket = await freshBucket(connection, ttlMs)
  const reader = new BucketReader(connection, bucket.name, systemClock)
  const get = async (key: string, maxAge = 0): Promise<string | undefined> => {
    const data = await reader.get(key, maxAge)
    return data === undefined ? undefined : Buffer.from(data).toString()
  }
  return { connection, bucket, get }
}

test('the last value of a key; none where there is none, it was deleted, or no bucket can have the key', async () => {
  const { bucket, get } = await reading()
  await bucket.put('m.1', 'a')
  await bucket.put('m.1', 'b')
  await bucket.put('m.2', '')
  assert.equal([await get('m.1'), await get('m.2'), await get('m.3')], ['b', '', undefined])
  await bucket.remove('m.1', 'DEL')
  await bucket.remove('m.2', 'PURGE')
  assert.equal([await get('m.1'), await get('m.2')], [undefined, undefined])
  for (const key of ['', ' ', 'a b', '*', '>', 'm.*', '.a', 'a.', 'ü', 'a..b'])
    assert.is(await get(key), undefined, key)
})

test('a value that was read is given out again until it is too old, and nobody asks for it twice at a time', async () => {
  const { connection, bucket, get } = await reading()
  await bucket.put('k', 'old')
  const before = connection.nats.stats().outMsgs
  const all = await Promise.all(Array.from({ length: 200 }, () => get('k', 60_000)))
  assert.equal(new Set(all), new Set(['old']))
  assert.is(connection.nats.stats().outMsgs - before, 1)
  assert.is(await get('none', 60_000), undefined)
  await bucket.put('k', 'new')
  await bucket.put('none', 'now')
  assert.equal([await get('k', 60_000), await get('none', 60_000)], ['old', undefined])
  assert.is(await get('k', 0), 'new')
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.is(await get('none', 20), 'now')
})

test('a value that has expired in the bucket is none', async () => {
  const { bucket, get } = await reading(1_000)
  // again and again, until it was read before it expired
  await eventually('it is there', async () => {
    await bucket.put('k', 'v')
    return (await get('k')) === 'v'
  })
  await eventually('expired', async () => (await get('k')) === undefined || undefined)
})

test('however many values are read, a bounded number is kept', async () => {
  const { bucket, get } = await reading()
  const large = 'x'.repeat(900_000)
  for (let at = 0; at < 40; at++) await bucket.put(`k${at}`, `${at} ${large}`)
  for (let at = 0; at < 40; at++) await get(`k${at}`, 60_000)
  await bucket.put('k0', 'changed')
  await bucket.put('k39', 'changed')
  assert.is(await get('k0', 60_000), 'changed', 'the oldest gave way')
  assert.match((await get('k39', 60_000)) ?? '', /^39 x/)
})

test('a bucket that is not there is an error that says so', async () => {
  const connection = await sharedConnection()
  const reading = bucketReaderOf(connection, 'NO_SUCH_BUCKET', systemClock).get('k', 0)
  const error = await reading.catch((failure: unknown) => failure)
  assert.ok(isFault(error, 'BUCKET_NOT_FOUND'), String(error))
})

test.run()
