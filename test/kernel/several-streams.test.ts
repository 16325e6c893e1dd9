import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { decodeEvent } from '../../src/event/decode-event.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { storedFilter } from '../../src/event/subject.ts'
import type { Logic, Processor } from '../../src/kernel/processor.ts'
import { outboxProcessor } from '../../src/pipeline/outbox-processor.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { countOf, publishAll, readAll } from '../support/events.ts'
import { Alarm, High, Reading, readings, registry } from '../support/kill-fixture.ts'
import { apply, declareInputs, mergeOf, pipelineName } from '../support/merging.ts'
import { ownServer } from '../support/nats.ts'
import { start, type Running } from './running.ts'

const test = suite('several streams')

type Four = [StreamDeclaration, StreamDeclaration, StreamDeclaration, StreamDeclaration]
type Counts = Record<string, number>

/** Numbers the readings of a machine, whichever stream they come from: the order of the merge shows in the outputs. */
class Numbering implements Logic {
  readonly #counts: Counts

  constructor(counts: Counts) {
    this.#counts = counts
  }

  turn({ data }: StoredEvent) {
    const { machine, value } = data as { machine: string; value: number }
    const count = (this.#counts[machine] ?? 0) + 1
    this.#counts[machine] = count
    const high = High({ machine, value: count })
    return value % 3 === 0 ? [Alarm({ machine, count, sum: value }), high] : [high]
  }

  snapshot(): Counts {
    return { ...this.#counts }
  }

  stop(): void {}
}

function numbering(from: StreamDeclaration, to: StreamDeclaration, other: StreamDeclaration): Processor {
  return {
    kind: 'pipeline',
    name: 'numbering',
    version: '1',
    from: { stream: from, types: [Reading.type] },
    to: { stream: to, others: [{ stream: other, types: [Alarm.type] }] },
    memory: 'snapshot',
    start: (memory) => new Numbering(memory.kind === 'snapshot' ? { ...(memory.state as Counts) } : {}),
  }
}

async function events(connection: Connection, { name, root }: StreamDeclaration, type: string): Promise<StoredEvent[]> {
  const messages = await readAll(connection, name, [storedFilter(root, type)])
  return messages.map(({ headers, data, sequence, storedAt }) => {
    const decoded = decodeEvent(registry, headers, data, { stream: name, sequence, storedAt })
    if (decoded.kind === 'rejected') throw new Error(decoded.detail)
    return decoded.event
  })
}

const byKey = (all: readonly StoredEvent[]): Record<string, unknown[]> => {
  const found: Record<string, unknown[]> = {}
  for (const { key, data, causationId, id } of all) (found[key ?? ''] ??= []).push({ data, causationId, id })
  return found
}

test('M1 M2 X1 X2 two inputs, two outputs, the server and the processors killed: each output once, in order, as it was made', async () => {
  const server = await ownServer()
  const [one, two, to, other] = declareInputs({}, { partitions: 8 }, {}, { partitions: 5 }) as Four
  const merge = mergeOf(pipelineName(), [one, two])
  const publishing = await connectTo(server.url)
  await apply(publishing, one, two, to, other, merge)
  const all = [numbering(merge, to, other), outboxProcessor(to, other)]
  let connection = await connectTo(server.url)
  let running = await startAll(connection, all)
  const PART = 600
  for (let at = 0; at < 6; at++) {
    const parts = [one, two].map((input) => publishAll(publishing, input, readings(PART, at + 1)))
    await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 200))
    if (at % 2 === 0) {
      await server.kill()
      await server.restart()
    } else {
      await connection.close() // what is in hand is lost, as in a crash
      connection = await connectTo(server.url)
      running = await startAll(connection, all)
    }
    await Promise.all(parts)
  }
  const held = async (stream: StreamDeclaration, type: string, wanted: number): Promise<true | undefined> =>
    (await countOf(publishing, stream, type)) >= wanted || undefined
  await eventually('everything is merged', () => held(merge, Reading.type, 12 * PART), 90_000)
  const input = await events(publishing, merge, Reading.type)
  assert.is(input.length, 12 * PART)
  const expected = expectedFrom(input)
  await eventually('everything is put out', () => held(other, Alarm.type, expected.alarms.length), 60_000)
  await eventually('the numbering is through', () => running[0]?.run.position === input.at(-1)?.sequence || undefined)
  for (const { run, failures } of running) {
    assert.equal(failures, [])
    await run.stop()
  }

  const high = await events(publishing, to, High.type)
  assert.equal(
    high.map(({ data, causationId }) => ({ data, causationId })),
    expected.high,
  )
  const alarms = await events(publishing, other, Alarm.type)
  assert.is(new Set(alarms.map(({ id }) => id)).size, alarms.length, 'no alarm twice')
  const committed = await events(publishing, { ...to, root: `millrace.${to.name}.outbox.${other.name}` }, Alarm.type)
  assert.equal(byKey(alarms), byKey(committed), 'as they were committed, each key in its order')
  assert.equal(
    committed.map(({ data, causationId }) => ({ data, causationId })),
    expected.alarms,
  )
  assert.ok(alarms.every(({ source }) => source === '/millrace/pipelines/numbering'))
})

test('two streams that write to each other: what goes there does not come back', async () => {
  const connection = await sharedConnection()
  const [one, two] = declareInputs({}, { partitions: 3 }) as [StreamDeclaration, StreamDeclaration]
  await apply(connection, one, two)
  const forward: Processor = { ...numbering(one, one, two), name: 'there' }
  const back: Processor = { ...numbering(two, two, one), name: 'back' }
  const running = await startAll(connection, [forward, back, outboxProcessor(one, two), outboxProcessor(two, one)])
  for (const input of [one, two]) await publishAll(connection, input, [Reading({ machine: 'm1', value: 3 })])
  const counts = (): Promise<number[]> =>
    Promise.all([one, two].map((stream) => countOf(connection, stream, Alarm.type)))
  await eventually('carried over', async () => (await counts()).join() === '1,1' || undefined)
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(await counts(), [1, 1])
  for (const { run } of running) await run.stop()
})

async function startAll(connection: Connection, processors: readonly Processor[]): Promise<Running[]> {
  return Promise.all(processors.map((processor) => start(connection, processor)))
}

/** What follows from the merged readings, in their order. */
function expectedFrom(input: readonly StoredEvent[]) {
  const logic = new Numbering({})
  const high: unknown[] = []
  const alarms: unknown[] = []
  for (const event of input)
    for (const { type, data } of logic.turn(event))
      (type === High.type ? high : alarms).push({ data, causationId: event.id })
  return { high, alarms }
}

test.run()
