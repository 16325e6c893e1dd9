import { filter, map, mergeMap, of } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { storedFilter } from '../../src/event/subject.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { compareOutputs, isSame, type Comparison } from '../../src/replay/compare-outputs.ts'
import { dryRun } from '../../src/replay/dry-run.ts'
import { OutputIndex } from '../../src/replay/output-index.ts'
import { replay } from '../../src/replay/replay.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Paid } from '../support/replays.ts'

const Large = defineEvent('order.large', { data: z.object({ order: z.string(), n: z.number() }), key: (d) => d.order })
const registry = createRegistry([Paid, Large])
const OUTPUT = ['order.large']

const test = suite('a dry run')

function pipeline(stream: StreamDeclaration, least = 100): Processor {
  const declared = definePipeline({
    name: 'large',
    version: 1,
    from: { stream: stream.name, events: [Paid] },
    to: { stream: stream.name, events: [Large] },
    spread: 'one',
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        filter(({ data }) => data.amount >= least),
        mergeMap(({ data }) => of(1, 2).pipe(map((n) => Large({ order: data.order, n })))),
      ),
  })
  return pipelineProcessor(declared, { from: stream, to: stream })
}

/** Two payments of one order, the second at least ten times the first. */
function rule(stream: StreamDeclaration): Processor {
  const text = `rule: jump
on: ${stream.name}
key: data.order
sequence:
  - low: { event: order.paid, where: data.amount < 20 }
  - high: { event: order.paid, where: data.amount > 10.0 * low.data.amount }
within: 1h
emit: { event: order.large, data: { order: key, n: high.data.amount } }
`
  const contracts = {
    types: registry.types,
    get: (type: string) => {
      const contract = registry.get(type)
      return contract === undefined ? undefined : { fields: contract.fields() }
    },
  }
  return ruleProcessor(parseRule(text, { file: 'jump.yaml', contracts }), registry, { from: stream, to: stream })
}

function paid(count: number, from = 0) {
  return Array.from({ length: count }, (_, i) =>
    Paid({ order: `o${(from + i) % 30}`, amount: ((from + i) * 7_919) % 211 }),
  )
}

async function live(processor: Processor, turns: number): Promise<void> {
  const run = await ProcessorRun.start(processor, {
    connection: await sharedConnection(),
    registry,
    clock: systemClock,
    log: silentLog,
    owner: `test-${Math.random()}`,
    onFailure: (error) => assert.unreachable(error.message),
  })
  await eventually(`${turns} turns`, () => run.counts.turns >= turns || undefined)
  await run.stop()
}

async function dry(
  processor: Processor,
  range: { from?: number; to?: number } = {},
): Promise<{ ids: string[]; comparison: Comparison; outputs: number; deadLetters: number }> {
  const connection = await sharedConnection()
  const index = new OutputIndex()
  let text = ''
  const sink = dryRun({ processor, registry, index, write: (chunk) => void (text += chunk) })
  const { from = 1, to } = range
  const result = await replay({
    connection,
    clock: systemClock,
    stream: processor.from.stream.name,
    types: processor.from.types,
    from: { kind: 'sequence', sequence: from },
    to,
    sink,
  })
  const last = result.nextSequence - 1
  const comparison = await compareOutputs({
    connection,
    clock: systemClock,
    processor,
    outputTypes: OUTPUT,
    index,
    first: result.firstSequence,
    last,
  })
  const lines = text === '' ? [] : text.trimEnd().split('\n')
  const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id)
  return { ids, comparison, outputs: sink.summary.outputs, deadLetters: sink.summary.deadLetters }
}

async function storedIds(stream: StreamDeclaration): Promise<string[]> {
  const outputs = await readAll(await sharedConnection(), stream.name, [storedFilter(stream.root, 'order.large')])
  return outputs.map(({ headers }) => headers.get('ce-id') ?? '')
}

for (const [what, make] of [
  ['pipeline', pipeline],
  ['rule', rule],
] as const)
  test(`K1 a ${what} over history puts out what it stored live, also after a stop in the middle`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    const processor = make(stream)
    await publishAll(connection, stream, paid(700))
    await live(processor, 300)
    await publishAll(connection, stream, paid(500, 700))
    await live(processor, 1_200)
    const { ids, comparison, outputs } = await dry(processor)
    assert.ok(ids.length > 50, `${ids.length} outputs`)
    assert.is(outputs, ids.length)
    assert.equal(ids, await storedIds(stream))
    assert.is(comparison.same, ids.length)
    assert.ok(isSame(comparison), JSON.stringify(comparison))
    const before = await connection.manager.streams.info(stream.name)
    await dry(processor)
    const after = await connection.manager.streams.info(stream.name)
    assert.is(after.state.last_seq, before.state.last_seq, 'nothing was published')
  })

test('changed code shows: what is new, what is missing, what says something else', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, paid(200))
  await live(pipeline(stream, 100), 200)
  const stored = await storedIds(stream)
  const stricter = (await dry(pipeline(stream, 150))).comparison
  assert.is(stricter.onlyInReplay, 0)
  assert.is(stricter.same + stricter.onlyStored, stored.length)
  assert.ok(stricter.onlyStored > 0)
  assert.ok(stored.includes(stricter.examples.onlyStored[0] ?? ''))
  const looser = (await dry(pipeline(stream, 50))).comparison
  assert.is(looser.same, stored.length)
  assert.ok(looser.onlyInReplay > 0)
  const changed = definePipeline({
    name: 'large',
    version: 1,
    from: { stream: stream.name, events: [Paid] },
    to: { stream: stream.name, events: [Large] },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        filter(({ data }) => data.amount >= 100),
        mergeMap(({ data }) => of(1, 3).pipe(map((n) => Large({ order: data.order, n })))),
      ),
  })
  const { comparison } = await dry(pipelineProcessor(changed, { from: stream, to: stream }))
  assert.equal(
    [comparison.same, comparison.different, comparison.onlyInReplay, comparison.onlyStored],
    [stored.length / 2, stored.length / 2, 0, 0],
  )
})

test('only the range that was replayed and that the live one has reached is compared', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, paid(100))
  await live(pipeline(stream), 100)
  await publishAll(connection, stream, paid(50, 100))
  const { comparison, ids } = await dry(pipeline(stream), { from: 31 })
  assert.ok(isSame(comparison), JSON.stringify(comparison))
  assert.is(comparison.first, 31)
  assert.ok(comparison.ahead > 0)
  assert.is(comparison.same + comparison.ahead, ids.length)
  const never = await freshStream(connection)
  await publishAll(connection, never, paid(30))
  const { comparison: unseen } = await dry(pipeline(never))
  assert.ok(unseen.ahead > 0 && !isSame(unseen), 'nothing compared is not the same')
})

test('an event that fails its contract is counted as the dead letter that it is live', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, [
    ...paid(10),
    { ...Paid({ order: 'o', amount: 1 }), data: { order: 'o' } },
    ...paid(10),
  ])
  assert.is((await dry(pipeline(stream))).deadLetters, 1)
})

test('a pipeline that emits outside a turn ends the dry run with the cause', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, paid(5))
  const late = definePipeline({
    name: 'late',
    version: 1,
    from: { stream: stream.name, events: [Paid] },
    to: { stream: stream.name, events: [Large] },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) => paid$.pipe(mergeMap(async ({ data }) => Large({ order: data.order, n: 1 }))),
  })
  try {
    await dry(pipelineProcessor(late, { from: stream, to: stream }))
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'EMITTED_OUTSIDE_TURN')
  }
})

test.run()
