import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BatchQueue, batchQueueOf, type BatchQueueOptions } from '../../src/broker/batch-queue.ts'
import { expectLastSequence, publishBatch, ROLLUP_SUBJECT } from '../../src/broker/batch.ts'
import { connectBroker, type Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer, startTestServer } from '../support/nats.ts'
import { faultOf, upTo } from '../support/numbered.ts'
import { standIn } from '../support/stand-in.ts'

const test = suite('the queue of batches')

/** A group as a committer stores it: some outputs, and a last message on a subject of the writer's own. */
function group(stream: StreamDeclaration, writer: number | string, size: number, expected?: number): WireMessage[] {
  return upTo(size).map((at) => ({
    subject: at < size - 1 ? `${stream.root}.k.made` : record(stream, writer),
    headers: at < size - 1 || expected === undefined ? [] : [expectLastSequence(expected), ROLLUP_SUBJECT],
    data: Buffer.from(`${writer}-${at}`),
  }))
}

function record(stream: StreamDeclaration, writer: number | string): string {
  return `millrace.${stream.name}.commit.w${writer}.all`
}

async function queueOf(options: BatchQueueOptions = {}) {
  const connection = await sharedConnection()
  return { connection, stream: await freshStream(connection), queue: new BatchQueue(connection, options) }
}

/** What became of each group: its sequence, or its code. */
function outcomes(storing: readonly Promise<number>[]): Promise<(number | string)[]> {
  return Promise.all(storing.map((one) => one.catch((error) => error.code as string)))
}

async function texts(connection: Connection, stream: StreamDeclaration): Promise<string[]> {
  return (await readAll(connection, stream.name)).map(({ data }) => Buffer.from(data).toString())
}

function batchOf({ headers }: StoredMessage): string {
  return headers.get('Nats-Batch-Id') ?? 'none'
}

test('in one batch, expectations on different subjects are all checked, and one that fails refuses all', async () => {
  const { connection, stream } = await queueOf()
  const two = (one: number, other: number) => [...group(stream, 1, 3, one), ...group(stream, 2, 2, other)]
  assert.equal(await publishBatch(connection, two(0, 0)), { last: 5, count: 5 })
  for (const [one, other] of [
    [3, 4],
    [2, 5],
    [0, 0],
  ] as const)
    assert.is((await faultOf(publishBatch(connection, two(one, other)))).code, 'SEQUENCE_CONFLICT')
  assert.equal(await publishBatch(connection, two(3, 5)), { last: 10, count: 5 })
})

test('Q1 Q4 groups asked for at once share one batch, in their order, each with its own sequence', async () => {
  const { connection, stream, queue } = await queueOf()
  const sizes = [3, 1, 40, 2]
  const last = await Promise.all(sizes.map((size, writer) => queue.publish(group(stream, writer, size, 0))))
  assert.equal(last, [3, 4, 44, 46])
  const stored = await readAll(connection, stream.name)
  assert.equal(
    stored.map(({ data }) => Buffer.from(data).toString()),
    sizes.flatMap((size, writer) => upTo(size).map((at) => `${writer}-${at}`)),
  )
  assert.is(new Set(stored.map(batchOf)).size, 1)
  assert.is.not(batchOf(stored[0] as StoredMessage), 'none')
})

test('writers whose timers fire at the same time share a batch', async () => {
  const { connection, stream, queue } = await queueOf()
  const soon = (writer: number) => new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => storing(writer))
  const storing = (writer: number) => queue.publish(group(stream, writer, 2))
  const all = upTo(4).map(soon)
  // however slow the machine is: when the timers are looked at, all are due
  for (const began = performance.now(); performance.now() - began < 10;);
  await Promise.all(all)
  assert.is(new Set((await readAll(connection, stream.name)).map(batchOf)).size, 1)
})

test('Q4 groups asked for while a batch is on its way share the next one', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const [stream, queue] = [await freshStream(connection), new BatchQueue(connection)]
  server.pause() // until all are asked for
  const first = queue.publish(group(stream, 'first', 2))
  const later: Promise<number>[] = []
  for (const writer of upTo(5)) {
    await new Promise((resolve) => setImmediate(resolve))
    later.push(queue.publish(group(stream, writer, 2)))
  }
  server.resume()
  assert.is(await first, 2)
  assert.equal(await Promise.all(later), [4, 6, 8, 10, 12])
  assert.is(new Set((await readAll(connection, stream.name)).map(batchOf)).size, 2)
})

test('a batch takes 1,000 messages and so many bytes, and what does not fit follows in the next', async () => {
  const { connection, stream, queue } = await queueOf({ mostBytes: 100_000 })
  const whole = upTo(5).map((writer) => queue.publish(group(stream, writer, 400)))
  assert.equal(await Promise.all(whole), [400, 800, 1_200, 1_600, 2_000])
  const large = upTo(4).map((writer) =>
    queue.publish(group(stream, writer, 2).map((message) => ({ ...message, data: Buffer.alloc(20_000) }))),
  )
  assert.equal(await Promise.all(large), [2_002, 2_004, 2_006, 2_008])
  const one = queue.publish(group(stream, 'large', 3).map((message) => ({ ...message, data: Buffer.alloc(90_000) })))
  assert.is(await one, 2_011)
  assert.is(await queue.publish(group(stream, 'full', 1_000)), 3_011)
  const batches = new Map<string, number>()
  for (const message of await readAll(connection, stream.name))
    batches.set(batchOf(message), (batches.get(batchOf(message)) ?? 0) + 1)
  assert.equal([...batches.values()], [800, 800, 400, 4, 4, 3, 1_000])
})

test('beside a batch on its way only a full one goes, and who has one is not kept waiting', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const [stream, queue] = [await freshStream(connection), new BatchQueue(connection, { depth: 2 })]
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  server.pause() // nothing is answered until all are asked for
  const storing = [queue.publish(group(stream, 'first', 2))]
  await turn()
  storing.push(queue.publish(group(stream, 'small', 2)))
  let [gathered, atOnce] = [false, false]
  void queue.ready().then(() => (gathered = true))
  void queue.ready(true).then(() => (atOnce = true))
  await turn()
  assert.equal([gathered, atOnce], [false, true])
  storing.push(queue.publish(group(stream, 'full', 998)))
  await turn()
  storing.push(queue.publish(group(stream, 'late', 2)))
  server.resume()
  assert.equal(await Promise.all(storing), [2, 4, 1_002, 1_004])
  assert.ok(gathered)
  const batches = (await readAll(connection, stream.name)).map(batchOf)
  // had nothing gone beside the first, the late one would be no later: what was full was on its way before it was asked for
  assert.equal(new Set(batches).size, 3)
  assert.is(batches[2], batches[3])
  assert.is(batches[3], batches[1_001])
})

test('a group of no messages or of more than a batch takes is refused, and the others are stored', async () => {
  const { stream, queue } = await queueOf()
  const storing = [2, 0, 1_001, 2].map((size, writer) => queue.publish(group(stream, writer, size)))
  assert.equal(await outcomes(storing), [2, 'BATCH_REFUSED', 'BATCH_REFUSED', 4])
})

test('single messages go as plain publishes, in order, as long as no group waits with them', async () => {
  const { connection, stream, queue } = await queueOf()
  const singles = (wrong: number) =>
    upTo(20).map((writer) => queue.publish(group(stream, `${wrong}-${writer}`, 1, writer === wrong ? 99 : 0)))
  assert.equal(await outcomes(singles(20)), upTo(20, 1))
  const stored = upTo(20, 20).map((at) => (at === 27 ? 'SEQUENCE_CONFLICT' : at < 27 ? at + 1 : at))
  assert.equal(await outcomes(singles(7)), stored)
  assert.ok((await readAll(connection, stream.name)).every((message) => batchOf(message) === 'none'))
})

test('Q2 Q4 a group that is fenced, too large, malformed or repeated keeps no other from being stored', async () => {
  const { connection, stream, queue } = await queueOf()
  await publishOnce(connection, { ...group(stream, 'id', 1)[0], headers: [['Nats-Msg-Id', 'known']] } as WireMessage)
  const spoilt = (writer: string, change: Partial<WireMessage>) =>
    group(stream, writer, 2).map((message, at) => (at === 0 ? { ...message, ...change } : message))
  const bad: [WireMessage[], string][] = [
    [group(stream, 'fenced', 3, 99), 'SEQUENCE_CONFLICT'],
    [group(stream, 'single', 1, 99), 'SEQUENCE_CONFLICT'],
    [spoilt('large', { data: Buffer.alloc(connection.server.maxPayload) }), 'MESSAGE_TOO_LARGE'],
    [spoilt('header', { headers: [['a b', 'c']] }), 'MESSAGE_INVALID'],
    [spoilt('subject', { subject: 'a b' }), 'MESSAGE_INVALID'],
    [spoilt('repeated', { headers: [['Nats-Msg-Id', 'known']] }), 'BATCH_REFUSED'],
  ]
  let next = 1
  for (const [messages, code] of bad) {
    const storing = [group(stream, 'a', 2), messages, group(stream, 'b', 2)].map((one) => queue.publish(one))
    assert.equal(await outcomes(storing), [next + 2, code, next + 4], code)
    next += 4
  }
  assert.equal(
    (await texts(connection, stream)).slice(1),
    bad.flatMap(() => ['a-0', 'a-1', 'b-0', 'b-1']),
  )
})

test('Q2 a group for which the stream has no room keeps no other from being stored', async () => {
  const { connection, stream, queue } = await queueOf()
  // declared streams make room by deleting; one that refuses takes no schedules
  await connection.manager.streams.delete(stream.name)
  const subjects = [`${stream.root}.>`, `millrace.${stream.name}.>`]
  const limits = { max_bytes: 20_000, discard: 'new' as never }
  await connection.manager.streams.add({ name: stream.name, subjects, allow_atomic: true, ...limits })
  const large = group(stream, 'large', 2).map((message) => ({ ...message, data: Buffer.alloc(30_000) }))
  const storing = [group(stream, 'a', 2), large, group(stream, 'b', 2)].map((one) => queue.publish(one))
  assert.equal(await outcomes(storing), [2, 'STREAM_FULL', 4])
})

test('Q2 a group that the user may not publish keeps no other from being stored', async () => {
  const server = await startTestServer({
    config: `
accounts { A { jetstream: enabled, users: [
  { user: all, password: p }
  { user: few, password: p, permissions { publish { deny: ["*.secret.>"] } } }
] } }
no_auth_user: all`,
  })
  const stream = await freshStream(await connectTo(server.url))
  const few = await connectBroker({ ...settings(server.url), auth: { kind: 'user', user: 'few', password: 'p' } })
  const denied = group(stream, 'denied', 3).map((message, at) =>
    at === 1 ? { ...message, subject: `${stream.root}.secret.made` } : message,
  )
  const queue = new BatchQueue(few)
  const storing = [group(stream, 'a', 2), denied, group(stream, 'b', 2)].map((one) => queue.publish(one))
  assert.equal(await outcomes(storing), [2, 'BROKER_PERMISSION_DENIED', 4])
  await few.close()
})

test('Q3 a server that does not answer is told to every group, and what is sent later is not held up', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const queue = new BatchQueue(connection, { timeoutMs: 3_000 })
  server.pause()
  // without expectations, which would hide what is sent twice
  const storing = upTo(5).map((writer) => queue.publish(group(stream, writer, 3)))
  assert.equal(
    await outcomes(storing),
    upTo(5).map(() => 'BROKER_TIMEOUT'),
  )
  server.resume()
  const last = async (): Promise<number> => (await connection.manager.streams.info(stream.name)).state.last_seq
  await eventually('the server is awake', async () => (await last()) === 15)
  // the batch was on its way and is stored when the server wakes; nothing was sent a second time
  assert.is(await queue.publish(group(stream, 'later', 2)), 17)
  assert.is(await last(), 17)
})

test('Q3 without a connection every group is told so at once', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(connection)
  const queue = new BatchQueue(connection, { timeoutMs: 120_000 })
  link.close()
  const storing = upTo(40).map((writer) => queue.publish(group(stream, writer, 2)))
  const started = performance.now()
  assert.equal(new Set(await outcomes(storing)), new Set(['BROKER_UNREACHABLE']))
  assert.ok(performance.now() - started < 60_000, 'no request was waited for')
})

test('Q3 a server that goes silent after it refused a batch is not waited for once per group', async () => {
  let asked = 0
  const answer = (subject: string): object | null => {
    const api = { level: 4, total: 1, errors: 0 }
    if (subject.startsWith('$JS.API')) return { type: '', memory: 0, storage: 0, limits: {}, api }
    if (!subject.endsWith('commit.w59.all')) return null
    asked += 1
    return { error: { code: 400, err_code: 10071, description: 'wrong last sequence: 1' } }
  }
  const url = await standIn({ version: '2.15.1', answer })
  const connection = await connectBroker(settings(url))
  const queue = new BatchQueue(connection, { timeoutMs: 500 })
  const stream = { name: 'S', root: 's' } as StreamDeclaration
  const started = performance.now()
  const storing = upTo(60).map((writer) => queue.publish(group(stream, writer, 2, 0)))
  assert.equal(
    await outcomes(storing),
    upTo(60).map(() => 'BROKER_TIMEOUT'),
  )
  assert.is(asked, 1)
  assert.ok(performance.now() - started < 25_000, 'sixty times would be 30 s')
  await connection.close()
})

test('the writers to one stream over one connection share a queue, others do not', async () => {
  const connection = await sharedConnection()
  const other = await connectTo((await sharedServer()).url)
  assert.is(batchQueueOf(connection, 'A'), batchQueueOf(connection, 'A'))
  assert.is.not(batchQueueOf(connection, 'A'), batchQueueOf(connection, 'B'))
  assert.is.not(batchQueueOf(connection, 'A'), batchQueueOf(other, 'A'))
})

function settings(url: string) {
  return { servers: [url], auth: { kind: 'none' as const }, name: 'test', timeout: 20_000, origin: 'test' }
}

test.run()
