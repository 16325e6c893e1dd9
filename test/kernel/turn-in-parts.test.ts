// A turn with more outputs than a batch holds is stored in parts; its process dies after the first one.
import { from, mergeMap } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expectLastSequence, publishBatch, ROLLUP_SUBJECT } from '../../src/broker/batch.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { claim } from '../../src/kernel/claim.ts'
import { encodeCommitRecord, type CommitRecord } from '../../src/kernel/commit-record.ts'
import { nextCommit } from '../../src/kernel/next-commit.ts'
import { processorId, type Processor } from '../../src/kernel/processor.ts'
import { runTurn } from '../../src/kernel/run-turn.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import { sharedServer } from '../support/nats.ts'
import { actualOutputs, assertSame, expectedOutputs, recordOf } from './on-server.ts'
import { start, stored } from './running.ts'
import { windowProcessor } from './window-logic.ts'

const test = suite('a turn in parts')

function many(stream: StreamDeclaration, version: number, count: number): Processor {
  const pipeline = definePipeline({
    name: 'many',
    version,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'stateless' },
    pipeline: (readings$) =>
      readings$.pipe(
        mergeMap(({ data }) => from(Array.from({ length: count }, (_, n) => High({ ...data, value: n })))),
      ),
  })
  return pipelineProcessor(pipeline, { from: stream, to: stream })
}

/** Stores what a process would have stored that died after the first batch of a turn in parts. */
async function firstPartOf(connection: Connection, stream: StreamDeclaration, processor: Processor): Promise<number> {
  const { record, sequence } = await claim(connection, processor, 'all', 'died')
  const [message] = await readAll(connection, stream.name, [storedFilter(stream.root, Reading.type)])
  assert.ok(message)
  const logic = processor.start({ kind: 'fresh' }, () => undefined)
  const turns = [runTurn({ processor, logic, registry }, message)]
  const commit = nextCommit({
    record,
    expected: sequence,
    turns,
    room: 999,
    output: stream.name,
    memory: 'none',
    spans: [],
    state: () => undefined,
    force: false,
  })
  const subject = commitSubject(stream.name, processorId(processor), 'all')
  const headers = [expectLastSequence(sequence), ROLLUP_SUBJECT]
  await publishBatch(connection, [...commit.messages, { subject, headers, data: encodeCommitRecord(commit.record) }])
  return commit.messages.length
}

for (const [what, version, count, expected] of [
  ['the same processor', 1, 2_200, 2_200],
  ['a changed one that puts out more', 2, 2_300, 2_300],
  ['a changed one that puts out less than is stored', 2, 500, 999],
] as const)
  test(`C1 C2 a turn that was stored in part is finished by ${what}, without giving an id twice`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    await publishAll(connection, stream, [Reading({ machine: 'm', value: 1 })])
    assert.is(await firstPartOf(connection, stream, many(stream, 1, 2_200)), 999)
    const { run } = await start(connection, many(stream, version, count))
    await eventually('done', () => run.counts.turns === 1)
    await run.stop()
    const outputs = await stored(connection, stream, High.type)
    assert.is(new Set(outputs.map(({ id }) => id)).size, outputs.length)
    assert.is(outputs.length, expected)
    assert.equal(
      outputs.map(({ data }) => data['value']),
      Array.from({ length: expected }, (_, n) => n),
    )
  })

/** Takes the connection away as soon as so many outputs of a turn are stored, while more of it is on the way. */
async function crashInTheMiddle(direct: Connection, processor: Processor, outputs: number): Promise<void> {
  const own = await connectTo((await sharedServer()).url)
  const subject = commitSubject(processor.to.stream.name, processorId(processor), 'all')
  let stop = (): void => undefined
  const reached = new Promise<void>((resolve) => {
    const subscription = direct.nats.subscribe(subject, {
      callback: (_, message) => {
        const { partial } = JSON.parse(Buffer.from(message.data).toString()) as CommitRecord
        if (partial !== null && partial.outputs >= outputs) resolve()
      },
    })
    stop = () => subscription.unsubscribe()
  })
  await direct.nats.flush()
  await start(own, processor)
  await reached
  stop()
  await own.close()
}

for (const memory of ['replay', 'keyed'] as const)
  test(`C1 C2 K1 memory ${memory}: ten thousand outputs of one turn, over two deaths in the middle of them`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    const processor = windowProcessor(stream, memory)
    const time = Date.UTC(2026, 0, 1)
    const reading = (value: number, after: number) => Reading({ machine: 'm', value }, { time: time + after })
    // a burst between others, with a window that closes and a machine that is forgotten on the way
    await publishAll(connection, stream, [reading(7, 0), reading(5_091, 90), reading(9, 900), reading(11, 910)])
    await crashInTheMiddle(connection, processor, 2_000)
    const stored = (await recordOf(connection, processor))?.partial?.outputs ?? 0
    assert.ok(stored > 1_000 && stored < 10_002, `${stored} are stored`)
    await crashInTheMiddle(connection, processor, 6_000)
    const { run, failures } = await start(connection, processor)
    await eventually('done', () => run.counts.turns === 4)
    await run.stop()
    assert.equal(failures, [])
    assert.is((await recordOf(connection, processor))?.partial, null)
    const actual = await actualOutputs(connection, stream)
    assertSame(actual, await expectedOutputs(connection, processor))
    assert.ok(actual.length > 10_002)
    assert.is(new Set(actual.map((output) => output.split(' ')[0])).size, actual.length, 'no id twice')
  })

test.run()
