import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { upTo } from '../support/numbered.ts'
import { has, publishNumbers, take, type Taker } from '../support/taker.ts'

const test = suite('a feed')

async function consumerNames(connection: Connection, stream: string): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of connection.manager.consumers.list(stream)) names.push(name)
  return names
}

test('F3 a taker that does not release gets the credit and no more; releasing gives that many more', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishNumbers(connection, stream, upTo(500))
  const taker = take(connection, stream, { credit: 50, durable: 'd' }, false)
  await has(taker, 50)
  await systemClock.sleep(100)
  assert.is(taker.taken.length, 50)
  taker.feed.release(30)
  await has(taker, 80)
  await systemClock.sleep(50)
  assert.is(taker.taken.length, 80)
  taker.feed.release(50)
  await has(taker, 130)
  taker.feed.stop()
})

test('a feed starts at a sequence, at a time, or with what is new; a durable one also when it stood elsewhere', async () => {
  const connection = await sharedConnection()
  for (const base of [{}, { durable: 'd' }]) {
    const stream = await freshStream(connection)
    await publishNumbers(connection, stream, upTo(10))
    await systemClock.sleep(5)
    const between = Date.now()
    await publishNumbers(connection, stream, upTo(10, 10))
    const bySequence = take(connection, stream, { ...base, start: { kind: 'sequence', sequence: 16 } })
    await has(bySequence, 5)
    assert.equal(bySequence.numbers, upTo(5, 15))
    bySequence.feed.stop()
    const byTime = take(connection, stream, { ...base, start: { kind: 'time', time: between } })
    await has(byTime, 10)
    assert.equal(byTime.numbers, upTo(10, 10))
    byTime.feed.stop()
    const onlyNew = take(connection, stream, { ...base, start: { kind: 'new' } })
    await eventually('open', () => onlyNew.caughtUp > 0)
    await publishNumbers(connection, stream, [20])
    await has(onlyNew, 1)
    assert.equal(onlyNew.numbers, [20])
    onlyNew.feed.stop()
  }
})

test('filters are what a feed reads, also when those of its durable consumer were others', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishNumbers(connection, stream, upTo(14))
  const type = (n: number) => storedFilter(stream.root, `counted.t${n}`)
  const expected = (keys: readonly number[]) => upTo(14).filter((n) => keys.includes(n % 7))
  for (const keys of [[1], [2, 3], [0, 1, 2, 3, 4, 5, 6], [5]] as const) {
    const filters = keys.length === 7 ? [] : keys.map(type)
    const taker = take(connection, stream, { durable: 'd', filters })
    await has(taker, keys.length * 2)
    await eventually('caught up', () => taker.caughtUp > 0)
    assert.equal(taker.numbers, expected(keys))
    taker.feed.stop()
  }
})

test('it says when it has caught up, also when what was waiting is deleted', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishNumbers(connection, stream, upTo(10))
  const taker = take(connection, stream, { credit: 5 }, false)
  await has(taker, 5)
  await connection.manager.streams.purge(stream.name)
  taker.feed.release(5)
  await eventually('caught up', () => taker.caughtUp > 0)
  assert.is(taker.taken.length, 5)
  taker.feed.stop()
})

test('a stopped feed hands over nothing more; a passing consumer goes with it, a durable one stays', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishNumbers(connection, stream, upTo(10))
  const durable = take(connection, stream, { durable: 'd' })
  const passing = take(connection, stream)
  for (const taker of [durable, passing]) await has(taker, 10)
  assert.is((await consumerNames(connection, stream.name)).length, 2)
  for (const taker of [durable, passing]) taker.feed.stop()
  await eventually('gone', async () => (await consumerNames(connection, stream.name)).length === 1)
  assert.equal(await consumerNames(connection, stream.name), ['d'])
  await publishNumbers(connection, stream, [10])
  await systemClock.sleep(50)
  for (const taker of [durable, passing]) assert.is(taker.taken.length, 10)
})

test('a taker that stops the feed in the middle hears nothing more of it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishNumbers(connection, stream, upTo(10))
  let calls = 0
  const taker: Taker = take(connection, stream, {
    onMessages: () => {
      calls += 1
      taker.feed.stop()
    },
  })
  await eventually('stopped', () => calls > 0)
  await systemClock.sleep(20)
  assert.is(calls, 1)
  assert.is(taker.caughtUp, 0)
})

test('what is acknowledged shows in the lag that the server reports', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishNumbers(connection, stream, upTo(100))
  const taker = take(connection, stream, { durable: 'd' })
  await has(taker, 100)
  const info = await eventually('acks', async () => {
    const found = await connection.manager.consumers.info(stream.name, 'd')
    return found.num_ack_pending === 0 ? found : undefined
  })
  assert.is(info.ack_floor.stream_seq, 100)
  assert.is(info.num_pending, 0)
  taker.feed.stop()
})

test.run()
