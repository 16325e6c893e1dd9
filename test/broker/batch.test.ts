import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BATCH_LIMIT, expectLastSequence, publishBatch, ROLLUP_SUBJECT } from '../../src/broker/batch.ts'
import { readLast } from '../../src/broker/last-message.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { faultOf, numbered, readNumbers, upTo } from '../support/numbered.ts'

const test = suite('an atomic batch')

/** A message with an expectation. */
function expecting(message: WireMessage, sequence: number): WireMessage {
  return { ...message, headers: [...message.headers, expectLastSequence(sequence)] }
}

test('stores all of its messages, contiguous and in order, over several subjects', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishOnce(connection, numbered(stream, 0))
  const ack = await publishBatch(
    connection,
    upTo(20, 1).map((n) => numbered(stream, n)),
  )
  assert.equal(ack, { last: 21, count: 20 })
  assert.equal(await readNumbers(connection, stream), upTo(21))
})

test('a batch of one is a batch', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  assert.equal(await publishBatch(connection, [numbered(stream, 0)]), { last: 1, count: 1 })
})

test('stores nothing when one expectation fails, wherever it is', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishOnce(connection, numbered(stream, 3))
  for (const wrong of [0, 3, 6]) {
    const batch = upTo(7).map((n) => (n === wrong ? expecting(numbered(stream, n + 7), 99) : numbered(stream, n + 7)))
    assert.is((await faultOf(publishBatch(connection, batch))).code, 'SEQUENCE_CONFLICT')
  }
  assert.equal(await readNumbers(connection, stream), [3])
})

test('of many writers with the same expectation exactly one wins', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const outcomes = await Promise.allSettled(
    upTo(8).map((writer) =>
      publishBatch(connection, [numbered(stream, 1 + 7 * writer), expecting(numbered(stream, 7 * writer), 0)]),
    ),
  )
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.is(outcome.reason.code, 'SEQUENCE_CONFLICT')
  assert.is((await readNumbers(connection, stream)).length, 2)
})

test('expectations count on the subject as stored, behind the partition transform', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { partitions: 16 })
  const { sequence } = await publishOnce(connection, numbered(stream, 5))
  await publishOnce(connection, numbered(stream, 6)) // another subject: its sequence is not what is expected
  const ack = await publishBatch(connection, [numbered(stream, 8), expecting(numbered(stream, 12), sequence)])
  assert.is(ack.last, 4)
  const stale = publishBatch(connection, [numbered(stream, 9), expecting(numbered(stream, 19), sequence)])
  assert.is((await faultOf(stale)).code, 'SEQUENCE_CONFLICT')
})

test('takes as many messages as the server does, and refuses more before anything is sent', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const many = upTo(BATCH_LIMIT + 1).map((n) => numbered(stream, n))
  assert.is((await faultOf(publishBatch(connection, many))).code, 'BATCH_REFUSED')
  assert.is((await faultOf(publishBatch(connection, []))).code, 'BATCH_REFUSED')
  assert.is((await publishBatch(connection, many.slice(0, BATCH_LIMIT))).count, BATCH_LIMIT)
  assert.equal(await readNumbers(connection, stream), upTo(BATCH_LIMIT))
})

test('a message over the limit refuses the batch, and leaves none open in the server', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const large = { ...numbered(stream, 1), data: Buffer.alloc(connection.server.maxPayload) }
  // the server keeps at most 50 batches open at a time
  for (const _ of upTo(60)) {
    const batch = [numbered(stream, 0), large, numbered(stream, 2)]
    assert.is((await faultOf(publishBatch(connection, batch))).code, 'MESSAGE_TOO_LARGE')
  }
  assert.is((await publishBatch(connection, [numbered(stream, 3), numbered(stream, 4)])).last, 2)
})

test('a header that cannot be written refuses the batch before anything is sent', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const broken = { ...numbered(stream, 1), headers: [['a', 'b\nc']] as const }
  const batch = publishBatch(connection, [numbered(stream, 0), broken])
  assert.is((await faultOf(batch)).code, 'MESSAGE_INVALID')
})

test('a repeated message id refuses the whole batch', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishOnce(connection, numbered(stream, 1))
  const error = await faultOf(publishBatch(connection, [numbered(stream, 0), numbered(stream, 1)]))
  assert.is(error.code, 'BATCH_REFUSED')
  assert.match(error.detail, '10201')
  assert.equal(await readNumbers(connection, stream), [1])
})

test('a stream that takes no batches refuses with a code', async () => {
  const connection = await sharedConnection()
  const name = `PLAIN-${process.pid}`
  await connection.manager.streams.add({ name, subjects: [`${name}.>`] })
  const message: WireMessage = { subject: `${name}.a`, headers: [], data: Buffer.from('1') }
  const error = await faultOf(publishBatch(connection, [message, message]))
  assert.is(error.code, 'BATCH_REFUSED')
  assert.match(error.detail, '10174')
  assert.is((await connection.manager.streams.info(name)).state.messages, 0)
})

test('messages for two streams are refused, and neither has any', async () => {
  const connection = await sharedConnection()
  const [one, two] = [await freshStream(connection), await freshStream(connection)]
  const error = await faultOf(publishBatch(connection, [numbered(one, 0), numbered(two, 1)]))
  assert.is(error.code, 'BROKER_NOT_READY')
  for (const stream of [one, two]) assert.equal(await readNumbers(connection, stream), [])
})

test('a subject that no stream takes is a code, at once', async () => {
  const connection = await sharedConnection()
  const lost: WireMessage = { subject: 'nobody.takes.this', headers: [], data: Buffer.from('1') }
  assert.is((await faultOf(publishBatch(connection, [lost, lost]))).code, 'NO_STREAM_FOR_SUBJECT')
})

test('a rollup in a batch removes what the subject had before', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  for (const n of [0, 7, 14]) await publishOnce(connection, numbered(stream, n))
  const last = numbered(stream, 21)
  await publishBatch(connection, [numbered(stream, 1), { ...last, headers: [...last.headers, ROLLUP_SUBJECT] }])
  assert.equal(await readNumbers(connection, stream), [1, 21])
})

test('a batch whose link is cut rejects at once as unknown, and is stored whole or not at all', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const direct = await sharedConnection()
  const stream = await freshStream(direct)
  for (const round of upTo(10)) {
    const batch = upTo(100, round * 100).map((n) => ({ ...numbered(stream, n), headers: [] }))
    const started = performance.now()
    const committing = publishBatch(connection, batch, 120_000)
    if (round % 2 === 0) setImmediate(() => link.cut())
    const outcome = await committing.then(
      () => 'stored',
      (error) => error.code,
    )
    assert.ok(['stored', 'BROKER_UNREACHABLE'].includes(outcome), outcome)
    assert.ok(performance.now() - started < 60_000, 'no time-out was waited for')
    await eventually('connected', () => connection.state.kind === 'connected')
  }
  const numbers = await readNumbers(direct, stream)
  for (const round of upTo(10)) {
    const found = numbers.filter((n) => Math.floor(n / 100) === round)
    assert.ok(found.length === 0 || found.length === 100, `round ${round} has ${found.length}`)
    if (round % 2 === 1) assert.is(found.length, 100)
  }
})

test('without a connection nothing is sent, and nothing appears later', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const direct = await sharedConnection()
  const stream = await freshStream(direct)
  link.close()
  await eventually('cut', () => connection.state.kind === 'disconnected')
  assert.is((await faultOf(publishBatch(connection, [numbered(stream, 0)]))).code, 'BROKER_UNREACHABLE')
  assert.is((await faultOf(publishOnce(connection, numbered(stream, 1)))).code, 'BROKER_UNREACHABLE')
  link.open()
  await eventually('connected', () => connection.state.kind === 'connected')
  await publishOnce(connection, numbered(stream, 2))
  assert.equal(await readNumbers(direct, stream), [2])
})

test('a server that does not answer is a code after the timeout', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  server.pause()
  assert.is((await faultOf(publishBatch(connection, [numbered(stream, 0)], 100))).code, 'BROKER_TIMEOUT')
  assert.is((await faultOf(publishOnce(connection, numbered(stream, 1), 100))).code, 'BROKER_TIMEOUT')
  server.resume()
})

test('a link that is closed before it is known why a batch was incomplete keeps nobody waiting', async () => {
  const incomplete = { error: { err_code: 10_176, description: 'batch is incomplete' } }
  let close = (): void => undefined
  const nats = {
    info: {},
    request: () => Promise.resolve({ json: () => incomplete }),
    // as that of the client: a pong that is out when the link is closed never comes
    flush: () => new Promise<void>(() => undefined),
    closed: () => new Promise<void>((resolve) => (close = resolve)),
  }
  const link = { state: { kind: 'connected' }, onStatus: () => () => undefined, server: { maxPayload: 1_000_000 } }
  let code = ''
  const publishing = publishBatch({ ...link, nats } as never, [numbered({ name: 'S', root: 's' } as never, 0)])
  void faultOf(publishing).then((error) => (code = error.code))
  await eventually('it is over', () => {
    close()
    return code === 'BROKER_NOT_READY'
  })
})

test('the last message of a subject is read back, and none when there is none', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { sequence } = await publishOnce(connection, { ...numbered(stream, 0), subject: `millrace.${stream.name}.x` })
  const last = await readLast(connection, stream.name, `millrace.${stream.name}.x`)
  assert.is(last?.sequence, sequence)
  assert.is(Buffer.from(last?.data ?? []).toString(), '0')
  assert.is(await readLast(connection, stream.name, `millrace.${stream.name}.y`), undefined)
  assert.is((await faultOf(readLast(connection, 'NO-SUCH', 'a'))).code, 'STREAM_NOT_FOUND')
})

test('one conditional write: the outcome is a receipt, or a conflict', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const first = await publishOnce(connection, expecting(numbered(stream, 0), 0))
  assert.is((await faultOf(publishOnce(connection, expecting(numbered(stream, 7), 0)))).code, 'SEQUENCE_CONFLICT')
  assert.is((await publishOnce(connection, expecting(numbered(stream, 14), first.sequence))).sequence, 2)
})

test.run()
