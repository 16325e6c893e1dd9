import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Publisher } from '../../src/broker/publisher.ts'
import type { PublishAck } from '../../src/broker/publish-ack.ts'
import type { PublisherOptions } from '../../src/broker/publisher-options.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { faultOf, numbered, readNumbers, upTo } from '../support/numbered.ts'

const test = suite('many messages at once')

function publisherOn(connection: Connection, options: Partial<PublisherOptions> = {}): Publisher {
  const publisher = new Publisher(connection, { clock: systemClock, ...options })
  atEnd(() => publisher.close())
  return publisher
}

/** Publishes all at once. */
function publishAll(
  publisher: Publisher,
  stream: StreamDeclaration,
  numbers: readonly number[],
): Promise<PublishAck[]> {
  return Promise.all(numbers.map((n) => publisher.publish(numbered(stream, n))))
}

test('P1 P4 many have each a sequence of its own, in order; what is published while they are on their way comes behind', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  const many = publishAll(publisher, stream, upTo(5_000))
  await eventually('some are stored', () => publisher.inFlight < 5_000)
  await publishAll(publisher, stream, upTo(5, 5_000))
  const acks = await many
  assert.equal(
    acks.map(({ sequence }) => sequence),
    upTo(5_000, 1),
  )
  assert.equal(new Set(acks.map((ack) => `${ack.stream} ${ack.duplicate}`)), new Set([`${stream.name} false`]))
  assert.equal(await readNumbers(connection, stream), upTo(5_005))
})

test('P5 what was stored before is told as a duplicate, also where it comes twice at once; the rest is stored', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const before = await publishAll(publisherOn(connection), stream, upTo(1_500))
  // as after a crash: all of it again, and more
  const again = await publishAll(publisherOn(connection), stream, upTo(4_000))
  assert.equal(await readNumbers(connection, stream), upTo(4_000))
  assert.equal(
    again.map(({ duplicate }) => duplicate),
    upTo(4_000).map((n) => n < 1_500),
  )
  assert.equal(
    again.slice(0, 1_500).map(({ sequence }) => sequence),
    before.map(({ sequence }) => sequence),
  )
  const twice = [...upTo(300, 4_000), ...upTo(300, 4_000), ...upTo(300, 4_300)]
  const told = await publishAll(publisherOn(connection), stream, twice)
  assert.equal(
    told.map(({ duplicate }) => duplicate),
    twice.map((_, at) => at >= 300 && at < 600),
  )
  assert.equal(await readNumbers(connection, stream), upTo(4_600))
})

test('P5 one that is too large, malformed or without a stream keeps no other from being stored', async () => {
  const connection = await sharedConnection()
  const [stream, other] = [await freshStream(connection), await freshStream(connection)]
  const publisher = publisherOn(connection)
  const publish = (n: number) => {
    const message = numbered(stream, n)
    if (n === 100) return publisher.publish({ ...message, data: Buffer.alloc(connection.server.maxPayload) })
    if (n === 200) return publisher.publish({ ...message, headers: [['a', 'b\r\nc: d']] })
    if (n === 300) return publisher.publish({ ...message, subject: 'nobody.takes.this' })
    if (n === 400) return publisher.publish({ ...message, subject: 'with space' })
    if (n === 500) return publisher.publish(numbered(other, n))
    if (n === 600) return publisher.publish({ ...message, subject: `${stream.root}.${'é'.repeat(2_100)}.numbered` })
    // not of two tokens behind its root: no stream takes it
    if (n === 1_200) return publisher.publish({ ...message, subject: `${stream.root}.k` })
    return publisher.publish(message)
  }
  const outcomes = await Promise.allSettled(upTo(3_000).map(publish))
  const codes = outcomes.flatMap((one, n) => (one.status === 'rejected' ? [`${n} ${one.reason.code}`] : []))
  assert.equal(codes, [
    '100 MESSAGE_TOO_LARGE',
    '200 MESSAGE_INVALID',
    '300 NO_STREAM_FOR_SUBJECT',
    '400 MESSAGE_INVALID',
    '600 MESSAGE_INVALID',
    '1200 NO_STREAM_FOR_SUBJECT',
  ])
  const refused = [100, 200, 300, 400, 500, 600, 1_200]
  assert.equal(
    (await readNumbers(connection, stream)).sort((a, b) => a - b),
    upTo(3_000).filter((n) => !refused.includes(n)),
  )
  assert.equal(await readNumbers(connection, other), [500])
})

test('P5 a stream that becomes full refuses those for which there is no room', async () => {
  const connection = await sharedConnection()
  const name = `FULL-MANY-${process.pid}`
  const limits = { max_msgs: 700, discard: 'new' as never, allow_atomic: true }
  await connection.manager.streams.add({ name, subjects: [`${name}.>`], ...limits })
  const publisher = publisherOn(connection)
  const one = (n: number) => ({ subject: `${name}.${n}`, headers: [], data: Buffer.from(`${n}`) })
  const outcomes = await Promise.allSettled(upTo(1_000).map((n) => publisher.publish(one(n))))
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 700)
  const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
  assert.equal(new Set(codes), new Set(['STREAM_FULL']))
})

test('P5 a message whose condition does not hold fails alone', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  const wrong = { ...numbered(stream, 150), headers: [['Nats-Expected-Last-Subject-Sequence', '77']] as const }
  const receipts = upTo(1_000).map((n) => publisher.publish(n === 150 ? wrong : numbered(stream, n)))
  assert.is((await faultOf(receipts[150] as Promise<unknown>)).code, 'SEQUENCE_CONFLICT')
  await Promise.allSettled(receipts)
  assert.equal(
    await readNumbers(connection, stream),
    upTo(1_000).filter((n) => n !== 150),
  )
})

test('P2 P4 receipts that never arrive are asked for again, and nothing is stored twice', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const publisher = publisherOn(connection, { ackTimeout: 100 })
  link.deafen()
  const receipts = publishAll(publisher, stream, upTo(3_000))
  await eventually('stored', async () => (await readNumbers(await sharedConnection(), stream)).length >= 1_000)
  assert.is(publisher.inFlight, 3_000)
  link.cut()
  const acks = await receipts
  assert.ok(acks.slice(0, 1_000).every(({ duplicate }) => duplicate))
  assert.equal(await readNumbers(await sharedConnection(), stream), upTo(3_000))
  assert.equal(
    acks.map(({ sequence }) => sequence),
    upTo(3_000, 1),
  )
})

test('P1 the answer of somebody else who listens is not taken for a receipt', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  for (const answer of ['hello', '{"stream":1}', '{"error":"no"}', 'null'])
    connection.nats.subscribe(`${stream.root}.*.counted.*`, { callback: (_, m) => void m.respond(answer) })
  await connection.nats.flush()
  const acks = await publishAll(publisherOn(connection), stream, upTo(1_000))
  assert.equal(
    acks,
    upTo(1_000, 1).map((sequence) => ({ stream: stream.name, sequence, duplicate: false })),
  )
})

test('P5 a server that takes less than the one before refuses what is too large, and nothing else', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  await publisher.publish(numbered(stream, 0))
  await server.kill()
  await server.restart({ config: 'max_payload: 65536\n' })
  await eventually('connected', () => connection.server.maxPayload === 65_536)
  const large = { ...numbered(stream, 50), data: Buffer.alloc(100_000) }
  const receipts = upTo(99, 1).map((n) => publisher.publish(n === 50 ? large : numbered(stream, n)))
  assert.is((await faultOf(receipts[49] as Promise<unknown>)).code, 'MESSAGE_TOO_LARGE')
  await Promise.allSettled(receipts)
  assert.equal(
    await readNumbers(connection, stream),
    upTo(100).filter((n) => n !== 50),
  )
})

test('P5 a client without an entrance for pieces sends each for itself, and what it refuses keeps no other', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const stream = await freshStream(connection)
  const { nats } = connection
  const publisher = publisherOn({ ...connection, nats: plainOf(nats), server: connection.server } as Connection)
  const receipts = upTo(300).map((n) => publisher.publish(numbered(stream, n)))
  assert.is((await faultOf(receipts[7] as Promise<unknown>)).code, 'BROKER_REFUSED')
  await Promise.allSettled(receipts)
  assert.equal(
    await readNumbers(connection, stream),
    upTo(300).filter((n) => n !== 7),
  )
})

/** As the client is, without what it does not promise; it refuses the eighth message. */
function plainOf(nats: Connection['nats']): Connection['nats'] {
  let count = 0
  return new Proxy(nats, {
    get: (target, key) => {
      if (key === 'protocol') return undefined
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      if (key !== 'publish') return value.bind(target) as unknown
      return (...given: unknown[]) => {
        if ((count += 1) === 8) throw new Error('refused')
        return Reflect.apply(value, target, given) as unknown
      }
    },
  })
}

test.run()
