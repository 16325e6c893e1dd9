import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { Event, EventDraft } from '../../src/event/event.ts'
import { isPack, packEvents } from '../../src/event/packed.ts'
import { partitionOf } from '../../src/event/partition.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { encodeToken, parseStoredSubject, publishSubject, storedFilter } from '../../src/event/subject.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { compareOutputs } from '../../src/replay/compare-outputs.ts'
import { dryRun } from '../../src/replay/dry-run.ts'
import { marksOf, OutputIndex, wireHeaders } from '../../src/replay/output-index.ts'
import type { Progress } from '../../src/replay/progress.ts'
import { replay } from '../../src/replay/replay.ts'
import type { Rejected } from '../../src/replay/sink.ts'
import { subjectSink } from '../../src/replay/subject-sink.ts'
import { resolveTarget } from '../../src/replay/subject-target.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { eventsOf, publishPacks, splitInto } from '../support/packs.ts'
import { memorySink, Paid, replayLines, Sent, sleepingClock } from '../support/replays.ts'

const test = suite('a replay of packed events')

const SIZES = [1, 4, 1, 10, 3, 1]

function paid(count: number): Event[] {
  return eventsOf(Array.from({ length: count }, (_, n) => Paid({ order: `o ${n % 7}`, amount: n / 3 })))
}

async function packed(sizes = SIZES): Promise<{ connection: Connection; stream: StreamDeclaration; events: Event[] }> {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const events = paid(sizes.reduce((sum, size) => sum + size, 0))
  await publishPacks(connection, stream, splitInto(events, sizes))
  return { connection, stream, events }
}

const fromStart = { from: { kind: 'sequence', sequence: 1 } } as const

/** What a line says of the event, without where it is stored. */
function said(line: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(line).filter(([name]) => !/^(?:stream|stored)/.test(name)))
}

test('writes one line for each event, the same as if it had been stored alone, at the sequence of its pack', async () => {
  const { connection, stream, events } = await packed()
  const alone = await freshStream(connection)
  for (const event of events)
    await publishOnce(connection, { subject: publishSubject(alone.root, event.key, event.type), ...encodeEvent(event) })
  const { lines, result } = await replayLines({ stream: stream.name })
  const expected = await replayLines({ stream: alone.name })
  assert.equal(lines.map(said), expected.lines.map(said))
  assert.equal(
    lines.map(({ streamsequence }) => Number(streamsequence)),
    SIZES.flatMap((size, at) => Array.from({ length: size }, () => at + 1)),
  )
  assert.equal([result.delivered, result.lastSequence, result.nextSequence], [20, 6, 7])
})

test('counts an event that is none, and delivers the others of its pack', async () => {
  const { connection, stream } = await packed([2])
  const { headers, data } = packEvents(paid(3))
  const text = Buffer.from(data).toString().replace('"id":"e2"', '"id":""')
  await publishOnce(connection, { subject: `${stream.root}.k.order.paid`, headers, data: Buffer.from(text) })
  await publishOnce(connection, { subject: `${stream.root}.k.order.paid`, headers, data: Buffer.from('[{]') })
  await publishOnce(connection, { subject: `${stream.root}.k.order.paid`, headers, data: Buffer.from('[]') })
  const { lines, result } = await replayLines({ stream: stream.name })
  assert.equal(
    lines.map(({ id }) => id),
    ['e1', 'e2', 'e1', 'e3'],
  )
  assert.equal([result.delivered, result.rejected, result.lastSequence], [4, 2, 4])
})

test('a limit counts events, also inside of a pack, and what is left begins with that pack', async () => {
  const { stream, events } = await packed()
  for (let limit = 1; limit <= events.length; limit++) {
    const { lines, result } = await replayLines({ stream: stream.name, limit })
    assert.equal(
      lines.map(({ id }) => id),
      events.slice(0, limit).map(({ id }) => id),
    )
    assert.equal([result.delivered, result.ended], [limit, 'complete'])
    const rest = await replayLines({ stream: stream.name, from: { kind: 'sequence', sequence: result.nextSequence } })
    assert.equal(
      rest.lines.map(({ id }) => id),
      events.slice(limit - result.repeated).map(({ id }) => id),
    )
  }
})

test('keeps the spacing of the events inside of a pack, and stops between them', async () => {
  const { connection, stream } = await packed([1, 5, 1])
  const clock = sleepingClock()
  const sink = memorySink()
  const common = { connection, stream: stream.name, ...fromStart, sink, clock }
  await replay({ ...common, pace: { kind: 'factor', factor: 1, by: 'event' } })
  assert.equal(clock.slept, [1_000, 1_000, 1_000, 1_000, 1_000, 1_000])

  const stop = new AbortController()
  const held = memorySink(() => (held.sequences.length === 3 ? stop.abort() : undefined))
  const cut = { ...common, clock: sleepingClock(), sink: held, signal: stop.signal }
  const result = await replay({ ...cut, pace: { kind: 'factor', factor: 1, by: 'event' } })
  assert.equal([result.ended, result.delivered, result.nextSequence, result.repeated], ['interrupted', 3, 2, 2])
})

test('progress tells events, and how much of the messages is done', async () => {
  const { connection, stream } = await packed()
  let last: Progress | undefined
  const onProgress = (progress: Progress): void => void (last = progress)
  const common = { connection, clock: systemClock, stream: stream.name, ...fromStart, onProgress }
  await replay({ ...common, sink: memorySink(), limit: 9 })
  assert.equal(
    { ...last, rate: 0 },
    { delivered: 9, rejected: 0, messages: 3, of: 6, rate: 0, sequence: 4, next: 4, repeated: 3 },
  )
  await replay({ ...common, sink: memorySink() })
  assert.equal(
    { ...last, rate: 0 },
    { delivered: 20, rejected: 0, messages: 6, of: 6, rate: 0, sequence: 6, next: 7, repeated: 0 },
  )
})

test('hands packs over whole to a sink that asks for it, and counts their events all the same', async () => {
  const { connection, stream } = await packed()
  const common = { connection, clock: systemClock, stream: stream.name, ...fromStart }
  const sink = { ...memorySink(), whole: true }
  const all = await replay({ ...common, sink })
  assert.equal([all.delivered, sink.sequences], [20, [1, 2, 3, 4, 5, 6]])
  const some = { ...memorySink(), whole: true }
  const result = await replay({ ...common, sink: some, limit: 7 })
  assert.equal([result.delivered, result.nextSequence, result.repeated, some.sequences], [16, 5, 0, [1, 2, 3, 4]])
})

/** Puts out an event for each. */
function sender(stream: StreamDeclaration, each = (order: string): EventDraft => Sent({ order })): Processor {
  return {
    kind: 'pipeline',
    name: 'p',
    version: '1',
    from: { stream, types: [Paid.type] },
    to: { stream, packed: true },
    memory: 'none',
    spread: 'one',
    start: () => ({ turn: ({ data }) => [each((data as { order: string }).order)], stop: () => undefined }),
  }
}

test('a dry run handles every event of a pack, and gives the outputs the ids that they have live', async () => {
  const { connection, stream } = await packed([2, 3])
  const { headers, data } = packEvents(paid(2))
  const text = Buffer.from(data).toString().replace('"amount":0', '"amount":"0"')
  await publishOnce(connection, { subject: `${stream.root}.k.order.paid`, headers, data: Buffer.from(text) })
  const processor = sender(stream)
  let written = ''
  const rejected: Rejected[] = []
  const sink = dryRun({
    processor,
    registry: createRegistry([Paid, Sent]),
    write: (chunk) => void (written += chunk),
    onRejected: (one) => rejected.push(one),
  })
  const result = await replay({ connection, clock: systemClock, stream: stream.name, ...fromStart, sink })
  assert.equal(sink.summary, { events: 7, outputs: 6, outputsByType: { 'order.sent': 6 }, deadLetters: 1 })
  assert.equal([result.delivered, result.rejected], [6, 1])
  assert.equal(
    rejected.map(({ sequence, code }) => [sequence, code]),
    [[3, 'EVENT_DATA_INVALID']],
  )
  const ids = written
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id)
  assert.equal(
    ids.map((id) => id.split('-').slice(-2).join('-')),
    ['1-0', '1-1', '2-0', '2-1', '2-2', '3-0'],
  )
})

test('to a subject: every event under its own key and message id, in the partition of the target, once', async () => {
  const { connection, stream, events } = await packed()
  const to = await freshStream(connection, { partitions: 16 })
  const target = await resolveTarget(connection, stream.name, `${to.root}.>`)
  for (const duplicates of [0, 20]) {
    const sink = subjectSink({ connection, clock: systemClock, stream: stream.name, target })
    const result = await replay({ connection, clock: systemClock, stream: stream.name, ...fromStart, sink })
    assert.equal([result.delivered, sink.duplicates], [20, duplicates])
  }
  const stored = await readAll(connection, to.name)
  assert.is(stored.length, 20)
  for (const [at, { subject, headers }] of stored.entries()) {
    const event = events[at] as Event
    assert.is(headers.get('Nats-Msg-Id'), `/test ${event.id}`)
    assert.is(parseStoredSubject(to.root, subject)?.partition, partitionOf(encodeToken(event.key ?? ''), 16))
  }
  const [copies, originals] = [await replayLines({ stream: to.name }), await replayLines({ stream: stream.name })]
  assert.equal(copies.lines.map(said), originals.lines.map(said))
})

test('outputs that are stored in packs are compared one by one', async () => {
  const { connection, stream } = await packed([30, 20, 1])
  const registry = createRegistry([Paid, Sent])
  const onFailure = (error: Error): void => assert.unreachable(error.message)
  const rest = { registry, clock: systemClock, log: silentLog, owner: 'test', onFailure }
  const run = await ProcessorRun.start(sender(stream), { connection, ...rest })
  await eventually('committed', () => run.counts.turns === 3)
  await run.stop()
  const stored = await readAll(connection, stream.name, [storedFilter(stream.root, Sent.type)])
  assert.ok(stored.length < 40 && stored.some((message) => isPack(message)), `${stored.length} messages`)
  for (const [each, differ] of [
    [undefined, 0],
    [(order: string) => Sent({ order: order === 'o 1' ? 'other' : order }), 8],
  ] as const) {
    const processor = sender(stream, each)
    const index = new OutputIndex()
    const sink = dryRun({ processor, registry, index })
    const { types } = processor.from
    await replay({ connection, clock: systemClock, stream: stream.name, types, ...fromStart, sink })
    const outputTypes = [Sent.type]
    const compared = await compareOutputs({
      connection,
      clock: systemClock,
      processor,
      outputTypes,
      index,
      first: 1,
      last: 3,
    })
    const { same, different, onlyInReplay, onlyStored } = compared
    assert.equal([same, different, onlyInReplay, onlyStored], [51 - differ, differ, 0, 0])
  }
})

test('an output is the same output in a pack and alone, and another one when anything of it differs', () => {
  const [event] = paid(1) as [Event]
  const odd: Event = {
    ...event,
    id: 'ü %"',
    key: 'a\\b',
    data: { amount: 1e21, order: 'é\u2028"\\', 1: -0.5 },
    version: 3,
    causationId: 'c',
  }
  const alone = (one: Event) => {
    const written = encodeEvent(one)
    return marksOf({ headers: wireHeaders(written), data: written.data })
  }
  const inPack = (...events: Event[]) => {
    const written = packEvents(events)
    return marksOf({ headers: wireHeaders(written), data: written.data })
  }
  assert.equal(
    inPack(event, odd, { ...event, data: undefined }),
    [event, odd, { ...event, data: undefined }].flatMap(alone),
  )
  for (const change of [{ key: 'x' }, { time: 1 }, { type: 't' }, { data: {} }, { version: 4 }, { correlationId: 'x' }])
    assert.is.not(inPack({ ...odd, ...change })[0]?.fingerprint, alone(odd)[0]?.fingerprint)
})

test.run()
