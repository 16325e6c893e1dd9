import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { captureStream } from '../../src/broker/capture-stream.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { streamConfig } from '../../src/broker/stream-config.ts'
import { defineSubjectSource, type SubjectSourceOptions } from '../../src/edge/subject/define-subject-source.ts'
import { startSubjectSource } from '../../src/edge/subject/subject-source.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Asked, place } from '../delivery/running-handlers.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { readAll } from '../support/events.ts'
import { freePorts } from '../support/free-ports.ts'
import { temporaryDirectory, testBinary } from '../support/nats.ts'
import { MqttDevice } from './mqtt.ts'

const test = suite('subject sources')
const [port = 0, mqtt = 0] = await freePorts(2)

/** A server that speaks MQTT as well. */
async function serverWithMqtt(): Promise<Connection> {
  const folder = await temporaryDirectory()
  const conf = join(folder, 'server.conf')
  const text = `server_name: mqtt\nlisten: "127.0.0.1:${port}"\njetstream { store_dir: "${folder}" }\nmqtt { listen: "127.0.0.1:${mqtt}" }\n`
  await writeFile(conf, text)
  const child = spawn((await testBinary()).path, ['-c', conf], { stdio: 'ignore' })
  const gone = once(child, 'close')
  atEnd(async () => {
    child.kill('SIGKILL')
    await gone
  })
  return eventually('it is there', () => connectTo(`nats://127.0.0.1:${port}`).catch(() => undefined))
}

test('SO1 SO2 what NATS and MQTT publish is captured while nobody runs, and stored once, in order; the rest is a dead letter', async () => {
  const connection = await serverWithMqtt()
  const where = await place(connection)
  const options: SubjectSourceOptions<[typeof Asked]> = {
    name: 'sensors',
    to: { stream: where.stream.name, events: [Asked] },
    subjects: ['sensors.>'],
    map: (message) => Asked({ n: Number(message.text()), key: message.subject.split('.')[1] ?? '' }),
  }
  const declaration = defineSubjectSource(options)
  const capture = captureStream({ ...declaration, stream: where.stream })
  await applyStreams(connection, await planStreams(connection, [capture]))
  assert.ok((await planStreams(connection, [capture])).every(({ kind }) => kind === 'unchanged'))
  const device = await MqttDevice.connect(mqtt)
  for (let n = 0; n < 20; n++) {
    if (n % 2 === 0) await device.publish('sensors/a', String(n))
    else connection.nats.publish('sensors.b', String(n))
    await connection.nats.flush()
  }
  await device.publish('sensors/a', 'not a number')
  device.close()
  const start = (run: string) => {
    const shared = { connection, clock: systemClock, log: silentLog, stream: where.stream }
    const source = startSubjectSource({ ...shared, declaration, capture, run })
    atEnd(() => source.stop())
    return source
  }
  const numbers = async (): Promise<number[]> =>
    (await readAll(connection, where.stream.name, [`${where.stream.root}.>`])).map(
      ({ data }) => (JSON.parse(Buffer.from(data).toString()) as { n: number }).n,
    )
  const one = start('one')
  await eventually('all', async () => (await numbers()).length === 20 || undefined)
  await eventually('a dead letter', () => one.status.letters === 1 || undefined)
  assert.equal(
    await numbers(),
    Array.from({ length: 20 }, (_, n) => n),
  )
  await one.stop()
  connection.nats.publish('sensors.b', '20')
  const two = start('two')
  await eventually('it goes on', async () => (await numbers()).length === 21 || undefined)
  await eventually('it has heard that it is stored', () => two.status.position === 22)
  assert.is(two.status.done, 21)
  const [letter] = await readAll(connection, 'DEAD_LETTERS', ['millrace.dead.source-sensors.>'])
  assert.is(Buffer.from(letter?.data ?? []).toString(), 'not a number')
})

test('SO3 a stream that is full has the source wait and say so, and miss nothing', async () => {
  const connection = await connectTo(`nats://127.0.0.1:${port}`)
  const stream = defineStream({ name: 'FULL', root: 'fullstream', partitions: 1 })
  // a stream as an operator may have limited it: an event and the place behind it are two
  const limited = { ...streamConfig(stream), allow_msg_schedules: false, max_msgs: 1, discard: 'new' as never }
  await connection.manager.streams.add(limited)
  const declaration = defineSubjectSource({
    name: 'full',
    to: { stream: 'FULL', events: [Asked] },
    subjects: ['full.>'],
  })
  const capture = captureStream({ ...declaration, stream })
  await applyStreams(connection, await planStreams(connection, [capture]))
  const source = startSubjectSource({
    connection,
    clock: systemClock,
    log: silentLog,
    stream,
    declaration,
    capture,
    run: 'one',
  })
  atEnd(() => source.stop())
  for (let n = 0; n < 5; n++) connection.nats.publish('full.a', JSON.stringify({ n, key: 'k' }))
  await eventually('it waits', () => source.status.stall?.code === 'STREAM_FULL' || undefined)
  assert.is((await readAll(connection, 'FULL', ['fullstream.>'])).length, 0)
  await connection.manager.streams.update('FULL', { ...limited, max_msgs: -1 })
  await eventually('all', async () => (await readAll(connection, 'FULL', ['fullstream.>'])).length === 5 || undefined)
  await eventually('told', () => (source.status.done === 5 && source.status.stall === undefined) || undefined)
})

test('SO2 SO3 a capture stream that was made again is read from its beginning', async () => {
  const connection = await connectTo(`nats://127.0.0.1:${port}`)
  const { stream } = await place(connection)
  const declaration = defineSubjectSource({
    name: 'again',
    to: { stream: stream.name, events: [Asked] },
    subjects: ['again.>'],
  })
  const capture = captureStream({ ...declaration, stream })
  const numbers: number[] = []
  for (const [run, count] of [
    ['one', 3],
    ['two', 5],
  ] as const) {
    await applyStreams(connection, await planStreams(connection, [capture]))
    const first = numbers.length
    connection.nats.publish('again.a', `of ${run}`)
    for (let n = first; n < first + count; n++) {
      connection.nats.publish('again.a', JSON.stringify({ n, key: 'k' }))
      numbers.push(n)
    }
    await connection.nats.flush()
    const source = startSubjectSource({
      connection,
      clock: systemClock,
      log: silentLog,
      stream,
      declaration,
      capture,
      run,
    })
    atEnd(() => source.stop())
    await eventually('all', () => source.status.done === numbers.length || undefined)
    await source.stop()
    await connection.manager.streams.delete(capture.name)
  }
  const stored = await readAll(connection, stream.name, [`${stream.root}.>`])
  assert.equal(
    stored.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { n: number }).n),
    numbers,
  )
  const letters = await readAll(connection, 'DEAD_LETTERS', ['millrace.dead.source-again.>'])
  assert.equal(
    letters.map(({ data }) => Buffer.from(data).toString()),
    ['of one', 'of two'],
  )
})

test('subjects of Millrace or the server are refused', () => {
  const define = (subject: string) => () =>
    defineSubjectSource({ name: 'a', to: { stream: 'S', events: [Asked] }, subjects: [subject] })
  for (const subject of ['millrace.>', '>', '*.a', '$JS.>', 'a..b', 'a.>.b', '']) assert.throws(define(subject))
  assert.not.throws(define('a.*.b.>'))
})

test.run()
