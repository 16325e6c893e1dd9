import { map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { High, Reading } from '../support/kill-fixture.ts'
import { failure, start } from './running.ts'

const test = suite('a replay that differs')

test('K1 a pipeline with state outside it is stopped, and told which output of which sequence differs', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  let outside = 0
  const pipeline = definePipeline({
    name: 'leaky',
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'slots', idle: '1h' },
    pipeline: (readings$) =>
      readings$.pipe(map(({ data }) => High({ machine: data.machine, value: data.value * 100 + (outside += 1) }))),
  })
  const processor = pipelineProcessor(pipeline, { from: stream, to: stream })
  await publishAll(
    connection,
    stream,
    [7, 8].map((value) => Reading({ machine: 'm', value })),
  )
  const { run } = await start(connection, processor)
  await eventually('handled', () => run.counts.turns === 2)
  await run.stop()
  const error = await failure(connection, processor)
  assert.is(error.code, 'PROCESSOR_NONDETERMINISTIC')
  assert.match(error.detail, /pipeline-leaky-\d+-1-0, of sequence 1, is stored as .*701.* and came out as .*703/)
  assert.match(error.detail, /millrace verify leaky --from-seq 1 --to-seq 2/)
})

test.run()
