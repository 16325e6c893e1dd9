import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { replay } from '../../src/replay/replay.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { ownServer } from '../support/nats.ts'
import { memorySink, Paid } from '../support/replays.ts'

const test = suite('a replay under faults')

const COUNT = 3_000
const FROM = { kind: 'sequence', sequence: 1 } as const

async function filledServer() {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  await publishAll(
    connection,
    stream,
    Array.from({ length: COUNT }, (_, n) => Paid({ order: `o${n % 9}`, amount: n })),
  )
  const slow = memorySink(() => new Promise((resolve) => setTimeout(resolve, 2)))
  const options = { connection, clock: systemClock, stream: stream.name, from: FROM, credit: 50, sink: slow }
  return { server, connection, stream, slow, options }
}

test('R1 the server is killed and comes back: every event once, in order', async () => {
  const { server, slow, options } = await filledServer()
  const running = replay(options)
  await eventually('a part', () => slow.sequences.length > 300 || undefined)
  await server.kill()
  const before = slow.sequences.length
  await server.restart()
  const result = await running
  assert.ok(before < COUNT, 'it was killed in the middle')
  assert.is(result.ended, 'complete')
  assert.equal(
    slow.sequences,
    Array.from({ length: COUNT }, (_, i) => i + 1),
  )
})

test('it can be stopped while the server is away', async () => {
  const { server, slow, options } = await filledServer()
  const stop = new AbortController()
  const running = replay({ ...options, signal: stop.signal })
  await eventually('a part', () => slow.sequences.length > 100 || undefined)
  await server.kill()
  const started = performance.now()
  stop.abort()
  const result = await running
  assert.ok(performance.now() - started < 30_000)
  assert.is(result.ended, 'interrupted')
  assert.is(result.nextSequence, (slow.sequences.at(-1) ?? 0) + 1)
})

test('a closed connection and a deleted stream end it with a code, not in a hang', async () => {
  for (const [fail, code] of [
    ['close', 'BROKER_UNREACHABLE'],
    ['delete', 'STREAM_NOT_FOUND'],
  ] as const) {
    const { connection, stream, slow, options } = await filledServer()
    const running = replay(options)
    running.catch(() => undefined)
    await eventually('a part', () => slow.sequences.length > 100 || undefined)
    if (fail === 'close') await connection.close()
    else await connection.manager.streams.delete(stream.name)
    try {
      await running
      assert.unreachable()
    } catch (error) {
      assert.ok(isFault(error, code), String(error))
    }
    assert.is(slow.ended, 1)
  }
})

test.run()
