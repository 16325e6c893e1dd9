// Pipelines on the kernel: durable consumers, contracts checked, outputs and positions committed. Baseline of the first
// ones: the callback loop of bench/consume.ts, which checks nothing and remembers nothing but its acks.
import type { StreamDeclaration } from '../src/broker/define-stream.ts'
import { declaredProcessor, type DeclaredPipeline } from '../src/pipeline/declared-pipeline.ts'
import { callbackLoop } from './consume.ts'
import { isWanted, measure, perSecond, type Bench, type BenchContext } from './harness.ts'
import { keyedWindow, slots, SPACING_MS, stateless } from './pipeline-cases.ts'
import { inMemoryWindows } from './pipeline-in-memory.ts'
import { rawStage } from './pipeline-raw-stage.ts'
import { costs } from './pipeline-costs.ts'
import { fill, freshStream, wireEvents } from './payments.ts'
import { runUntil } from './running.ts'

const COUNT = 200_000
const SLOTS_COUNT = 50_000
const IN_MEMORY_COUNT = 10_000
const CARDS = 10_000

export const pipeline: Bench = async (context) => {
  const { connection, other } = context
  const from = await freshStream(connection)
  const to = await freshStream(connection)
  await fill(connection, wireEvents(from, COUNT, '', CARDS, SPACING_MS))
  let round = 0
  const name = (): string => `p${(round += 1)}`
  const against = 'consume() callback + ack() + JSON.parse'
  const baseline = () => perSecond(COUNT, () => callbackLoop(other, from.name, `bare-${name()}`, COUNT))
  const run = (declared: () => DeclaredPipeline) =>
    perSecond(COUNT, () => runUntil(connection, declaredProcessor(declared(), { from, to }), COUNT))
  const cases: [string, () => DeclaredPipeline][] = [
    ['pipeline.stateless', () => stateless(name(), from.name, to.name, Number.POSITIVE_INFINITY)],
    ['pipeline.stateless-committed', () => stateless(name(), from.name, to.name, Number.NEGATIVE_INFINITY)],
    ['pipeline.keyed-window', () => keyedWindow(name(), from.name, to.name)],
  ]
  for (const [which, declared] of cases)
    await measure(context, 'pipeline', {
      name: which,
      unit: 'events/s',
      against,
      candidate: () => run(declared),
      baseline,
    })
  await windows(context, to, name)
  await measure(context, 'pipeline', {
    name: 'pipeline.exactly-once-stage',
    unit: 'events/s',
    against: 'raw publish with message id, ack on its receipt',
    candidate: () => run(() => stateless(name(), from.name, to.name, Number.NEGATIVE_INFINITY)),
    baseline: async () => {
      const target = await freshStream(other)
      return perSecond(COUNT, () => rawStage(other, from.name, target, `stage-${name()}`, COUNT))
    },
  })
  await costs(context)
}

/**
 * The same windows in slots and in memory. Each side has a stream that ends with the last event it is to handle: of a
 * longer one both take in more, which is time that nothing counts.
 */
async function windows(context: BenchContext, to: StreamDeclaration, name: () => string): Promise<void> {
  const { connection, other } = context
  const which = 'pipeline.slots-bufferTime'
  if (!isWanted(context, which)) return
  const [from, inMemory] = [await freshStream(connection), await freshStream(connection)]
  await fill(connection, wireEvents(from, SLOTS_COUNT, '', CARDS, SPACING_MS))
  await fill(connection, wireEvents(inMemory, IN_MEMORY_COUNT, '', CARDS, SPACING_MS))
  await measure(context, 'pipeline', {
    name: which,
    unit: 'events/s',
    against: `RxJS groupBy + bufferTime in memory, over the same callback, ${CARDS} keys`,
    candidate: () =>
      perSecond(SLOTS_COUNT, () => {
        const declared = slots(name(), from.name, to.name)
        return runUntil(connection, declaredProcessor(declared, { from, to }), SLOTS_COUNT)
      }),
    baseline: () => inMemoryWindows(other, inMemory.name, `memory-${name()}`, IN_MEMORY_COUNT, CARDS),
  })
}
