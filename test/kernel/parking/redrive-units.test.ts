// Parked keys of units of every sort, and what another declaration makes of them, on a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLast } from '../../../src/broker/last-message.ts'
import { DEAD_LETTER_STREAM, deadLetterSubject } from '../../../src/broker/system-subject.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { partitionOf } from '../../../src/event/partition.ts'
import { encodeToken, storedFilter } from '../../../src/event/subject.ts'
import { readUnitParking } from '../../../src/kernel/parking/parked-unit.ts'
import { unitId, type Processor } from '../../../src/kernel/processor.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { publishAll, readAll } from '../../support/events.ts'
import { Alarm } from '../../support/kill-fixture.ts'
import { apply, declareInputs, mergeOf, merged, pipelineName } from '../../support/merging.ts'
import { sharedServer } from '../../support/nats.ts'
import { numbersOf, redrive, startUnit, unitOf, untilParked, untilPosition } from './redriving.ts'
import { repair, tally, work, type Repairs } from './tally.ts'

const test = suite('parked keys of units')

test('a unit of one partition parks and takes back the keys of its own; outputs are of that partition', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const repairs: Repairs = { count: 0 }
  const processor = tally(stream, 'none', {}, repairs)
  const partition = String(partitionOf(encodeToken('a'), stream.partitions))
  const unit = unitOf(processor, partition)
  const { run } = await startUnit(processor, partition)
  await publishAll(connection, stream, [work('a', 1, { hard: 1 }), work('a', 2)])
  await untilParked(connection, unit, 'a', 2)
  repairs.count = 1
  assert.is((await redrive(connection, unit, 'a')).kind, 'back')
  assert.equal(await numbersOf(connection, stream, 'a'), [1, 2])
  for (const { headers, subject } of await readAll(connection, stream.name, [storedFilter(stream.root, Alarm.type)])) {
    assert.match(headers.get('ce-id') ?? '', `pipeline-tally-none-${partition}-`)
    assert.match(headers.get('ce-causationid') ?? '', /^e\d+$/, 'the event itself is the cause, not its way')
    assert.is(subject.split('.')[1], partition)
  }
  await run.stop()
})

test('PK1 PK2 several inputs in one unit: the events of a key keep the order in which they were merged', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const [one, two, to] = declareInputs({}, {}, {})
  assert.ok(one && two && to)
  const merge = mergeOf(pipelineName(), [one, two])
  await apply(connection, one, two, to, merge)
  const processor: Processor = { ...tally(merge, 'keyed', { spread: 'one' }), to: { stream: to } }
  const unit = unitOf(processor)
  let running = await startUnit(processor)
  await publishAll(connection, one, [work('a', 1), work('a', 2, { hard: 1 }), work('a', 3)])
  await untilParked(connection, unit, 'a', 2)
  await publishAll(connection, two, [work('a', 4), work('b', 1)])
  await untilParked(connection, unit, 'a', 3)
  await running.crash()
  running = await startUnit(processor)
  await publishAll(connection, two, [repair(), work('a', 5)])
  await untilParked(connection, unit, 'a', 4)
  assert.equal(await redrive(connection, unit, 'a'), { kind: 'back', redriven: 4, passed: 0, waiting: 0 })
  await publishAll(connection, one, [work('a', 6)])
  await eventually('the last one', async () => (await numbersOf(connection, to, 'a')).length === 6)
  assert.equal(await numbersOf(connection, to, 'a'), [1, 2, 3, 4, 5, 6])
  assert.is((await merged(connection, merge, 8 + 4)).length, 8 + 4, 'what came back is beside what was merged')
  await running.run.stop()
})

test('stop: whatever came before is stored, the event is no dead letter, and no number of restarts passes it over', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const repairs: Repairs = { count: 0 }
  const processor = tally(stream, 'none', { onPoison: 'stop' }, repairs)
  await publishAll(connection, stream, [work('a', 1), work('b', 1), work('a', 2, { hard: 1 }), work('a', 3)])
  for (let start = 1; start <= 9; start++) {
    const { run, failures, crash } = await startUnit(processor)
    const error = await eventually('a failure', () => failures[0])
    assert.is(error.code, 'POISON_STOPPED')
    assert.is(run.state.kind, 'failed')
    await untilPosition(connection, unitOf(processor), 2)
    await crash()
  }
  assert.equal([await numbersOf(connection, stream, 'a'), await numbersOf(connection, stream, 'b')], [[1], [1]])
  const subject = deadLetterSubject(stream.name, 3, 'pipeline-tally-none')
  assert.is(await readLast(connection, DEAD_LETTER_STREAM, subject), undefined)
  repairs.count = 1
  const { run } = await startUnit(processor)
  await eventually('the rest', async () => (await numbersOf(connection, stream, 'a')).length === 3)
  await run.stop()
})

test('state is not made anew while keys are parked; with an empty one they stay parked and come back to it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = tally(stream, 'keyed')
  const unit = unitOf(processor)
  const { run } = await startUnit(processor)
  await publishAll(connection, stream, [work('a', 1), work('a', 2, { hard: 1 }), work('a', 3)])
  await untilParked(connection, unit, 'a', 2)
  await run.stop()
  for (const memory of ['keyed', 'snapshot', 'replay'] as const) {
    const changed = { ...tally(stream, memory), name: processor.name, version: '2', upgrade: 'rebuild' as const }
    const error: unknown = await startUnit(changed).catch((thrown: unknown) => thrown)
    assert.ok(isFault(error, 'PARKED_KEYS_BLOCK_REBUILD'), String(error))
    assert.match(error.detail, 'pipeline-tally-keyed, partition all: 1, "a"')
  }
  const cut = await startUnit({ ...processor, version: '3', upgrade: 'cut' })
  await publishAll(connection, stream, [repair(), work('a', 4)])
  await untilParked(connection, unit, 'a', 3)
  assert.equal(await redrive(connection, unit, 'a'), { kind: 'back', redriven: 3, passed: 0, waiting: 0 })
  assert.equal(await numbersOf(connection, stream, 'a'), [1, 2, 3, 4])
  const [last] = (await readAll(connection, stream.name, [storedFilter(stream.root, Alarm.type)])).slice(-1)
  assert.is(JSON.parse(Buffer.from(last?.data ?? []).toString()).count, 3, 'counted from where it was cut')
  await cut.run.stop()
})

test('a unit reads what comes back as long as it parks keys, or has some', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = tally(stream, 'keyed')
  const unit = unitOf(processor)
  const untilFilters = (count: number) =>
    eventually(`${count} filters`, async () => {
      const found = await connection.manager.consumers
        .info(stream.name, unitId(processor, 'all'))
        .catch(() => undefined)
      return found !== undefined && (found.config.filter_subjects?.length ?? 1) === count
    })
  const runs = async (onPoison: 'park' | 'continue', filters: number, work: () => Promise<unknown>): Promise<void> => {
    const { run } = await startUnit({ ...processor, onPoison })
    await work()
    await untilFilters(filters)
    await run.stop()
  }
  await runs('continue', 1, () => publishAll(connection, stream, [work('b', 1)]))
  await runs('park', 2, async () => {
    await publishAll(connection, stream, [work('a', 1, { hard: 1 })])
    await untilParked(connection, unit, 'a', 1)
  })
  await runs('continue', 2, async () => {
    await publishAll(connection, stream, [repair()])
    assert.is((await redrive(connection, unit, 'a')).kind, 'back')
  })
  assert.equal((await readUnitParking(connection, unit))?.parked, [])
  await runs('continue', 1, () => publishAll(connection, stream, [work('b', 2)]))
  assert.equal(await numbersOf(connection, stream, 'a'), [1])
})

test.run()
