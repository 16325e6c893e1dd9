// What happens to processors at work when storage runs out, the stream is purged under them, or somebody else writes
// where they keep their position. A code that says so, or they go on; never a wrong output, never silence.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { CATALOGUE } from '../../src/error/catalogue.ts'
import { processorId, type Logic, type Processor } from '../../src/kernel/processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { failure, start, stored } from '../kernel/running.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { High, processors, readings } from '../support/kill-fixture.ts'
import { ownServer } from '../support/nats.ts'

const test = suite('processors under faults')

function high(stream: StreamDeclaration): Processor {
  return processors(stream)[0] as Processor
}

const EVENTS = 20
const EACH = 300

/** Puts out many events for each that it reads. */
function wide(stream: StreamDeclaration): Processor {
  const outputs = Array.from({ length: EACH }, (_, value) => High({ machine: 'm1', value }))
  const begin = (): Logic => ({ turn: () => outputs, snapshot: () => null, stop: () => undefined })
  return { ...high(stream), name: 'wide', memory: 'none', start: begin }
}

test('C1 C2 storage runs out in the middle of a commit: it waits, says so, and goes on when there is room, each output once', async () => {
  const server = await ownServer({ config: 'jetstream { max_file_store: 6MB, max_memory_store: 1MB }' })
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const stalls: unknown[] = []
  const log = { ...silentLog, warn: (fields: object) => void stalls.push('code' in fields ? fields.code : undefined) }
  const { run, failures } = await start(connection, wide(stream), { log })
  await connection.manager.streams.add({ name: 'BALLAST', subjects: ['ballast'] })
  const ballast = { subject: 'ballast', headers: [], data: Buffer.alloc(300_000) }
  for (let count = 0; count < 15; count++) await publishOnce(connection, ballast)
  // there is room for what is read, and not for all that comes of it
  await publishAll(connection, stream, readings(EVENTS))
  // nats-server 2.15.1 does not answer when storage runs out in a batch; it refuses the next
  const known = (code: unknown): boolean => code === 'STREAM_FULL' || code === 'BROKER_TIMEOUT'
  await eventually('it says that it waits', () => stalls.some(known), 30_000)
  assert.is(run.state.kind, 'live')
  assert.equal(failures, [])
  const { turns } = run.counts
  assert.ok(turns < EVENTS)
  await connection.manager.streams.delete('BALLAST')
  await eventually('all handled', () => run.counts.turns === EVENTS, 30_000)
  await run.stop()
  const outputs = await stored(connection, stream, High.type)
  assert.is(new Set(outputs.map(({ id }) => id)).size, EVENTS * EACH)
  assert.equal(
    outputs.map(({ data }) => data['value']),
    Array.from({ length: EVENTS * EACH }, (_, at) => at % EACH),
  )
})

test('C3 the whole stream is purged under a processor: COMMIT_RECORD_GONE, and no start after it begins anew', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { run, failures } = await start(connection, high(stream))
  await publishAll(connection, stream, readings(200))
  await eventually('a beginning', () => run.counts.turns === 200)
  await connection.manager.streams.purge(stream.name)
  await publishAll(connection, stream, readings(10, 2))
  const error = await eventually('it stops', () => failures[0])
  assert.is(error.code, 'COMMIT_RECORD_GONE')
  assert.is((await failure(connection, high(stream))).code, 'COMMIT_RECORD_GONE')
  assert.equal(await stored(connection, stream, High.type), [])
})

test('F2 F4 the events are purged under a processor: it goes on with those that come after', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { run, failures } = await start(connection, high(stream))
  const publishing = publishAll(connection, stream, readings(3_000))
  await eventually('a beginning', () => run.counts.turns > 200)
  await connection.manager.streams.purge(stream.name, { filter: `${stream.root}.>` })
  await publishing
  const late = readings(300, 7)
  await publishAll(connection, stream, late)
  const expected = late.map(({ data }) => data).filter(({ value }) => value > 90)
  await eventually('the last of them', async () => {
    const data = (await stored(connection, stream, High.type)).map((output) => output.data)
    return JSON.stringify(data.slice(-expected.length)) === JSON.stringify(expected) || undefined
  })
  assert.equal(failures, [])
  const ids = (await stored(connection, stream, High.type)).map(({ id }) => id)
  assert.is(new Set(ids).size, ids.length)
  await run.stop()
})

test('C3 somebody else writes to the commit subject: COMMIT_RECORD_INVALID, nothing more is stored, no start passes over it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = high(stream)
  const { run, failures } = await start(connection, processor)
  await publishAll(connection, stream, readings(200))
  await eventually('a beginning', () => run.counts.turns === 200)
  const before = await stored(connection, stream, High.type)
  const subject = commitSubject(stream.name, processorId(processor), 'all')
  await publishOnce(connection, { subject, headers: [], data: Buffer.from('{"hello":"world"}') })
  await publishAll(connection, stream, readings(200, 3))
  const error = await eventually('it stops', () => failures[0])
  assert.is(error.code, 'COMMIT_RECORD_INVALID')
  assert.match(error.detail, subject)
  assert.ok(CATALOGUE.COMMIT_RECORD_INVALID.advice.length > 0)
  assert.is((await failure(connection, processor)).code, 'COMMIT_RECORD_INVALID')
  assert.equal(await stored(connection, stream, High.type), before)
})

test.run()
