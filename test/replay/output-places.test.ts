import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { storedFilter } from '../../src/event/subject.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { outboxProcessor } from '../../src/pipeline/outbox-processor.ts'
import { compareOutputs, isSame } from '../../src/replay/compare-outputs.ts'
import { dryRun } from '../../src/replay/dry-run.ts'
import { OutputIndex } from '../../src/replay/output-index.ts'
import { outputPlaces } from '../../src/replay/output-places.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Alarm, High, Reading, readings, registry } from '../support/kill-fixture.ts'
import { apply, declareInputs } from '../support/merging.ts'

const test = suite('where the outputs of a processor are')

function sorting(from: StreamDeclaration, to: StreamDeclaration, other: StreamDeclaration): Processor {
  return {
    kind: 'pipeline',
    name: 'sorting',
    version: '1',
    from: { stream: from, types: [Reading.type] },
    to: { stream: to, others: [{ stream: other, types: [Alarm.type] }] },
    memory: 'none',
    start: () => ({
      turn: ({ data }) => {
        const { machine, value } = data as { machine: string; value: number }
        return value % 2 === 0 ? [High({ machine, value })] : [Alarm({ machine, count: 1, sum: value })]
      },
      stop: () => undefined,
    }),
  }
}

test('in the stream that is committed to, in the outbox, and where that was emptied to', () => {
  const [from, to, other] = declareInputs({}, {}, {}) as [StreamDeclaration, StreamDeclaration, StreamDeclaration]
  assert.equal(outputPlaces(sorting(from, to, other), [High.type, Alarm.type]), [
    { stream: to.name, filters: [`${to.root}.*.reading.high`], shared: false },
    { stream: to.name, filters: [`millrace.${to.name}.outbox.${other.name}.*.machine.alarmed`], shared: true },
    { stream: other.name, filters: [`${other.root}.*.machine.alarmed`], shared: true },
  ])
  assert.equal(outputPlaces({ to: { stream: to } }, [High.type]), [
    { stream: to.name, filters: [`${to.root}.*.reading.high`], shared: false },
  ])
})

test('a comparison finds every output, carried over, half of it carried over, or not', async () => {
  const connection = await sharedConnection()
  const [from, to, other] = declareInputs({}, {}, { partitions: 2 }) as [
    StreamDeclaration,
    StreamDeclaration,
    StreamDeclaration,
  ]
  await apply(connection, from, to, other)
  await publishAll(connection, from, readings(200))
  const processor = sorting(from, to, other)
  const input = await readAll(connection, from.name, [storedFilter(from.root, Reading.type)])
  const options = { connection, registry, clock: systemClock, log: silentLog, owner: 'test' }
  const start = (one: Processor, partition: string): Promise<ProcessorRun> =>
    ProcessorRun.start(one, { ...options, partition, onFailure: (error) => assert.unreachable(error.message) })
  const live = await start(processor, 'all')
  await eventually('through', () => live.counts.turns === 200 || undefined)
  await live.stop()
  const compare = async () => {
    const index = new OutputIndex()
    const sink = dryRun({ processor, registry, index, write: undefined, onRejected: () => undefined })
    await sink.take(input)
    const range = { first: 1, last: input.at(-1)?.sequence ?? 0 }
    const outputTypes = [High.type, Alarm.type]
    // of whole units only: the position is that of the processor that ran with one unit
    return compareOutputs({
      connection,
      clock: systemClock,
      processor: { ...processor, spread: 'one' },
      outputTypes,
      index,
      ...range,
    })
  }
  for (const unit of [undefined, '0', '1']) {
    const outbox = outboxProcessor(to, other)
    const run = unit === undefined ? undefined : await start(outbox, unit)
    if (run !== undefined) await eventually('carried', () => run.counts.turns > 0 || undefined)
    await run?.stop()
    const found = await compare()
    assert.ok(isSame(found), JSON.stringify(found))
    assert.is(found.same, 200)
  }
})

test('what one unit has not handled yet is ahead, though the others have come further', async () => {
  const connection = await sharedConnection()
  const [from, to, other] = declareInputs({ partitions: 2 }, {}, {}) as [
    StreamDeclaration,
    StreamDeclaration,
    StreamDeclaration,
  ]
  await apply(connection, from, to, other)
  const processor = sorting(from, to, other)
  const options = { connection, registry, clock: systemClock, log: silentLog, owner: 'test' }
  const start = (partition: string): Promise<ProcessorRun> =>
    ProcessorRun.start(processor, { ...options, partition, onFailure: (error) => assert.unreachable(error.message) })
  const read = (partition?: number) =>
    readAll(connection, from.name, [storedFilter(from.root, Reading.type, partition)])
  const handle = async (partition: number): Promise<void> => {
    const last = (await read(partition)).at(-1)?.sequence ?? 0
    const run = await start(String(partition))
    await eventually('through', () => run.position >= last || undefined)
    await run.stop()
  }
  await publishAll(connection, from, readings(100, 1))
  await handle(0)
  await handle(1)
  const behind = (await read(0)).length
  await publishAll(connection, from, readings(100, 2))
  await handle(1)
  const input = await read()
  const index = new OutputIndex()
  await dryRun({ processor, registry, index }).take(input)
  const found = await compareOutputs({
    connection,
    clock: systemClock,
    processor,
    outputTypes: [High.type, Alarm.type],
    index,
    first: 1,
    last: input.at(-1)?.sequence ?? 0,
  })
  const ahead = (await read(0)).length - behind
  assert.ok(ahead > 10)
  assert.equal(
    { ...found, first: 0, last: 0 },
    { ...found, first: 0, last: 0, same: 200 - ahead, ahead, onlyInReplay: 0 },
  )
  assert.ok(isSame(found), JSON.stringify(found))
})

test.run()
