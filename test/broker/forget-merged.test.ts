import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { forgetMerged } from '../../src/broker/forget-merged.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { readings } from '../support/kill-fixture.ts'
import { apply, declareInputs, merged, mergeOf, origin, pipelineName } from '../support/merging.ts'
import { ownServer } from '../support/nats.ts'
import { faultOf } from '../support/numbered.ts'

const test = suite('forgetting what is merged')
type Two = [StreamDeclaration, StreamDeclaration]

/** Two inputs with 100 merged readings each: first all of the one, in two parts, then all of the other. */
async function scene(connection: Connection): Promise<{ one: string; two: string; merge: StreamDeclaration }> {
  const inputs = declareInputs({}, {}) as Two
  const merge = mergeOf(pipelineName(), inputs)
  await apply(connection, ...inputs, merge)
  for (const [at, [input, count]] of (
    [
      [inputs[0], 40],
      [inputs[0], 60],
      [inputs[1], 100],
    ] as const
  ).entries()) {
    await publishAll(connection, input, readings(count))
    await merged(connection, merge, [40, 100, 200][at] ?? 0)
  }
  return { one: inputs[0].name, two: inputs[1].name, merge }
}

const forget = (connection: Connection, merge: StreamDeclaration, needed: number): Promise<number> =>
  forgetMerged(connection, merge, [{ partition: undefined, needed }])

async function left(connection: Connection, merge: StreamDeclaration): Promise<number[]> {
  return (await merged(connection, merge, 0)).map(({ sequence }) => sequence)
}

test('what the inputs have still is kept, though every reader has passed it', async () => {
  const connection = await sharedConnection()
  const { merge } = await scene(connection)
  assert.is(await forget(connection, merge, 1_000), 0)
  assert.is((await left(connection, merge)).length, 200)
})

test('M5 what no input has is forgotten up to what is needed, and nothing that is', async () => {
  const connection = await sharedConnection()
  const { one, two, merge } = await scene(connection)
  for (const input of [one, two]) await connection.manager.streams.purge(input)
  for (const needed of [0, 1]) assert.is(await forget(connection, merge, needed), 0)
  assert.is(await forget(connection, merge, 51), 50)
  assert.is((await left(connection, merge))[0], 51)
  assert.is(await forget(connection, merge, 151), 99, 'the last of the first input stays')
  assert.equal((await left(connection, merge)).slice(0, 2), [100, 151])
  await forget(connection, merge, 1_000)
  assert.equal(await left(connection, merge), [100, 200])
})

test('M5 each partition is forgotten as far as its own reader is, though another has read nothing', async () => {
  const connection = await sharedConnection()
  const { one, two, merge } = await scene(connection)
  for (const input of [one, two]) await connection.manager.streams.purge(input)
  const readers = [0, 1, 2, 3].map((partition) => ({ partition, needed: partition === 2 ? 1_000 : 0 }))
  const before = await merged(connection, merge, 200)
  await forgetMerged(connection, merge, readers)
  const partitionOf = ({ subject }: { subject: string }) => subject.split('.')[3]
  const after = await merged(connection, merge, 0)
  assert.equal(
    after.map(({ sequence }) => sequence),
    before
      .filter((message) => partitionOf(message) !== '2' || [100, 200].includes(message.sequence))
      .map(({ sequence }) => sequence),
  )
})

test('an input that has forgotten a part keeps the rest; records that are kept for ever do not count', async () => {
  const connection = await sharedConnection()
  const { one, merge } = await scene(connection)
  const { manager } = connection
  await manager.streams.purge(one, { seq: 41, filter: '>' })
  assert.is(await forget(connection, merge, 1_000), 40)
  const subject = commitSubject(one, 'pipeline-x', 'all')
  await manager.streams.purge(one)
  await publishOnce(connection, { subject, headers: [], data: new Uint8Array(0) })
  assert.is(await forget(connection, merge, 1_000), 59)
  assert.is((await left(connection, merge))[0], 100)
})

test('M1 M5 after it the server is killed, and takes nothing again that it has merged before', async () => {
  const server = await ownServer()
  let connection = await connectTo(server.url)
  const { one, two, merge } = await scene(connection)
  // of the one input everything is forgotten but the last, while the input itself still has it all
  const { manager } = connection
  await manager.streams.purge(merge.name, { filter: `millrace.${merge.name}.${one}.>`, seq: 100 })
  for (let kills = 0; kills < 2; kills++) {
    await server.kill()
    await server.restart()
    connection = await connectTo(server.url)
    await eventually('it merges again', async () => {
      const { sources = [] } = await connection.manager.streams.info(merge.name)
      return sources.every(({ lag, active }) => lag === 0 && active >= 0) || undefined
    })
  }
  const found = (await merged(connection, merge, 101)).map(origin)
  assert.equal(
    [found.length, found[0], new Set(found).size],
    [101, `${one}:100`, 101],
    'one left of the first input, all of the second',
  )
  assert.is(found.filter((from) => from.startsWith(`${two}:`)).length, 100)
})

test('an input that was made again is said to whoever forgets', async () => {
  const connection = await sharedConnection()
  const { one, merge } = await scene(connection)
  await connection.manager.streams.delete(one)
  assert.is((await faultOf(forget(connection, merge, 10))).code, 'STREAM_NOT_FOUND')
  const [again] = declareInputs({ name: one, root: one.toLowerCase() }) as [StreamDeclaration]
  await apply(connection, again)
  assert.is((await faultOf(forget(connection, merge, 10))).code, 'STREAM_REPLACED')
})

test.run()
