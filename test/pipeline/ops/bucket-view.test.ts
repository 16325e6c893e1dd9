// Events enriched from a key-value bucket of a real server, over crashes and changes of the bucket.
import { map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { StreamDeclaration } from '../../../src/broker/define-stream.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import type { Processor } from '../../../src/kernel/processor.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { bucketView } from '../../../src/pipeline/ops/bucket-view.ts'
import { enrich, type View } from '../../../src/pipeline/ops/enrich.ts'
import { pipelineProcessor } from '../../../src/pipeline/pipeline-processor.ts'
import { runAndCrash, start, stored } from '../../kernel/running.ts'
import { eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { freshBucket } from '../../support/bucket.ts'
import { publishAll } from '../../support/events.ts'
import { High, Reading } from '../../support/kill-fixture.ts'

const test = suite('a bucket as a view')

const Machine = z.object({ limit: z.number() })

function enriched(stream: StreamDeclaration, view: View<z.infer<typeof Machine>>, ttl: string | number = 0): Processor {
  const pipeline = definePipeline({
    name: 'enriched',
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'slots', idle: '1h' },
    pipeline: (readings$, ctx) =>
      readings$.pipe(
        enrich(ctx, view, ({ data }) => data.machine, { ttl, attempts: 1 }),
        map(({ value, found }) => High({ machine: value.data.machine, value: found?.limit ?? -1 })),
      ),
  })
  return pipelineProcessor(pipeline, { from: stream, to: stream })
}

test('what was found is recorded: a replay gives the same, whatever the bucket has by then, and new events what it has now', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const bucket = await freshBucket(connection)
  const processor = enriched(stream, bucketView(bucket.name, { schema: Machine, maxAge: 0 }))
  await bucket.put('m', '{"limit":7}')
  const reading = (machine: string) => publishAll(connection, stream, [Reading({ machine, value: 1 })])
  const values = async () => (await stored(connection, stream, High.type)).map(({ data }) => data['value'])
  await reading('m')
  await reading('none')
  await runAndCrash(processor, 2)
  await bucket.put('m', '{"limit":8}')
  const second = await start(connection, processor)
  await eventually('steps of the first', async () => (await values()).length === 2 || undefined)
  const first = await values()
  await reading('m')
  await eventually('the third', async () => (await values()).length === 3 || undefined)
  await second.run.stop()
  await bucket.remove('m', 'DEL')
  // reads the log again from the first event: with another answer, its hash would be another one
  const third = await start(connection, processor)
  await reading('m')
  const all = await eventually('the fourth', async () => ((await values()).length === 4 ? values() : undefined))
  await third.run.stop()
  assert.equal([...second.failures, ...third.failures], [])
  assert.equal(all.slice(0, 2), first)
  assert.ok(first.includes(-1))
  assert.equal(all.slice(2), [8, -1])
})

test('a value of another shape, or a bucket that is not there, fails the event with its code, and others go on', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const bucket = await freshBucket(connection)
  await bucket.put('a', '{"limit":"high"}')
  await bucket.put('b', 'no JSON')
  await bucket.put('c', '{"limit":3}')
  const { run, failures } = await start(connection, enriched(stream, bucketView(bucket.name, { schema: Machine })))
  await publishAll(
    connection,
    stream,
    ['a', 'b', 'c'].map((machine) => Reading({ machine, value: 1 })),
  )
  await eventually('the one', async () => (await stored(connection, stream, High.type)).length === 1 || undefined)
  await eventually('the others', () => run.counts.deadLetters === 2 || undefined)
  await run.stop()
  assert.equal(failures, [])
})

test('without a server there is no bucket, and a name that no bucket has is refused at once', async () => {
  const asked = bucketView('M').get('k', new AbortController().signal, undefined)
  assert.ok(isFault(await asked.catch((error: unknown) => error), 'VIEW_UNAVAILABLE'))
  assert.throws(() => bucketView('a.b'), /PIPELINE_INVALID|no name of a bucket/)
})

test.run()
