import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import { neededFrom } from '../../src/kernel/needed-from.ts'
import { partitionsOf, type Processor } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { outboxProcessor } from '../../src/pipeline/outbox-processor.ts'
import { forgetPassed, keepForgetting } from '../../src/runtime/forgetting.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { High, Reading, readings, registry } from '../support/kill-fixture.ts'
import { apply, declareInputs, mergeOf, merged, pipelineName } from '../support/merging.ts'

const test = suite('forgetting what is passed')

function raising(from: StreamDeclaration, to: StreamDeclaration, other: StreamDeclaration): Processor {
  return {
    kind: 'pipeline',
    name: 'raising',
    version: '1',
    from: { stream: from, types: [Reading.type] },
    to: { stream: to, others: [{ stream: other, types: [High.type] }] },
    memory: 'none',
    start: () => ({
      turn: ({ data }) => [High(data as { machine: string; value: number })],
      stop: () => undefined,
    }),
  }
}

async function startUnits(
  connection: Connection,
  processor: Processor,
  units = partitionsOf(processor),
): Promise<ProcessorRun[]> {
  const options = { connection, registry, clock: systemClock, log: silentLog, owner: 'test' }
  const onFailure = (error: Error): void => assert.unreachable(error.message)
  return Promise.all(units.map((partition) => ProcessorRun.start(processor, { ...options, partition, onFailure })))
}

const count = async (connection: Connection, stream: string, filter: string): Promise<number> =>
  (await readAll(connection, stream, [filter])).length

test('M5 copies go when their unit has passed them; one that was never started keeps its own', async () => {
  const connection = await sharedConnection()
  const [one, two, to, other] = declareInputs({}, {}, {}, { partitions: 3 }) as [
    StreamDeclaration,
    StreamDeclaration,
    StreamDeclaration,
    StreamDeclaration,
  ]
  const merge = mergeOf(pipelineName(), [one, two])
  await apply(connection, one, two, to, other, merge)
  for (const input of [one, two]) await publishAll(connection, input, readings(300))
  await merged(connection, merge, 600)
  const pipeline = raising(merge, to, other)
  const outbox = outboxProcessor(to, other)
  const all = [pipeline, outbox]
  const waiting = `millrace.${to.name}.outbox.>`
  const arrived = `${other.root}.>`
  const outputs = (wanted: number) => async () =>
    (await count(connection, to.name, waiting)) + (await count(connection, other.name, arrived)) === wanted || undefined

  const units = await startUnits(connection, pipeline, ['0', '1', '2'])
  const without = (await readAll(connection, merge.name, [`millrace.${merge.name}.*.3.>`])).length
  await eventually('three of four units are through', outputs(600 - without))
  for (const input of [one, two]) await connection.manager.streams.purge(input.name)
  await forgetPassed(connection, all)
  const kept = (await readAll(connection, merge.name, [`millrace.${merge.name}.*.3.>`])).length
  assert.is(kept, without, 'what the unit that has not begun needs')

  units.push(...(await startUnits(connection, pipeline, ['3'])))
  await eventually('all units are through', outputs(600))
  for (const run of units) await run.stop()
  await forgetPassed(connection, all)
  const left = await readAll(connection, merge.name)
  assert.ok(left.length <= 2, 'the last of each input')
  assert.is(await count(connection, to.name, waiting), 600, 'nothing was carried over yet')

  const carrying = await startUnits(connection, outbox)
  await eventually('carried over', async () => (await count(connection, other.name, arrived)) === 600 || undefined)
  for (const run of carrying) await run.stop()
  await forgetPassed(connection, all)
  assert.is(await count(connection, to.name, waiting), 0)
  assert.is(await count(connection, other.name, arrived), 600)
})

test('what a recovery would read again is needed', () => {
  const record = { position: 90, origin: 10, snapshot: null, replayFrom: null } as CommitRecord
  const snapshot = { position: 70, chunks: 1, bytes: 1 }
  assert.is(neededFrom('none', record), 91)
  assert.is(neededFrom('keyed', record), 91)
  assert.is(neededFrom('snapshot', record), 11)
  assert.is(neededFrom('snapshot', { ...record, snapshot }), 71)
  assert.is(neededFrom('replay', record), 91)
  assert.is(neededFrom('replay', { ...record, replayFrom: 42 }), 42)
})

test('a deployment without copies has nothing to do; one with some does it in turns and says what goes wrong', async () => {
  const ticks: (() => void)[] = []
  const clock = { ...systemClock, every: (_: number, fn: () => void) => (ticks.push(fn), () => ticks.pop()) }
  const [one, two, to] = declareInputs({}, {}, {}) as [StreamDeclaration, StreamDeclaration, StreamDeclaration]
  const connection = await sharedConnection()
  const options = { connection, clock: clock as unknown as Clock, log: silentLog }
  keepForgetting({ ...options, processors: [raising(one, to, to)] })
  assert.is(ticks.length, 0)
  const errors: object[] = []
  const log = { ...silentLog, error: (fields: object) => void errors.push(fields) }
  const stop = keepForgetting({ ...options, log, processors: [raising(mergeOf('p', [one, two]), to, to)] })
  ticks[0]?.()
  ticks[0]?.()
  await eventually('said', () => errors.length > 0 || undefined)
  assert.is((errors[0] as { code: string }).code, 'STREAM_NOT_FOUND')
  assert.is(errors.length, 1, 'not twice at a time')
  stop()
  assert.is(ticks.length, 0)
})

test.run()
