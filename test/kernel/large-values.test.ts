// Results of steps, and states of keys, that are larger than a message.
import { concatMap, map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { defineKeyed } from '../../src/pipeline/define-keyed.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { keyedProcessor } from '../../src/pipeline/keyed/keyed-processor.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { start, stored } from './running.ts'

const test = suite('large values')
const Asked = defineEvent('page.asked', { data: z.object({ page: z.string() }), key: ({ page }) => page })
const Read = defineEvent('page.read', {
  data: z.object({ page: z.string(), size: z.number() }),
  key: ({ page }) => page,
})
const registry = createRegistry([Asked, Read])

/** Text that cannot be compressed to much less than three quarters of it. */
function noise(length: number): string {
  let seed = length
  const next = (): string => (seed = (seed * 48_271) % 2_147_483_647).toString(36)
  let text = ''
  while (text.length < length) text += next()
  return text.slice(0, length)
}

function asking(stream: StreamDeclaration, work: () => Promise<unknown>, most = 1): Processor {
  const pipeline = definePipeline({
    name: 'asking',
    version: 1,
    from: { stream: stream.name, events: [Asked] },
    to: { stream: stream.name, events: [Read] },
    recovery: { mode: 'slots' },
    pipeline: (asked$, ctx) =>
      asked$.pipe(
        concatMap(() => ctx.step('page', work, { attempts: 1 })),
        map((text) => Read({ page: ctx.key, size: (text as string).length })),
        concatMap((read) => Array.from({ length: ctx.key === 'p0' ? most : 1 }, () => read)),
      ),
  })
  return pipelineProcessor(pipeline, { from: stream, to: stream })
}

test('a result larger than can be recorded fails its step, and the pipeline goes on', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const sizes = [3_000_000, 100]
  const { run, failures } = await start(
    connection,
    asking(stream, async () => noise(sizes.shift() ?? 0)),
    { registry },
  )
  await publishAll(connection, stream, [Asked({ page: 'a' }), Asked({ page: 'b' })])
  await eventually('the small one', async () => (await stored(connection, stream, Read.type)).length === 1)
  await eventually('the large one', () => run.counts.deadLetters === 1)
  await run.stop()
  assert.equal(failures, [])
})

test('C1 C2 results as large as can be, many of them at once, and more outputs of one than a batch holds', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = asking(stream, async () => noise(500_000), 1_500)
  const { run, failures } = await start(connection, processor, { registry })
  const pages = Array.from({ length: 60 }, (_, at) => Asked({ page: `p${at}` }))
  await publishAll(connection, stream, pages)
  const done = (): boolean => failures.length > 0 || run.counts.outputs === 1_500 + 59
  await eventually('all outputs', done, 120_000)
  await run.stop()
  assert.equal(failures, [])
})

test('K1 E1 states of a key of any size, many of them at once, come back as they were', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const keyed = defineKeyed({
    name: 'pages',
    version: 1,
    from: { stream: stream.name, events: [Asked] },
    to: { stream: stream.name, events: [Read] },
    spread: 'one',
    init: () => '',
    onEvent(c) {
      c.state += noise(c.key === 'huge' ? 3_000_000 : 150_000)
      c.emit(Read({ page: c.key, size: c.state.length }))
    },
  })
  const processor = keyedProcessor(keyed, { from: stream, to: stream })
  const asked = ['huge', ...Array.from({ length: 100 }, (_, at) => `p${at}`)].map((page) => Asked({ page }))
  await publishAll(connection, stream, asked)
  const own = await connectTo((await sharedServer()).url)
  const first = await start(own, processor, { registry })
  await eventually('all', () => first.failures.length > 0 || first.run.counts.turns === 101, 120_000)
  assert.equal(first.failures, [])
  await own.close()
  const { run, failures } = await start(connection, processor, { registry })
  await publishAll(connection, stream, asked)
  await eventually('again', () => failures.length > 0 || run.counts.turns === 202, 120_000)
  await run.stop()
  assert.equal(failures, [])
  const sizes = (await stored(connection, stream, Read.type)).map(({ data }) => data['size'])
  assert.equal(sizes.slice(101), [6_000_000, ...Array.from({ length: 100 }, () => 300_000)])
})

test.run()
