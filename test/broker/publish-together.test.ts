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
import { readAll } from '../support/events.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { faultOf, numbered, numberOf, readNumbers, upTo } from '../support/numbered.ts'

const test = suite('messages that are published together')

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

/** The numbers that a batch has stored, in log order. */
async function together(connection: Connection, stream: StreamDeclaration): Promise<number[]> {
  const all = await readAll(connection, stream.name)
  return all.filter(({ headers }) => headers.get('Nats-Batch-Id') !== undefined).map(numberOf)
}

test('P1 P4 many go in batches, each with a sequence of its own, in order; few go alone', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  const acks = await publishAll(publisher, stream, upTo(5_000))
  assert.equal(
    acks.map(({ sequence }) => sequence),
    upTo(5_000, 1),
  )
  assert.equal(new Set(acks.map((ack) => `${ack.stream} ${ack.duplicate}`)), new Set([`${stream.name} false`]))
  await publishAll(publisher, stream, upTo(5, 5_000))
  assert.equal(await readNumbers(connection, stream), upTo(5_005))
  assert.equal(await together(connection, stream), upTo(5_000))
})

test('P3 P4 a caller that awaits room before each message has them go in batches too', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  let most = 0
  for (const n of upTo(4_000)) {
    await publisher.ready()
    void publisher.publish(numbered(stream, n))
    most = Math.max(most, publisher.inFlight)
  }
  await publisher.flush()
  assert.equal(await readNumbers(connection, stream), upTo(4_000))
  assert.equal(await together(connection, stream), upTo(4_000))
  assert.is(most, 2_000)
})

test('P5 what was stored before is told as a duplicate, across batches and inside of one; the rest is stored', async () => {
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

test('P5 after what was stored before comes to its end, the others go in batches again', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection, { window: 500 })
  await publishAll(publisher, stream, upTo(2_000))
  await publishAll(publisher, stream, upTo(5_000))
  // a window of them was on its way; what is left at the end may be too few
  const inBatches = (await together(connection, stream)).filter((n) => n >= 2_500 && n < 4_800)
  assert.equal(inBatches, upTo(2_300, 2_500))
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
    '1200 NO_STREAM_FOR_SUBJECT',
  ])
  const refused = [100, 200, 300, 400, 500, 1_200]
  assert.equal(
    (await readNumbers(connection, stream)).sort((a, b) => a - b),
    upTo(3_000).filter((n) => !refused.includes(n)),
  )
  assert.equal(await readNumbers(connection, other), [500])
})

test('P5 a stream that takes no batches has them one by one, in order', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { config } = await connection.manager.streams.info(stream.name)
  await connection.manager.streams.update(stream.name, { ...config, allow_atomic: false })
  const publisher = publisherOn(connection)
  const acks = await publishAll(publisher, stream, upTo(3_000))
  assert.is(acks.filter(({ duplicate }) => duplicate).length, 0)
  assert.equal(await readNumbers(connection, stream), upTo(3_000))
})

test('P5 a stream that becomes full refuses those for which there is no room', async () => {
  const connection = await sharedConnection()
  const name = `FULL-TOGETHER-${process.pid}`
  const limits = { max_msgs: 700, discard: 'new' as never, allow_atomic: true }
  await connection.manager.streams.add({ name, subjects: [`${name}.>`], ...limits })
  const publisher = publisherOn(connection)
  const one = (n: number) => ({ subject: `${name}.${n}`, headers: [], data: Buffer.from(`${n}`) })
  const outcomes = await Promise.allSettled(upTo(1_000).map((n) => publisher.publish(one(n))))
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 700)
  const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
  assert.equal(new Set(codes), new Set(['STREAM_FULL']))
})

test('P5 a message with a condition goes alone: it fails alone', async () => {
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
  assert.equal(await together(connection, stream), upTo(849, 151))
})

test('P2 P4 receipts of batches that never arrive are asked for again, and nothing is stored twice', async () => {
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

test('P2 P4 a server that is killed in the middle of batches has each once and in order', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  const receipts = publishAll(publisher, stream, upTo(20_000))
  await eventually('some are stored', () => publisher.inFlight < 18_000)
  await server.kill()
  await server.restart()
  await receipts
  assert.equal(await readNumbers(connection, stream), upTo(20_000))
})

test('P1 the answer of somebody else who listens is not taken for the receipt of a batch', async () => {
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

/** A connection whose stream answers when it is told to; `sent` has what was sent, a batch by its last message. */
function handFed() {
  const sent: { readonly data: string; readonly reply: string }[] = []
  let tell: (error: null, message: object) => void = () => {}
  const nats = {
    info: {},
    isClosed: () => false,
    isDraining: () => false,
    subscribe: (_: string, { callback }: { callback: typeof tell }) => {
      tell = callback
      return { unsubscribe: () => {} }
    },
    publish: (_: string, data: Uint8Array, { reply }: { reply?: string }) => {
      if (reply !== undefined) sent.push({ data: Buffer.from(data).toString(), reply })
    },
  }
  const rest = { server: { maxPayload: 1_000_000 }, state: { kind: 'connected' }, newInbox: () => '_INBOX.x' }
  const connection = { nats, ...rest, onStatus: () => () => {} } as unknown as Connection
  const answer = (at: number, ack: object): void =>
    tell(null, { subject: sent[at]?.reply, data: Buffer.from(JSON.stringify(ack)) })
  return { connection, sent, answer }
}

test('P1 P4 a batch is sent when nothing else is on its way, and nothing beside it until it has its own receipt', async () => {
  const { connection, sent, answer } = handFed()
  const publisher = publisherOn(connection)
  const publish = (numbers: readonly number[]) =>
    numbers.map((n) => publisher.publish({ subject: `s.${n}`, headers: [], data: Buffer.from(`${n}`) }))
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const all = publish([0, 1])
  await turn()
  all.push(...publish(upTo(300, 2)))
  await turn()
  answer(0, { stream: 'S', seq: 1 })
  await turn()
  assert.equal(sent.map(({ data }) => data).join(), '0,1')
  answer(1, { stream: 'S', seq: 2 })
  await turn()
  all.push(...publish([302]))
  await turn()
  // none of these is the receipt of the batch
  answer(0, { stream: 'S', seq: 1 })
  for (const foreign of [{}, { stream: 1 }, { error: 'no' }]) answer(2, foreign)
  await turn()
  assert.equal(sent.map(({ data }) => data).join(), '0,1,301')
  answer(2, { stream: 'S', seq: 302, batch: 'b', count: 300 })
  await turn()
  assert.equal(sent.map(({ data }) => data).join(), '0,1,301,302')
  answer(3, { stream: 'S', seq: 303 })
  const acks = await Promise.all(all)
  assert.equal(
    acks.map(({ sequence }) => sequence),
    upTo(303, 1),
  )
})

test('P1 P2 what is said late of a batch is not taken for the receipt of a message', async () => {
  const { connection, sent, answer } = handFed()
  const publisher = publisherOn(connection, { ackTimeout: 10 })
  const all = upTo(300).map((n) => publisher.publish({ subject: `s.${n}`, headers: [], data: Buffer.from(`${n}`) }))
  await eventually('the oldest is sent alone', () => sent.length > 1)
  answer(1, { stream: 'S', seq: 1, duplicate: true })
  answer(0, { error: { code: 400, err_code: 10201, description: 'contains duplicate message id' } })
  await eventually('the others are sent', () => sent.length >= 301)
  const told = upTo(300).map((n) => sent.findIndex(({ data }, at) => at > 0 && data === String(n)))
  for (const [n, at] of told.entries()) answer(at, { stream: 'S', seq: n + 1, duplicate: true })
  const acks = await Promise.all(all)
  assert.equal(
    acks.map(({ sequence }) => sequence),
    upTo(300, 1),
  )
})

test.run()
