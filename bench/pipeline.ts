// A pipeline on the kernel: durable consumer, contracts checked, RxJS, position committed. Baseline: the callback loop
// of bench/consume.ts, which checks nothing and remembers nothing but its acks.
import { filter, map } from 'rxjs'
import type { Connection } from '../src/broker/connection.ts'
import type { StreamDeclaration } from '../src/broker/define-stream.ts'
import { ProcessorRun } from '../src/kernel/run-processor.ts'
import { silentLog } from '../src/observe/log.ts'
import { definePipeline } from '../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../src/pipeline/pipeline-processor.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { callbackLoop } from './consume.ts'
import { measure, perSecond, type Bench } from './harness.ts'
import { fill, freshStream, Large, Paid, registry, wireEvents } from './payments.ts'

const COUNT = 200_000

export const pipeline: Bench = async (context) => {
  const { connection, other } = context
  const from = await freshStream(connection)
  const to = await freshStream(connection)
  await fill(connection, wireEvents(from, COUNT))
  let round = 0
  const against = 'consume() callback + ack() + JSON.parse'
  const baseline = () => perSecond(COUNT, () => callbackLoop(other, from.name, `bare-${(round += 1)}`, COUNT))
  const run = (limit: number) => () => perSecond(COUNT, () => run1(connection, from, to, `p${(round += 1)}`, limit))
  await measure(context, 'pipeline', {
    name: 'pipeline.stateless',
    unit: 'events/s',
    against,
    candidate: run(Number.POSITIVE_INFINITY),
    baseline,
  })
  await measure(context, 'pipeline', {
    name: 'pipeline.stateless-committed',
    unit: 'events/s',
    against,
    candidate: run(Number.NEGATIVE_INFINITY),
    baseline,
  })
}

async function run1(
  connection: Connection,
  from: StreamDeclaration,
  to: StreamDeclaration,
  name: string,
  limit: number,
): Promise<void> {
  const declared = definePipeline({
    name,
    version: 1,
    from: { stream: from.name, events: [Paid] },
    to: { stream: to.name, events: [Large] },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        filter(({ data }) => data.amount > limit),
        map(({ data }) => Large({ cardId: data.cardId, amount: data.amount })),
      ),
  })
  const processor = await ProcessorRun.start(pipelineProcessor(declared, { from, to }), {
    connection,
    registry,
    clock: systemClock,
    log: silentLog,
    owner: 'bench',
    onFailure: (error) => {
      throw error
    },
  })
  while (processor.counts.turns < COUNT) await new Promise((resolve) => setTimeout(resolve, 2))
  await processor.stop()
  await connection.manager.consumers.delete(from.name, `pipeline-${name}`)
}
