// Processors of every kind of memory on a real server, with timers and steps, while their processes die.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { claim } from '../../src/kernel/claim.ts'
import { loadMemory } from '../../src/kernel/load-memory.ts'
import { processorId, type Processor } from '../../src/kernel/processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { Reading } from '../support/kill-fixture.ts'
import { linkTo } from '../support/link.ts'
import { sharedServer } from '../support/nats.ts'
import { faultOf } from '../support/numbered.ts'
import { actualOutputs, assertSame, expectedOutputs, journalOn, kindsOf, recordOf } from './on-server.ts'
import { start } from './running.ts'
import { windowProcessor } from './window-logic.ts'

const test = suite('timers and steps on a server')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Ends after a while, differently each time. */
async function work(): Promise<unknown> {
  await pause(Math.random() * 20)
  if (Math.random() < 0.1) throw new Error('no')
  return Math.floor(Math.random() * 1_000)
}

/** Readings of now, of so many machines. */
function now(count: number, machines = 12) {
  const values = [20, 90, 7, 77, 96, 78, 33, 41, 100, 52, 63, 5]
  return Array.from({ length: count }, (_, at) =>
    Reading({ machine: `m${at % machines}`, value: values[at % values.length] ?? 0 }, { time: Date.now() - (at % 7) }),
  )
}

/** Everything is handled, and nothing is waited for any more. */
async function quiet(connection: Connection, processor: Processor, turns: number, partition = 'all'): Promise<void> {
  await eventually('every message', async () => (await recordOf(connection, processor, partition))?.turns === turns)
  for (let [before, same] = [0, 0]; same < 4;) {
    await pause(100)
    const decisions = (await journalOn(connection, processor, partition)).length
    same = decisions === before ? same + 1 : 0
    before = decisions
  }
}

/** Starts a processor over a connection of its own, and takes that away after a while: soon, or when it has moved on. */
async function liveAndDie(processor: Processor, soon: boolean): Promise<void> {
  const connection = await connectTo((await sharedServer()).url)
  const { run } = await start(connection, processor)
  const { turns } = run.counts
  if (!soon) await eventually('it moves on', () => run.counts.turns > turns)
  await pause(Math.random() * 120)
  await connection.close()
}

for (const memory of ['snapshot', 'replay', 'keyed'] as const)
  test(`K1 C1 C2 memory ${memory}: killed again and again, what comes out follows from log and journal`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    const processor = windowProcessor(stream, memory, work)
    const done = { rounds: 0, lives: 0 }
    const publishing = (async () => {
      // as long as any life may wait for the next; slowly then, so that the end is not buried
      for (; done.rounds < 36 || (done.lives < 9 && done.rounds < 1_000); done.rounds++) {
        await publishAll(connection, stream, now(20))
        await pause(done.rounds < 36 ? 30 : 250)
      }
    })()
    for (; done.lives < 9; done.lives++) await liveAndDie(processor, done.lives % 3 === 2)
    await publishing
    const { run, failures } = await start(connection, processor)
    await quiet(connection, processor, 20 * done.rounds)
    await run.stop()
    assert.equal(failures, [])
    const actual = await actualOutputs(connection, stream)
    assertSame(actual, await expectedOutputs(connection, processor))
    assert.is(new Set(actual.map((output) => output.split(' ')[0])).size, actual.length, 'no id twice')
    const kinds = kindsOf(await journalOn(connection, processor))
    assert.ok((kinds['tick'] ?? 0) > 1 && (kinds['step'] ?? 0) > 30, JSON.stringify(kinds))
  })

test('K1 units of the partitions of a stream run beside each other, each with its own log, journal and record', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = windowProcessor(stream, 'keyed', work)
  const partitions = Array.from({ length: stream.partitions }, (_, at) => String(at))
  const all = async (over: Connection) =>
    Promise.all(partitions.map((partition) => start(over, processor, { partition })))
  const own = await connectTo((await sharedServer()).url)
  await all(own)
  await publishAll(connection, stream, now(600, 40))
  await pause(60)
  await own.close()
  const runs = await all(connection)
  await publishAll(connection, stream, now(600, 40))
  const handled = async () =>
    (await Promise.all(partitions.map((partition) => recordOf(connection, processor, partition)))).map(
      (record) => record?.turns ?? 0,
    )
  await eventually('every message', async () => (await handled()).reduce((sum, turns) => sum + turns, 0) === 1_200)
  const counts = await handled()
  for (const [at, partition] of partitions.entries()) await quiet(connection, processor, counts[at] ?? 0, partition)
  for (const { run, failures } of runs) {
    await run.stop()
    assert.equal(failures, [])
  }
  assert.ok(
    counts.every((turns) => turns > 50),
    `turns by partition: ${counts.join(' ')}`,
  )
  const actual = await actualOutputs(connection, stream)
  const expected = await Promise.all(partitions.map((partition) => expectedOutputs(connection, processor, partition)))
  for (const outputs of expected) {
    const ids = new Set(outputs)
    assertSame(
      actual.filter((output) => ids.has(output)),
      outputs,
    )
  }
  assert.is(actual.length, expected.flat().length)
  const consumers = await connection.manager.consumers.list(stream.name).next()
  const lasting = consumers.filter(({ config }) => config.durable_name !== undefined) // others are those of readers
  assert.equal(
    lasting.map(({ name }) => name).sort(),
    partitions.map((partition) => `pipeline-windows-keyed-${partition}`),
  )
})

test('K4 a message that would close a window waits for the step that belongs into it; one that would not does not', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  let end: ((value: number) => void) | undefined
  const processor = windowProcessor(stream, 'replay', () => new Promise((resolve) => (end = resolve)))
  const { run, failures } = await start(connection, processor)
  const time = Date.now() + 3_600_000 // no window closes by the clock
  const reading = (value: number, after: number) => Reading({ machine: 'm', value }, { time: time + after })
  await publishAll(connection, stream, [reading(5, 0), reading(1, 50), reading(2, 150), reading(3, 160)])
  await eventually('the second', () => run.counts.turns === 2)
  await pause(150)
  assert.is(run.counts.turns, 2)
  const finish = await eventually('the step runs', () => end)
  finish(7)
  await eventually('the others', () => run.counts.turns === 4)
  await run.stop()
  assert.equal(failures, [])
  assert.equal(valuesOf(await actualOutputs(connection, stream)), ['20007', '1002', '15'])
})

const valuesOf = (outputs: readonly string[]) => outputs.map((output) => /"value":(\d+)/.exec(output)?.[1])

test('time does not pass for a processor that is cut off: what is stored meanwhile is not late', async () => {
  const direct = await sharedConnection()
  const stream = await freshStream(direct)
  const processor = windowProcessor(stream, 'keyed')
  const link = await linkTo((await sharedServer()).url)
  const { run, failures } = await start(await connectTo(link.url), processor)
  const ahead = 3_000 // nothing is due before the link is closed, however long that takes
  const time = Date.now() + ahead
  const reading = (after: number) => Reading({ machine: 'm', value: 1 }, { time: time + after })
  await publishAll(direct, stream, [reading(0)])
  await eventually('the first', () => run.counts.turns === 1)
  link.close()
  await pause(ahead + 600) // the window has closed by the clock, and the machine is forgotten
  await publishAll(direct, stream, [reading(20), reading(40)])
  link.open()
  await eventually('the others', () => run.counts.turns === 3)
  await quiet(direct, processor, 3)
  await run.stop()
  assert.equal(failures, [])
  assert.equal(valuesOf(await actualOutputs(direct, stream)), ['3', '1003', '1003', '2003'])
})

test('C3 whoever is overtaken while it reads its state says that it is fenced, not that the state is damaged', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = windowProcessor(stream, 'snapshot')
  await publishAll(connection, stream, now(20))
  const first = await start(connection, processor)
  await eventually('done', () => first.run.counts.turns === 20)
  await first.run.stop()
  const overtaken = await claim(connection, processor, 'all', 'overtaken')
  await publishAll(connection, stream, now(200, 60))
  const heir = await start(connection, processor)
  await eventually('done', () => heir.run.counts.turns === 220)
  await heir.run.stop()
  const error = await faultOf(loadMemory(connection, systemClock, processor, overtaken))
  assert.is(error.code, 'PROCESSOR_FENCED')
  const subject = commitSubject(stream.name, processorId(processor), 'all')
  await connection.manager.streams.purge(stream.name, { filter: subject })
  const gone = await faultOf(loadMemory(connection, systemClock, processor, overtaken))
  assert.is(gone.code, 'COMMIT_RECORD_GONE')
})

test('a unit whose stream has another number of partitions now is refused: its keys are elsewhere', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = windowProcessor(stream, 'keyed')
  await claim(connection, processor, '2', 'one')
  const other = { ...stream, partitions: stream.partitions * 2 }
  const changed = windowProcessor(other, 'keyed')
  assert.is((await faultOf(claim(connection, changed, '2', 'two'))).code, 'PARTITIONS_CHANGED')
})

test.run()
