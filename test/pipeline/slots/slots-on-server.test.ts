// Slots and steps where they run: on the kernel, on a real server.
import { bufferTime, concatMap, debounceTime, filter, map, timeout } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../../src/broker/define-stream.ts'
import type { Processor } from '../../../src/kernel/processor.ts'
import { definePipeline, type PipelineOptions } from '../../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../../src/pipeline/pipeline-processor.ts'
import { runAndCrash, start, stored } from '../../kernel/running.ts'
import { eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { publishAll } from '../../support/events.ts'
import { High, Reading } from '../../support/kill-fixture.ts'

const test = suite('slots on a server')

type Options = PipelineOptions<readonly [typeof Reading]>

function processor(stream: StreamDeclaration, options: Pick<Options, 'pipeline'> & Partial<Options>): Processor {
  const pipeline = definePipeline({
    name: 'slots',
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'slots', idle: '2s' },
    ...options,
  })
  return pipelineProcessor(pipeline, { from: stream, to: stream })
}

async function putOut(connection: Connection, stream: StreamDeclaration, count: number): Promise<unknown[]> {
  return eventually(`${count} outputs`, async () => {
    const events = await stored(connection, stream, High.type)
    return events.length >= count ? events.map(({ data }) => data) : undefined
  })
}

const windows: Options['pipeline'] = (readings$, { key }) =>
  readings$.pipe(
    bufferTime(600),
    filter((batch) => batch.length > 0),
    map((batch) => High({ machine: key, value: batch.length })),
  )

test('S2 a window ends although no event follows', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { run, failures } = await start(connection, processor(stream, { pipeline: windows }))
  await publishAll(
    connection,
    stream,
    [1, 2, 3].map((value) => Reading({ machine: 'm', value })),
  )
  assert.equal(await putOut(connection, stream, 1), [{ machine: 'm', value: 3 }])
  await run.stop()
  assert.equal(failures, [])
})

test('S1 what a window had gathered before a crash comes out after it, once', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(
    connection,
    stream,
    [1, 2].map((value) => Reading({ machine: 'm', value })),
  )
  await runAndCrash(processor(stream, { pipeline: windows }), 2)
  const { run, failures } = await start(connection, processor(stream, { pipeline: windows }))
  assert.equal(await putOut(connection, stream, 1), [{ machine: 'm', value: 2 }])
  await run.stop()
  const again = await start(connection, processor(stream, { pipeline: windows }))
  await eventually('live', () => again.run.state.kind === 'live')
  await again.run.stop()
  assert.equal(await putOut(connection, stream, 1), [{ machine: 'm', value: 2 }])
  assert.equal([...failures, ...again.failures], [])
})

test('S1 a step whose result was not stored runs again with the same key; one whose result was, does not', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const keys: string[] = []
  let answers = false
  const asking = processor(stream, {
    pipeline: (readings$, { step, key }) =>
      readings$.pipe(
        concatMap(({ data }) =>
          step('ask', async (idempotencyKey) => {
            keys.push(idempotencyKey)
            if (!answers) await new Promise(() => undefined)
            return data.value * 100 + keys.length
          }),
        ),
        map((value) => High({ machine: key, value })),
      ),
  })
  await publishAll(connection, stream, [Reading({ machine: 'm', value: 7 })])
  await runAndCrash(asking, 1)
  answers = true
  const { run } = await start(connection, asking)
  assert.equal(await putOut(connection, stream, 1), [{ machine: 'm', value: 702 }])
  await run.stop()
  const again = await start(connection, asking)
  await eventually('live', () => again.run.state.kind === 'live')
  await again.run.stop()
  assert.is(keys.length, 2)
  assert.is(keys[0], keys[1])
})

test('S3 in catch-up no timer overtakes a step: each key has its result, none has a timeout', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const begin = Date.now() - 3_600_000
  const count = 30
  await publishAll(
    connection,
    stream,
    Array.from({ length: count }, (_, at) => Reading({ machine: 'm', value: at }, { time: begin + at * 10_000 })),
  )
  const asking = processor(stream, {
    spread: 'one',
    time: { of: (event) => event.time, lateness: 0 },
    pipeline: (readings$, { step, key }) =>
      readings$.pipe(
        debounceTime(500),
        concatMap(({ data }) =>
          step('ask', async () => {
            await new Promise((resolve) => setTimeout(resolve, 5))
            return data.value
          }).pipe(timeout(1_000)),
        ),
        map((value) => High({ machine: key, value })),
      ),
  })
  const { run, failures } = await start(connection, asking)
  const data = (await putOut(connection, stream, count)) as { value: number }[]
  assert.equal(
    data.map(({ value }) => value),
    Array.from({ length: count }, (_, at) => at),
  )
  await run.stop()
  assert.equal([failures, run.counts.deadLetters], [[], 0])
})

test.run()
