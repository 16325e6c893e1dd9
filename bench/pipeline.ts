// Pipelines on the kernel: durable consumers, contracts checked, outputs and positions committed. Baseline of the first
// ones: the callback loop of bench/consume.ts, which checks nothing and remembers nothing but its acks.
import { bufferTime, filter, map } from 'rxjs'
import { z } from 'zod'
import { defineKeyed } from '../src/pipeline/define-keyed.ts'
import { definePipeline } from '../src/pipeline/define-pipeline.ts'
import { declaredProcessor, type DeclaredPipeline } from '../src/pipeline/declared-pipeline.ts'
import { callbackLoop } from './consume.ts'
import { measure, perSecond, type Bench } from './harness.ts'
import { inMemoryWindows } from './pipeline-in-memory.ts'
import { rawStage } from './pipeline-raw-stage.ts'
import { costs } from './pipeline-costs.ts'
import { fill, freshStream, Large, Paid, wireEvents } from './payments.ts'
import { runUntil } from './running.ts'

const COUNT = 200_000
const SLOTS_COUNT = 50_000
/** Event time between two payments is 1 ms, so a card of 10,000 has one each ten seconds. */
const WINDOW_MS = 1_000

export const pipeline: Bench = async (context) => {
  const { connection, other } = context
  const from = await freshStream(connection)
  const to = await freshStream(connection)
  await fill(connection, wireEvents(from, COUNT))
  let round = 0
  const name = (): string => `p${(round += 1)}`
  const against = 'consume() callback + ack() + JSON.parse'
  const baseline = () => perSecond(COUNT, () => callbackLoop(other, from.name, `bare-${name()}`, COUNT))
  const run = (declared: () => DeclaredPipeline, count = COUNT) =>
    perSecond(count, () => runUntil(connection, declaredProcessor(declared(), { from, to }), count))
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
  await measure(context, 'pipeline', {
    name: 'pipeline.slots-bufferTime',
    unit: 'events/s',
    against: 'RxJS groupBy + bufferTime in memory, 10,000 keys',
    candidate: () => run(() => slots(name(), from.name, to.name), SLOTS_COUNT),
    baseline: () => inMemoryWindows(SLOTS_COUNT / 5, 10_000, WINDOW_MS),
  })
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

function stateless(name: string, from: string, to: string, limit: number): DeclaredPipeline {
  return definePipeline({
    name,
    version: 1,
    from: { stream: from, events: [Paid] },
    to: { stream: to, events: [Large], packed: true },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        filter(({ data }) => data.amount > limit),
        map(({ data }) => Large({ cardId: data.cardId, amount: data.amount })),
      ),
  })
}

function keyedWindow(name: string, from: string, to: string): DeclaredPipeline {
  return defineKeyed({
    name,
    version: 1,
    from: { stream: from, events: [Paid] },
    to: { stream: to, events: [Large], packed: true },
    time: { of: ({ time }) => time, lateness: 0 },
    state: z.object({ sum: z.number() }),
    onEvent(c, { data }) {
      if (c.state === undefined) c.timer('end', (Math.floor(c.now / WINDOW_MS) + 1) * WINDOW_MS)
      c.state = { sum: (c.state?.sum ?? 0) + data.amount }
    },
    onTimer(c) {
      c.emit(Large({ cardId: c.key, amount: c.state?.sum ?? 0 }))
      c.clear()
    },
  })
}

function slots(name: string, from: string, to: string): DeclaredPipeline {
  return definePipeline({
    name,
    version: 1,
    from: { stream: from, events: [Paid] },
    to: { stream: to, events: [Large], packed: true },
    recovery: { mode: 'slots', idle: 2 * WINDOW_MS },
    time: { of: ({ time }) => time, lateness: 0 },
    pipeline: (paid$) =>
      paid$.pipe(
        bufferTime(WINDOW_MS),
        filter((paid) => paid.length > 0),
        map((paid) =>
          Large({
            cardId: paid[0]?.data.cardId ?? '',
            amount: paid.reduce((sum, { data }) => sum + data.amount, 0),
          }),
        ),
      ),
  })
}
