// Views of a stream whose number of partitions has changed: what is in the places of the former number counts too.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { repartition } from '../../src/kernel/repartition/repartition.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { partitionOfKey } from '../../src/event/partition.ts'
import { partitionsOf, type Processor } from '../../src/kernel/processor.ts'
import { readPointer } from '../../src/view/view-pointer.ts'
import { viewProcessor } from '../../src/view/view-processor.ts'
import { start, type Running } from '../kernel/running.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import {
  course,
  expected,
  machines,
  Measured,
  PATIENT,
  readerOf,
  registry,
  rowsOf,
  runView,
  stopAll,
} from './sample-view.ts'

const test = suite('views of a repartitioned stream')

async function change(
  connection: Connection,
  stream: StreamDeclaration,
  to: number,
  processors: readonly Processor[] = [],
): Promise<StreamDeclaration> {
  const common = { connection, registry, clock: systemClock, log: silentLog, owner: 'command', patience: 60_000 }
  await repartition({ ...common, group: `g-${stream.name}`, processors, stream, to, cut: new Set() })
  return { ...stream, partitions: to }
}

for (const [from, to] of [
  [2, 8],
  [8, 2],
] as const) {
  test(`VW1 VW4 from ${from} to ${to}: a view that begins after it, and its next version, are there when their rows are`, async () => {
    const connection = await sharedConnection()
    const before = await freshStream(connection, { partitions: from })
    const events = course(400)
    await publishAll(connection, before, events)
    const stream = await change(connection, before, to)
    const one = await runView(connection, stream)
    await one.reader.whenCaughtUp(undefined, PATIENT)
    assert.equal(await rowsOf(one.reader), expected(events))
    const view = machines(stream.name, { version: 2 })
    const processor = viewProcessor({ view, stream })
    const two: Running[] = []
    const begin = async (partition: string): Promise<number> =>
      two.push(await start(connection, processor, { registry, partition }))
    const [last = '', ...rest] = [...partitionsOf(processor)].reverse()
    for (const partition of rest) await begin(partition)
    await systemClock.sleep(1_500)
    const current = async (): Promise<number | undefined> =>
      (await readPointer(connection, view.name))?.pointer.current.version
    assert.is(await current(), 1, 'not before every unit is there')
    await begin(last)
    await eventually('swapped', async () => (await current()) === 2)
    assert.equal(await rowsOf(one.reader), expected(events))
    await stopAll([...one.runs, ...two])
  })
}

test('VW1 nobody is told that a view is there whose units have not begun with the new number', async () => {
  const connection = await sharedConnection()
  const before = await freshStream(connection, { partitions: 2 })
  const one = await runView(connection, before)
  await publishAll(connection, before, course(100))
  await one.reader.whenCaughtUp(undefined, PATIENT)
  await stopAll(one.runs)
  const processor = viewProcessor({ view: machines(before.name), stream: before })
  const stream = await change(connection, before, 8, [processor])
  await readerOf(connection, stream).whenCaughtUp(100, PATIENT)
  const moved = Measured({ machine: 'a', value: 1 })
  assert.ok(partitionOfKey('a', 8) > 1, 'its partition was not there before')
  await publishAll(connection, stream, [moved])
  const told = await readerOf(connection, stream)
    .whenCaughtUp(undefined, { timeout: 500 })
    .then(
      () => 'there',
      (error: unknown) => (isFault(error) ? error.code : String(error)),
    )
  assert.is(told, 'VIEW_NOT_CAUGHT_UP')
  const two = await runView(connection, stream)
  await two.reader.whenCaughtUp(undefined, PATIENT)
  assert.is((await two.reader.get('a'))?.count, 1)
  await stopAll(two.runs)
})

test.run()
