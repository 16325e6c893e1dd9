import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { replay } from '../../src/replay/replay.ts'
import { subjectSink } from '../../src/replay/subject-sink.ts'
import { resolveTarget } from '../../src/replay/subject-target.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Paid } from '../support/replays.ts'

const test = suite('a replay to a subject')

async function filled(count: number): Promise<StreamDeclaration> {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(
    connection,
    stream,
    Array.from({ length: count }, (_, n) => Paid({ order: `o ${n % 5}`, amount: n })),
  )
  return stream
}

async function replayTo(stream: string, subject: string, credit?: number) {
  const connection = await sharedConnection()
  const target = await resolveTarget(connection, stream, subject)
  const sink = subjectSink({ connection, clock: systemClock, stream, target })
  const result = await replay({
    connection,
    clock: systemClock,
    stream,
    from: { kind: 'sequence', sequence: 1 },
    sink,
    ...(credit === undefined ? {} : { credit }),
  })
  return { target, result, duplicates: sink.duplicates }
}

async function refused(stream: string, subject: string): Promise<ErrorCode> {
  try {
    await resolveTarget(await sharedConnection(), stream, subject)
  } catch (error) {
    if (isFault(error)) return error.code
    throw error
  }
  throw new Error(`${subject} was taken`)
}

test('stores every event in the target stream, in order, the same event under its own key', async () => {
  const connection = await sharedConnection()
  const from = await filled(500)
  const to = await freshStream(connection)
  const { target, result } = await replayTo(from.name, `${to.root}.>`, 70)
  assert.equal(target.streams, [to.name])
  assert.is(result.delivered, 500)
  const [before, after] = [await readAll(connection, from.name), await readAll(connection, to.name)]
  assert.is(after.length, 500)
  for (const [at, copy] of after.entries()) {
    const original = before[at]
    assert.equal(Buffer.from(copy.data), Buffer.from(original?.data ?? []))
    for (const name of ['ce-id', 'ce-source', 'ce-type', 'ce-time', 'ce-partitionkey'])
      assert.is(copy.headers.get(name), original?.headers.get(name), name)
    assert.is(copy.subject.split('.').slice(2).join('.'), original?.subject.split('.').slice(2).join('.'))
    assert.is(copy.headers.get('Millrace-Replay-Sequence'), String(original?.sequence))
  }
})

test('run again it adds nothing twice, and says how many were there', async () => {
  const connection = await sharedConnection()
  const from = await filled(40)
  const to = await freshStream(connection)
  await replayTo(from.name, `${to.root}.>`)
  const again = await replayTo(from.name, to.root)
  assert.is(again.duplicates, 40)
  assert.is((await readAll(connection, to.name)).length, 40)
})

test('below a deeper prefix without a stream it goes to whoever listens', async () => {
  const connection = await sharedConnection()
  const from = await filled(20)
  const subjects: string[] = []
  const prefix = `sandbox-${process.pid}.orders`
  const subscription = connection.nats.subscribe(`${prefix}.>`, {
    callback: (_, message) => void subjects.push(message.subject),
  })
  const { target, result } = await replayTo(from.name, `${prefix}.>`)
  assert.equal(target.streams, [])
  assert.is(result.delivered, 20)
  await eventually('all heard', () => subjects.length === 20 || undefined)
  assert.is(subjects[0], `${prefix}.o%200.order.paid`)
  subscription.unsubscribe()
})

test('a target that leads back into the stream is refused, directly or through a copy', async () => {
  const connection = await sharedConnection()
  const from = await filled(1)
  assert.is(await refused(from.name, `${from.root}.>`), 'REPLAY_LOOP')
  assert.is(await refused(from.name, `${from.root}.deeper.>`), 'REPLAY_LOOP')
  const id = `loop-${process.pid}`
  await connection.manager.streams.add({ name: `${id}-a`, subjects: [`${id}.>`] })
  await connection.manager.streams.add({ name: `${id}-b`, sources: [{ name: `${id}-a` }] })
  assert.is(await refused(`${id}-b`, `${id}.>`), 'REPLAY_LOOP')
})

test('subjects of NATS and of Millrace itself are refused, and what is no subject', async () => {
  const { name } = await filled(1)
  for (const subject of ['$JS.API.>', 'millrace.x', '_INBOX.a', 'a..b', 'a.*.>', '', '>'])
    assert.is(await refused(name, subject), 'SUBJECT_INVALID', subject)
})

test('what the target refuses ends the replay with its code', async () => {
  const connection = await sharedConnection()
  const from = await filled(10)
  const name = `full-${process.pid}`
  await connection.manager.streams.add({ name, subjects: [`${name}.>`], max_msgs: 3, discard: 'new' as never })
  try {
    await replayTo(from.name, `${name}.>`)
    assert.unreachable()
  } catch (error) {
    assert.ok(isFault(error, 'STREAM_FULL'), String(error))
  }
})

test.run()
