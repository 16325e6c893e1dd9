import { headers, type MsgHdrs } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Publisher } from '../../src/broker/publisher.ts'
import type { PublisherOptions } from '../../src/broker/publisher-options.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { faultOf, numbered, readNumbers, upTo } from '../support/numbered.ts'

const test = suite('a publisher')

function publisherOn(connection: Connection, options: Partial<PublisherOptions> = {}): Publisher {
  const publisher = new Publisher(connection, { clock: systemClock, ...options })
  atEnd(() => publisher.close())
  return publisher
}

test('P2 P4 a server that is killed while 20,000 messages are published has each once and in order', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  const receipts: Promise<{ sequence: number }>[] = []
  for (const n of upTo(20_000)) {
    await publisher.ready()
    if (n === 8_000) void server.kill().then(() => server.restart())
    receipts.push(publisher.publish(numbered(stream, n)))
  }
  const sequences = (await Promise.all(receipts)).map(({ sequence }) => sequence)
  assert.equal(await readNumbers(connection, stream), upTo(20_000))
  assert.equal(sequences, upTo(20_000, 1))
})

test('P2 P4 a link that is cut again and again, also in the middle of messages, changes nothing', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const publisher = publisherOn(connection)
  const receipts: Promise<unknown>[] = []
  for (const n of upTo(4_000)) {
    await publisher.ready()
    if (n % 1_000 === 400) link.cut()
    if (n % 1_000 === 900) void connection.nats.reconnect()
    receipts.push(publisher.publish(numbered(stream, n)))
  }
  await Promise.all(receipts)
  assert.equal(await readNumbers(await sharedConnection(), stream), upTo(4_000))
})

test('P2 receipts that never arrive are asked for again, and nothing is stored twice', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const publisher = publisherOn(connection, { ackTimeout: 100 })
  link.deafen()
  const receipts = upTo(500).map((n) => publisher.publish(numbered(stream, n)))
  await eventually('stored', async () => (await readNumbers(await sharedConnection(), stream)).length === 500)
  assert.is(publisher.inFlight, 500)
  link.cut()
  const duplicates = (await Promise.all(receipts)) as { duplicate: boolean }[]
  assert.is(duplicates.filter(({ duplicate }) => duplicate).length, 500)
  assert.equal(await readNumbers(await sharedConnection(), stream), upTo(500))
})

test('P3 no more than the window is on its way, however many are published at once', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const publisher = publisherOn(connection, { window: 10 })
  await connection.nats.flush()
  // what is on its way is stored, and nobody hears of it
  link.deafen()
  const waiting = upTo(200).map(async (n) => {
    await publisher.ready()
    return publisher.publish(numbered(stream, n))
  })
  const more = upTo(200, 200).map((n) => publisher.publish(numbered(stream, n)))
  await eventually('stored', async () => (await readNumbers(await sharedConnection(), stream)).length >= 10)
  await systemClock.sleep(50)
  assert.is((await readNumbers(await sharedConnection(), stream)).length, 10)
  assert.is(publisher.full, true)
  link.cut()
  await Promise.all([...waiting, ...more])
  assert.is((await readNumbers(await sharedConnection(), stream)).length, 400)
  assert.is(publisher.full, false)
})

test('P3 large messages fill the window by their bytes', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const publisher = publisherOn(connection, { windowBytes: 100_000 })
  await connection.nats.flush()
  link.deafen()
  const stored = async (): Promise<number> =>
    (await (await sharedConnection()).manager.streams.info(stream.name)).state.messages
  const large = upTo(10).map((n) => publisher.publish({ ...numbered(stream, n), data: Buffer.alloc(30_000) }))
  await eventually('stored', async () => (await stored()) >= 4)
  await systemClock.sleep(50)
  assert.is(await stored(), 4)
  link.cut()
  await Promise.all(large)
})

test('P1 a message over the limit of the server is refused, and the others are stored', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  const large = { ...numbered(stream, 1), data: Buffer.alloc(connection.server.maxPayload) }
  const receipts = [numbered(stream, 0), large, numbered(stream, 2)].map((message) => publisher.publish(message))
  assert.is((await faultOf(receipts[1] as Promise<unknown>)).code, 'MESSAGE_TOO_LARGE')
  await Promise.all([receipts[0], receipts[2]])
  assert.equal(await readNumbers(connection, stream), [0, 2])
})

test('P1 a subject that no stream takes is refused at once, and does not hold up the others', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection, { ackTimeout: 50_000 })
  const started = performance.now()
  const lost = upTo(20).map((n) => ({ ...numbered(stream, n), subject: `nobody.takes.this${n % 2}` }))
  const receipts = upTo(20).flatMap((n) => [
    publisher.publish(lost[n] as (typeof lost)[0]),
    publisher.publish(numbered(stream, n)),
  ])
  const outcomes = await Promise.allSettled(receipts)
  assert.ok(performance.now() - started < 40_000, 'no time-out was waited for')
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 20)
  const [first] = outcomes
  assert.is(first?.status === 'rejected' && first.reason.code, 'NO_STREAM_FOR_SUBJECT')
  assert.equal(await readNumbers(connection, stream), upTo(20))
})

/**
 * A connection whose stream has no leader for the first requests, then one; `sent` has the numbers in order.
 * @param seen what somebody else answers before the stream does, without payload
 */
function leaderless(refusals: number, seen?: MsgHdrs) {
  const sent: string[] = []
  let reply: (error: null, message: object) => void = () => {}
  let stored = 0
  const nats = {
    info: {},
    isClosed: () => false,
    subscribe: (_: string, { callback }: { callback: typeof reply }) => {
      reply = callback
      return { unsubscribe: () => {}, getID: () => 1 }
    },
    publish: (_: string, data: Uint8Array, options: { reply: string }) => {
      sent.push(Buffer.from(data).toString())
      const answer =
        sent.length <= refusals
          ? { data: new Uint8Array(), headers: headers(503, 'No Responders') }
          : { data: Buffer.from(`{"stream":"S","seq":${(stored += 1)}}`) }
      const tell = (what: object): void => reply(null, { subject: options.reply, ...what })
      if (seen === undefined) return void setImmediate(tell, answer)
      setImmediate(tell, { data: new Uint8Array(), headers: seen })
      // later than whoever thinks that there is no leader sends it again
      setTimeout(tell, 400, answer)
    },
  }
  const names = async function* () {
    yield 'S'
  }
  const connection = {
    nats,
    manager: { streams: { names } },
    server: { maxPayload: 1_000_000 },
    newInbox: () => '_INBOX.x',
    state: { kind: 'connected' },
    onStatus: () => () => {},
  }
  return { connection: connection as unknown as Connection, sent }
}

test('P2 P4 a stream without a leader is waited for; the oldest message finds out, the others follow in order', async () => {
  const { connection, sent } = leaderless(12)
  const publisher = publisherOn(connection, { ackTimeout: 50_000 })
  const receipts = upTo(10).map((n) => publisher.publish({ subject: 's.a', headers: [], data: Buffer.from(`${n}`) }))
  const sequences = (await Promise.all(receipts)).map(({ sequence }) => sequence)
  assert.equal(sequences, upTo(10, 1))
  // ten that nobody took, two attempts of the oldest alone, then each once in order
  assert.equal(sent, [...upTo(10), 0, 0, ...upTo(10)].map(String))
})

test('P1 a full stream refuses with a code, and takes messages again when there is room', async () => {
  const connection = await sharedConnection()
  const name = `FULL-${process.pid}`
  await connection.manager.streams.add({ name, subjects: [`${name}.>`], max_bytes: 2_000, discard: 'new' as never })
  const publisher = publisherOn(connection)
  const wide = (n: number) => ({ subject: `${name}.${n}`, headers: [], data: Buffer.alloc(700) })
  const outcomes = await Promise.allSettled(upTo(4).map((n) => publisher.publish(wide(n))))
  assert.is(outcomes[0]?.status, 'fulfilled')
  const [, , , last] = outcomes
  assert.is(last?.status === 'rejected' && last.reason.code, 'STREAM_FULL')
  await connection.manager.streams.purge(name)
  assert.is((await publisher.publish(wide(9))).stream, name)
})

test('P1 what cannot be put on the wire is refused with a code', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection)
  const message = numbered(stream, 0)
  const broken = [
    { ...message, headers: [['a', 'b\r\nc: d']] as const },
    { ...message, headers: [['a b\r\n', 'c']] as const },
    { ...message, subject: 'with space' },
    { ...message, subject: '' },
  ]
  for (const wrong of broken) assert.is((await faultOf(publisher.publish(wrong))).code, 'MESSAGE_INVALID')
  assert.is((await publisher.publish(message)).sequence, 1)
})

test('P1 the answer of somebody else who listens to the subject is not taken for a receipt', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  for (const answer of ['hello', '{"stream":1}', '{"error":"no"}', '', 'null'])
    connection.nats.subscribe(`${stream.root}.*.counted.*`, { callback: (_, m) => void m.respond(answer) })
  const publisher = publisherOn(connection)
  const receipts = await Promise.all(upTo(50).map((n) => publisher.publish(numbered(stream, n))))
  assert.equal(
    receipts.map(({ sequence }) => sequence),
    upTo(50, 1),
  )
})

test('P1 P2 an answer of headers alone, before the receipt, is not taken for a stream without a leader', async () => {
  const seen = headers()
  seen.set('X-Seen', '1')
  const { connection, sent } = leaderless(0, seen)
  const publisher = publisherOn(connection, { ackTimeout: 50_000 })
  const receipts = upTo(10).map((n) => publisher.publish({ subject: 's.a', headers: [], data: Buffer.from(`${n}`) }))
  const sequences = (await Promise.all(receipts)).map(({ sequence }) => sequence)
  assert.equal(sequences, upTo(10, 1))
  assert.equal(sent, upTo(10).map(String), 'each is sent once')
})

test('patience ends: a server that stays away rejects with a code', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const publisher = publisherOn(connection, { patience: 300, window: 2 })
  link.close()
  await eventually('away', () => connection.state.kind === 'disconnected')
  const errors = await Promise.all(upTo(5).map((n) => faultOf(publisher.publish(numbered(stream, n)))))
  assert.equal(new Set(errors.map(({ code }) => code)), new Set(['BROKER_UNREACHABLE']))
  assert.is(publisher.inFlight, 0)
  await publisher.flush()
  link.open()
  await eventually('connected', () => connection.state.kind === 'connected')
  assert.is((await publisher.publish(numbered(stream, 7))).sequence, 1)
})

test('closing rejects what has no receipt, and whatever comes later', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection, { window: 2 })
  server.pause()
  const errors = upTo(5).map((n) => faultOf(publisher.publish(numbered(stream, n))))
  publisher.close()
  for (const error of errors) assert.is((await error).code, 'BROKER_UNREACHABLE')
  assert.is((await faultOf(publisher.publish(numbered(stream, 9)))).code, 'BROKER_UNREACHABLE')
  await publisher.ready()
  server.resume()
})

test('a closed connection closes its publishers', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const publisher = publisherOn(connection)
  await connection.close()
  const error = await faultOf(publisher.publish({ subject: 'a.b', headers: [], data: Buffer.alloc(0) }))
  assert.is(error.code, 'BROKER_UNREACHABLE')
})

test.run()
