import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { Feed } from '../../src/broker/feed.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { readings } from '../support/kill-fixture.ts'
import { apply, declareInputs, merged, mergeOf, origin, originsIn, pipelineName } from '../support/merging.ts'
import { ownServer } from '../support/nats.ts'

const test = suite('merging over a server that is killed')
const KILLS = 5
const PART = 1_500

test('M1 M2 kill -9 in the middle: each message once, in the order of its input, and one order for every reader', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const inputs = declareInputs({ partitions: 4 }, { partitions: 2 }) as [StreamDeclaration, StreamDeclaration]
  const merge = mergeOf(pipelineName(), inputs)
  await apply(connection, ...inputs, merge)
  const live = [0, 1].map((partition) => {
    const read: StoredMessage[] = []
    const feed: Feed = new Feed(connection, {
      stream: merge.name,
      filters: [storedFilter(merge.root, 'reading.taken', partition)],
      start: { kind: 'sequence', sequence: 1 },
      durable: `reader-${partition}`,
      clock: systemClock,
      onMessages: (messages) => {
        read.push(...messages)
        feed.acknowledge(messages)
        feed.release(messages.length)
      },
      onFailure: (error) => assert.unreachable(error.message),
    })
    return { read, feed }
  })
  for (let at = 0; at < KILLS; at++) {
    const publishing = Promise.all(inputs.map((input) => publishAll(connection, input, readings(PART, at + 1))))
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200))
    await server.kill()
    await server.restart()
    await publishing
  }
  const wanted = (await Promise.all(inputs.map((input) => originsIn(connection, input)))).flat()
  assert.ok(wanted.length >= 2 * KILLS * PART)
  await eventually(
    'the readers have everything',
    () => live.reduce((sum, { read }) => sum + read.length, 0) >= wanted.length || undefined,
    60_000,
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  for (const { feed } of live) feed.stop()

  const stored = await readAll(connection, merge.name)
  const found = stored.map(origin)
  assert.is(found.length, wanted.length, 'none lost, none twice')
  for (const { name } of inputs)
    assert.equal(
      found.filter((from) => from.startsWith(`${name}:`)),
      wanted.filter((from) => from.startsWith(`${name}:`)),
    )
  // the readers that were there all the time saw what is stored, in its order
  for (const [partition, { read }] of live.entries()) {
    const again = await readAll(connection, merge.name, [storedFilter(merge.root, 'reading.taken', partition)])
    assert.equal(
      read.map(({ sequence }) => sequence),
      again.map(({ sequence }) => sequence),
    )
  }
  await connection.close()
})

test('M4 a source that was changed begins where it was told to after every restart, until it has something', async () => {
  const server = await ownServer()
  let connection = await connectTo(server.url)
  const inputs = declareInputs({}, {})
  const name = pipelineName()
  await apply(connection, ...inputs, mergeOf(name, inputs))
  for (const input of inputs) await publishAll(connection, input, readings(100))
  await merged(connection, mergeOf(name, inputs), 200)
  const more = mergeOf(name, inputs, ['reading.taken', 'reading.high'])
  await apply(connection, ...inputs, more)
  // another change, which must not make the server forget where to begin
  const third = declareInputs({})
  await apply(connection, ...inputs, ...third, mergeOf(name, [...inputs, ...third], ['reading.taken', 'reading.high']))
  for (let kills = 0; kills < 2; kills++) {
    await connection.close()
    await server.kill()
    await server.restart()
    connection = await connectTo(server.url)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  const [first] = inputs as [StreamDeclaration]
  await publishAll(connection, first, readings(5))
  const found = (await merged(connection, more, 205)).map(origin)
  assert.equal([found.length, new Set(found).size], [205, 205])
  assert.equal(found.slice(200), (await originsIn(connection, first)).slice(100))
  await connection.close()
})

test.run()
