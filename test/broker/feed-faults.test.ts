import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { upTo } from '../support/numbered.ts'
import { has, publishNumbers, take } from '../support/taker.ts'

const test = suite('a feed under faults')

test('F1 F2 F4 a server that is killed while messages flow costs none and doubles none', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const durable = take(connection, stream, { durable: 'd' })
  const passing = take(connection, stream)
  const publishing = publishNumbers(connection, stream, upTo(20_000))
  await has(durable, 2_000)
  await server.kill()
  await server.restart()
  await publishing
  for (const taker of [durable, passing]) {
    await has(taker, 20_000, 60_000)
    assert.equal(taker.numbers, upTo(20_000))
    assert.is(taker.failure, undefined)
  }
})

test('F1 F2 F4 a link that is cut again and again leaves out nothing and repeats nothing', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const takers = [take(connection, stream, { durable: 'd', credit: 100 }), take(connection, stream, { credit: 100 })]
  for (const round of upTo(5)) {
    await publishNumbers(await sharedConnection(), stream, upTo(1_000, round * 1_000))
    link.cut()
    await systemClock.sleep(round * 20)
  }
  for (const taker of takers) {
    await has(taker, 5_000)
    assert.equal(taker.numbers, upTo(5_000))
    taker.feed.stop()
  }
})

test('F3 credit is kept over a cut link', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  await publishNumbers(await sharedConnection(), stream, upTo(300))
  const taker = take(connection, stream, { credit: 50 }, false)
  await has(taker, 50)
  link.close()
  await eventually('away', () => connection.state.kind === 'disconnected')
  taker.feed.release(10)
  link.open()
  await has(taker, 60)
  await systemClock.sleep(100)
  assert.is(taker.taken.length, 60)
  taker.feed.release(60)
  await has(taker, 120)
  assert.equal(taker.numbers, upTo(120))
  taker.feed.stop()
})

test('F4 a consumer that is deleted under the feed is made again where it was', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const taker = take(connection, stream, { durable: 'd' })
  await publishNumbers(connection, stream, upTo(100))
  await has(taker, 100)
  await connection.manager.consumers.delete(stream.name, 'd')
  await publishNumbers(connection, stream, upTo(100, 100))
  await has(taker, 200)
  assert.equal(taker.numbers, upTo(200))
  taker.feed.stop()
})

test('F4 what another puller took from the consumer is handed over all the same', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const taker = take(connection, stream, { durable: 'd' })
  await eventually('open', () => taker.caughtUp > 0)
  const stolen: string[] = []
  const inbox = connection.newInbox()
  connection.nats.subscribe(inbox, { callback: (_, m) => void (m.data.length > 0 && stolen.push(m.string())) })
  const steal = (batch: number): void =>
    connection.nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream.name}.d`, JSON.stringify({ batch, expires: 60e9 }), {
      reply: inbox,
    })
  steal(40)
  const { manager } = connection
  await eventually('both wait', async () => (await manager.consumers.info(stream.name, 'd')).num_waiting >= 2)
  await publishNumbers(connection, stream, upTo(200))
  await has(taker, 200)
  assert.equal(taker.numbers, upTo(200))
  assert.ok(stolen.length > 0, 'the thief got some')
  taker.feed.stop()
})

test('F4 messages that all went to another puller are noticed although nothing follows them', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const taker = take(connection, stream, { durable: 'd', credit: 1 }, false)
  await publishNumbers(connection, stream, [0])
  await has(taker, 1) // the credit is used up, so that the feed has no request waiting
  await publishNumbers(connection, stream, upTo(5, 1))
  const inbox = connection.newInbox()
  let stolen = 0
  connection.nats.subscribe(inbox, { callback: (_, m) => void (stolen += m.data.length > 0 ? 1 : 0) })
  connection.nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream.name}.d`, JSON.stringify({ batch: 5, expires: 5e9 }), {
    reply: inbox,
  })
  await eventually('stolen', () => stolen === 5)
  for (const n of upTo(5)) {
    taker.feed.release(1)
    await has(taker, n + 2)
  }
  assert.equal(taker.numbers, upTo(6))
  taker.feed.stop()
})

test('F2 a stream that is gone fails the feed with a code', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const taker = take(connection, stream, { durable: 'd' })
  await eventually('open', () => taker.caughtUp > 0)
  await connection.manager.streams.delete(stream.name)
  assert.is((await eventually('failure', () => taker.failure)).code, 'STREAM_NOT_FOUND')
})

test('F1 a stream that is deleted and made again is another one: its sequences are not mixed', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const direct = await sharedConnection()
  const stream = await freshStream(direct)
  const taker = take(connection, stream, { durable: 'd' })
  await publishNumbers(direct, stream, upTo(10))
  await has(taker, 10)
  link.close()
  const { config } = await direct.manager.streams.info(stream.name)
  await direct.manager.streams.delete(stream.name)
  await direct.manager.streams.add(config)
  await publishNumbers(direct, stream, upTo(20, 100))
  link.open()
  assert.is((await eventually('failure', () => taker.failure)).code, 'STREAM_REPLACED')
  assert.equal(taker.numbers, upTo(10))
})

test('F2 a feed of what is new keeps its place when the link is cut before the first message', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const taker = take(connection, stream, { start: { kind: 'new' } })
  await eventually('open', () => taker.caughtUp > 0)
  link.close()
  await publishNumbers(await sharedConnection(), stream, upTo(3))
  link.open()
  await has(taker, 3)
  assert.equal(taker.numbers, upTo(3))
})

test('a closed connection fails its feeds with a code, once', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const stream = await freshStream(await sharedConnection())
  const taker = take(connection, stream)
  await eventually('open', () => taker.caughtUp > 0)
  await connection.close()
  assert.is((await eventually('failure', () => taker.failure)).code, 'BROKER_UNREACHABLE')
  taker.feed.release(1)
  taker.feed.acknowledge(taker.taken)
})

test('a feed of a connection that is closed already fails with a code', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const stream = await freshStream(await sharedConnection())
  await connection.close()
  const taker = take(connection, stream)
  assert.is((await eventually('failure', () => taker.failure)).code, 'BROKER_UNREACHABLE')
})

test.run()
