import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { EventPublisher, type EventPublisherOptions } from '../../src/broker/event-publisher.ts'
import { openPublisher } from '../../src/runtime/open-publisher.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { countOf, readAll } from '../support/events.ts'
import { linkTo } from '../support/link.ts'
import { sharedServer } from '../support/nats.ts'
import { faultOf, upTo } from '../support/numbered.ts'
import { testProgram } from '../support/program.ts'
import { Counted, counted, Unknown } from './counted-events.ts'

const test = suite('events that code publishes')

function publisherOn(
  connection: Connection,
  stream: StreamDeclaration,
  options: Partial<EventPublisherOptions> = {},
): EventPublisher {
  const parts = { connection, clock: systemClock, newId: systemId, stream, events: [Counted] }
  const publisher = new EventPublisher({ ...parts, ...options })
  atEnd(() => publisher.close())
  return publisher
}

/** The numbers of the events in a stream, in log order. */
async function stored(connection: Connection, stream: StreamDeclaration): Promise<number[]> {
  const all = await readAll(connection, stream.name)
  return all.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { n: number }).n)
}

test('PB1 one and thousands: each is stored, in order, and told with its id and sequence', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection, stream)
  assert.equal(await publisher.publish([]), [])
  const [one] = await publisher.publish(counted([0]))
  assert.equal(one, { id: 'counted-0', sequence: 1, duplicate: false })
  const many = await publisher.publish(counted(upTo(5_000, 1)))
  assert.equal(
    many,
    upTo(5_000, 1).map((n) => ({ id: `counted-${n}`, sequence: n + 1, duplicate: false })),
  )
  assert.equal(await stored(connection, stream), upTo(5_001))
})

test('PB1 published again after a process was killed in the middle, each is stored once and in order', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const program = fileURLToPath(new URL('publish-events.ts', import.meta.url))
  const { url } = await sharedServer()
  const child = spawn(process.execPath, [...testProgram(program), url, stream.name, stream.root], { stdio: 'inherit' })
  const ended = once(child, 'exit')
  await eventually('some are stored', async () => (await countOf(connection, stream, Counted.type)) > 0)
  child.kill('SIGKILL')
  await ended
  // what it had sent may still be stored while it is published again
  const again = await publisherOn(connection, stream).publish(counted(upTo(20_000)))
  assert.equal(await stored(connection, stream), upTo(20_000))
  assert.equal(
    again.map(({ sequence }) => sequence),
    upTo(20_000, 1),
  )
  const duplicates = again.filter(({ duplicate }) => duplicate).length
  assert.ok(duplicates > 0 && duplicates < 20_000, `${duplicates} were stored before`)
})

test('PB1 events without ids have one each, and a source', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection, stream, { source: '/shop' })
  const receipts = await publisher.publish(upTo(3).map((n) => Counted({ n })))
  assert.is(new Set(receipts.map(({ id }) => id)).size, 3)
  const all = await readAll(connection, stream.name)
  assert.equal(
    all.map(({ headers }) => headers.get('ce-id')),
    receipts.map(({ id }) => id),
  )
  assert.equal(new Set(all.map(({ headers }) => headers.get('ce-source'))), new Set(['/shop']))
})

test('PB2 one that cannot be published is told before anything is', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const publisher = publisherOn(connection, stream)
  const some = counted(upTo(300))
  const large = Counted({ n: 1, text: 'x'.repeat(connection.server.maxPayload) }, { id: 'large' })
  const unknown = Unknown({ n: 1 })
  const broken = { ...Counted({ n: 1 }), attributes: { 'a b': 'c' } }
  const labelled = { ...Counted({ n: 1 }), attributes: { label: 'x'.repeat(70_000) } }
  const longKey = { ...Counted({ n: 1 }), key: 'k'.repeat(4_200) }
  for (const [wrong, code] of [
    [large, 'MESSAGE_TOO_LARGE'],
    [labelled, 'MESSAGE_TOO_LARGE'],
    [longKey, 'SUBJECT_INVALID'],
    [unknown, 'EVENT_TYPE_UNKNOWN'],
    [broken, 'EVENT_ENVELOPE_INVALID'],
  ] as const)
    assert.is((await faultOf(publisher.publish([...some, wrong]))).code, code)
  assert.equal(await stored(connection, stream), [])
})

test('PB1 while the server is away longer than its patience it rejects, once, and can be repeated', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(await sharedConnection())
  const publisher = publisherOn(connection, stream, { patience: 300 })
  link.close()
  await eventually('away', () => connection.state.kind === 'disconnected')
  assert.is((await faultOf(publisher.publish(counted(upTo(9_000))))).code, 'BROKER_UNREACHABLE')
  link.open()
  await eventually('connected', () => connection.state.kind === 'connected')
  const patient = publisherOn(connection, stream)
  await patient.publish(counted(upTo(9_000)))
  assert.equal(await stored(await sharedConnection(), stream), upTo(9_000))
})

test('it opens where servers are named, and closes', async () => {
  const { url } = await sharedServer()
  const stream = await freshStream(await sharedConnection())
  const options = { stream, events: [Counted] }
  assert.is((await faultOf(openPublisher(options))).code, 'SETTING_INVALID')
  const { publisher, close } = await openPublisher({ ...options, env: { NATS_URL: url } })
  assert.is((await publisher.publish(counted([1])))[0]?.sequence, 1)
  await close()
  assert.is((await faultOf(publisher.publish(counted([2])))).code, 'BROKER_UNREACHABLE')
})

test.run()
