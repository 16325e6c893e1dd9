import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { Feed, type FeedOptions } from '../../src/broker/feed.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { numbered, numberOf, upTo } from '../support/numbered.ts'

const test = suite('a feed')

async function publish(connection: Connection, stream: StreamDeclaration, numbers: readonly number[]): Promise<void> {
  const publisher = new Publisher(connection, { clock: systemClock })
  await Promise.all(numbers.map((n) => publisher.publish(numbered(stream, n))))
  publisher.close()
}

interface Taker {
  readonly feed: Feed
  readonly taken: StoredMessage[]
  readonly numbers: number[]
  caughtUp: number
  failure: MillraceError | undefined
}

/** A feed whose taker keeps everything, and releases and acknowledges it unless told otherwise. */
function take(
  connection: Connection,
  stream: StreamDeclaration,
  options: Partial<FeedOptions> = {},
  done = true,
): Taker {
  const taken: StoredMessage[] = []
  const taker = { taken, numbers: [] as number[], caughtUp: 0, failure: undefined as MillraceError | undefined }
  const feed: Feed = new Feed(connection, {
    stream: stream.name,
    filters: [],
    start: { kind: 'sequence', sequence: 1 },
    clock: systemClock,
    onMessages: (messages) => {
      taken.push(...messages)
      taker.numbers.push(...messages.map(numberOf))
      if (!done) return
      feed.acknowledge(messages)
      feed.release(messages.length)
    },
    onFailure: (error) => (taker.failure = error),
    onCaughtUp: () => (taker.caughtUp += 1),
    ...options,
  })
  atEnd(() => feed.stop())
  return Object.assign(taker, { feed })
}

async function has(taker: Taker, count: number, limitMs?: number): Promise<void> {
  await eventually(`${count} messages`, () => taker.taken.length >= count, limitMs).catch((error: unknown) => {
    throw new Error(`has ${taker.taken.length} of ${count}`, { cause: taker.failure ?? error })
  })
}

async function consumerNames(connection: Connection, stream: string): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of connection.manager.consumers.list(stream)) names.push(name)
  return names
}

test('F1 F2 F4 a server that is killed while messages flow costs none and doubles none', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const durable = take(connection, stream, { durable: 'd' })
  const passing = take(connection, stream)
  const publishing = publish(connection, stream, upTo(20_000))
  await has(durable, 2_000)
  await server.kill()
  await server.restart()
  await publishing
  for (const taker of [durable, passing]) {
    await has(taker, 20_000, 20_000)
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
    await publish(await sharedConnection(), stream, upTo(1_000, round * 1_000))
    link.cut()
    await systemClock.sleep(round * 20)
  }
  for (const taker of takers) {
    await has(taker, 5_000)
    assert.equal(taker.numbers, upTo(5_000))
    taker.feed.stop()
  }
})

test('F3 a taker that does not release gets the credit and no more; releasing gives that many more', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publish(connection, stream, upTo(500))
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

test('F3 credit is kept over a cut link', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  await publish(await sharedConnection(), stream, upTo(300))
  const taker = take(connection, stream, { credit: 50 }, false)
  await has(taker, 50)
  link.cut()
  await eventually('cut', () => connection.state.kind === 'disconnected')
  taker.feed.release(10)
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
  await publish(connection, stream, upTo(100))
  await has(taker, 100)
  await connection.manager.consumers.delete(stream.name, 'd')
  await publish(connection, stream, upTo(100, 100))
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
    connection.nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream.name}.d`, JSON.stringify({ batch, expires: 5e9 }), {
      reply: inbox,
    })
  steal(40)
  await publish(connection, stream, upTo(200))
  await has(taker, 200)
  assert.equal(taker.numbers, upTo(200))
  assert.ok(stolen.length > 0, 'the thief got some')
  taker.feed.stop()
})

test('F4 messages that all went to another puller are noticed although nothing follows them', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const taker = take(connection, stream, { durable: 'd', credit: 1 }, false)
  await publish(connection, stream, [0])
  await has(taker, 1) // the credit is used up, so that the feed has no request waiting
  await publish(connection, stream, upTo(5, 1))
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
  await publish(direct, stream, upTo(10))
  await has(taker, 10)
  link.close()
  const { config } = await direct.manager.streams.info(stream.name)
  await direct.manager.streams.delete(stream.name)
  await direct.manager.streams.add(config)
  await publish(direct, stream, upTo(20, 100))
  link.open()
  assert.is((await eventually('failure', () => taker.failure)).code, 'STREAM_REPLACED')
  assert.equal(taker.numbers, upTo(10))
})

test('a feed starts at a sequence, at a time, or with what is new; a durable one also when it stood elsewhere', async () => {
  const connection = await sharedConnection()
  for (const base of [{}, { durable: 'd' }]) {
    const stream = await freshStream(connection)
    await publish(connection, stream, upTo(10))
    await systemClock.sleep(5)
    const between = Date.now()
    await publish(connection, stream, upTo(10, 10))
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
    await publish(connection, stream, [20])
    await has(onlyNew, 1)
    assert.equal(onlyNew.numbers, [20])
    onlyNew.feed.stop()
  }
})

test('F2 a feed of what is new keeps its place when the link is cut before the first message', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const taker = take(connection, stream, { start: { kind: 'new' } })
  await eventually('open', () => taker.caughtUp > 0)
  link.close()
  await publish(await sharedConnection(), stream, upTo(3))
  link.open()
  await has(taker, 3)
  assert.equal(taker.numbers, upTo(3))
})

test('filters are what a feed reads, also when those of its durable consumer were others', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publish(connection, stream, upTo(14))
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
  await publish(connection, stream, upTo(10))
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
  await publish(connection, stream, upTo(10))
  const durable = take(connection, stream, { durable: 'd' })
  const passing = take(connection, stream)
  for (const taker of [durable, passing]) await has(taker, 10)
  assert.is((await consumerNames(connection, stream.name)).length, 2)
  for (const taker of [durable, passing]) taker.feed.stop()
  await eventually('gone', async () => (await consumerNames(connection, stream.name)).length === 1)
  assert.equal(await consumerNames(connection, stream.name), ['d'])
  await publish(connection, stream, [10])
  await systemClock.sleep(50)
  for (const taker of [durable, passing]) assert.is(taker.taken.length, 10)
})

test('a taker that stops the feed in the middle hears nothing more of it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publish(connection, stream, upTo(10))
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
  await publish(connection, stream, upTo(100))
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

test.run()
