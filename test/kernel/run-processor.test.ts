import { filter, map, mergeMap, of } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { decodeHeaderValue } from '../../src/event/header-value.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { definePipeline, type PipelineDeclaration } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'

const Paid = defineEvent('order.paid', {
  data: z.object({ order: z.string(), amount: z.number() }),
  key: (d) => d.order,
})
const Large = defineEvent('order.large', { data: z.object({ order: z.string(), n: z.number() }), key: (d) => d.order })
const registry = createRegistry([Paid, Large])

const test = suite('a processor run')

function largeOrders(stream: StreamDeclaration, name = 'large'): PipelineDeclaration {
  return definePipeline({
    name,
    version: 1,
    from: { stream: stream.name, events: [Paid] },
    to: { stream: stream.name, events: [Large] },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        filter(({ data }) => data.amount >= 100),
        mergeMap(({ data }) => of(1, 2).pipe(map((n) => Large({ order: data.order, n })))),
      ),
  })
}

async function start(
  pipeline: PipelineDeclaration,
  stream: StreamDeclaration,
  onFailure: (error: MillraceError) => void = () => undefined,
) {
  return ProcessorRun.start(pipelineProcessor(pipeline, { from: stream, to: stream }), {
    connection: await sharedConnection(),
    registry,
    clock: systemClock,
    log: silentLog,
    owner: `test-${Math.random()}`,
    onFailure,
  })
}

function paid(count: number, from = 0) {
  return Array.from({ length: count }, (_, i) => Paid({ order: `o${(from + i) % 50}`, amount: (from + i) % 200 }))
}

test('K1 outputs each once and in order, over a restart', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, paid(3_000))
  const first = await start(largeOrders(stream), stream)
  await eventually('half done', () => first.position > 1_500 || undefined)
  await first.stop()
  await publishAll(connection, stream, paid(1_000, 3_000))
  const second = await start(largeOrders(stream), stream)
  await eventually('all done', () => second.counts.turns === 4_000 || undefined)
  await second.stop()
  const outputs = await readAll(connection, stream.name, [storedFilter(stream.root, 'order.large')])
  assert.is(outputs.length, 4_000)
  const ids = outputs.map(({ headers }) => headers.get('ce-id') ?? '')
  assert.is(new Set(ids).size, 4_000)
  const causes = ids.map((id) => Number(id.split('-').at(-2)))
  assert.equal(
    causes,
    [...causes].sort((a, b) => a - b),
  )
})

test('C3 a former owner is fenced and stores nothing more', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  let fenced: string | undefined
  const zombie = await start(largeOrders(stream), stream, (error) => (fenced = error.code))
  const heir = await start(largeOrders(stream), stream)
  await publishAll(connection, stream, paid(2_000))
  await eventually('heir done', () => heir.counts.turns === 2_000 || undefined)
  await eventually('zombie fenced', () => fenced)
  assert.is(fenced, 'PROCESSOR_FENCED')
  assert.is(zombie.state.kind, 'failed')
  await heir.stop()
  const outputs = await readAll(connection, stream.name, [storedFilter(stream.root, 'order.large')])
  assert.is(new Set(outputs.map(({ headers }) => headers.get('ce-id'))).size, outputs.length)
  assert.is(outputs.length, 2_000)
})

test('an event that fails its contract becomes one dead letter, however many meet it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const broken = { ...Paid({ order: 'o1', amount: 1 }), data: { order: 'o1', amount: 'much' } }
  await publishAll(connection, stream, [...paid(10), broken, ...paid(10)])
  const runs = [await start(largeOrders(stream), stream), await start(largeOrders(stream, 'other'), stream)]
  for (const run of runs) await eventually('done', () => run.counts.turns === 21 || undefined)
  for (const run of runs) await run.stop()
  const dead = await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${stream.name}.>`])
  assert.is(dead.length, 1)
  assert.is(dead[0]?.headers.get('Millrace-Dead-Code'), 'EVENT_DATA_INVALID')
  assert.is(dead[0]?.headers.get('Millrace-Dead-Sequence'), '11')
  assert.match(decodeHeaderValue(dead[0]?.headers.get('Millrace-Dead-Issues') ?? '') ?? '', '"pointer":"/amount"')
  assert.equal(JSON.parse(Buffer.from(dead[0]?.data ?? []).toString()), { order: 'o1', amount: 'much' })
})

test('a pipeline that throws loses only the event at fault, which becomes a dead letter', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const pipeline = definePipeline({
    name: 'throws',
    version: 1,
    from: { stream: stream.name, events: [Paid] },
    to: { stream: stream.name, events: [Large] },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        map(({ data }) => {
          if (data.amount === 7) throw new Error('seven')
          return Large({ order: data.order, n: data.amount })
        }),
      ),
  })
  await publishAll(connection, stream, paid(20))
  const run = await start(pipeline, stream)
  await eventually('done', () => run.counts.turns === 20 || undefined)
  await run.stop()
  assert.is((await readAll(connection, stream.name, [storedFilter(stream.root, 'order.large')])).length, 19)
  const dead = await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${stream.name}.>`])
  assert.equal(
    dead.map(({ headers }) => [headers.get('Millrace-Dead-Code'), headers.get('Millrace-Dead-Processor')]),
    [['TURN_FAILED', 'pipeline-throws']],
  )
})

test('a turn with more outputs than a batch holds is stored whole', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const pipeline = definePipeline({
    name: 'many',
    version: 1,
    from: { stream: stream.name, events: [Paid] },
    to: { stream: stream.name, events: [Large] },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        mergeMap(({ data }) => of(...Array.from({ length: 2_500 }, (_, n) => Large({ order: data.order, n })))),
      ),
  })
  await publishAll(connection, stream, paid(2))
  const run = await start(pipeline, stream)
  await eventually('done', () => run.counts.turns === 2 || undefined)
  await run.stop()
  const outputs = await readAll(connection, stream.name, [storedFilter(stream.root, 'order.large')])
  assert.is(outputs.length, 5_000)
  assert.is(new Set(outputs.map(({ headers }) => headers.get('ce-id'))).size, 5_000)
})

test('an emission outside a turn stops the pipeline with the cause', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const pipeline = definePipeline({
    name: 'late',
    version: 1,
    from: { stream: stream.name, events: [Paid] },
    to: { stream: stream.name, events: [Large] },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) => paid$.pipe(mergeMap(async ({ data }) => Large({ order: data.order, n: 1 }))),
  })
  let failed: MillraceError | undefined
  const run = await start(pipeline, stream, (error) => (failed = error))
  await publishAll(connection, stream, paid(2_000))
  const error = await eventually('failure', () => failed)
  assert.is(error.code, 'EMITTED_OUTSIDE_TURN')
  await run.stop()
})

test.run()
