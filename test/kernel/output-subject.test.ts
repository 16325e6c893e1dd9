import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { parseStoredSubject } from '../../src/event/subject.ts'
import { encodeOutput } from '../../src/kernel/output.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { outboxName, outboxProcessor } from '../../src/pipeline/outbox-processor.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Alarm, High, Reading } from '../support/kill-fixture.ts'

const test = suite('where an output goes')

/** The subject of an output with a key and a type. */
function outputSubject(
  { to }: Pick<Processor, 'to'>,
  { key, type }: { key: string | undefined; type: string },
): string {
  const draft = { type, version: 1, data: {}, key, attributes: {}, id: 'i', source: '/s', time: 5 }
  const place = { sequence: 9, partition: 0, ordinal: 0, maxPayload: 1e6, cause: undefined }
  const made = { ...draft, correlationId: undefined, causationId: undefined }
  return encodeOutput({ ...outboxProcessor(first, other), to }, made, place).subject
}

const first = defineStream({ name: 'FIRST', root: 'first', partitions: 4 })
const other = defineStream({ name: 'OTHER', root: 'other', partitions: 7 })
const to = { stream: first, others: [{ stream: other, types: ['thing.done'] }] }

test('to the stream that is committed to: by its key, as anybody publishes there', () => {
  assert.is(outputSubject({ to }, { key: 'k.1', type: 'thing.begun' }), 'first.k%2E1.thing.begun')
  assert.is(outputSubject({ to: { stream: first } }, { key: undefined, type: 'thing.done' }), 'first._.thing.done')
})

test('for another stream: to the outbox, which has as many subjects as that has partitions and types', () => {
  const keys = fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 50, maxLength: 50 })
  fc.assert(
    fc.property(keys, (some) => {
      const subjects = new Set(some.map((key) => outputSubject({ to }, { key, type: 'thing.done' })))
      for (const subject of subjects) assert.match(subject, /^millrace\.FIRST\.outbox\.OTHER\.[0-6]\.thing\.done$/)
    }),
    { numRuns: 50 },
  )
})

test('the partition in the outbox is the one that the server gives the key in the other stream', async () => {
  const connection = await sharedConnection()
  const stream = defineStream({ name: `OB${process.pid}`, root: `ob${process.pid}`, partitions: 11 })
  await applyStreams(connection, await planStreams(connection, [stream]))
  const machines = Array.from({ length: 60 }, (_, at) => `m ${at} é.*>%`.slice(0, 4 + (at % 8)))
  await publishAll(
    connection,
    stream,
    machines.map((machine) => Reading({ machine, value: 1 })),
  )
  const stored = await readAll(connection, stream.name)
  for (const [at, { subject }] of stored.entries()) {
    const outbox = outputSubject(
      { to: { stream: first, others: [{ stream, types: ['x'] }] } },
      { key: machines[at], type: 'x' },
    )
    const wanted = parseStoredSubject(stream.root, subject)?.partition
    assert.is(outbox, `millrace.FIRST.outbox.${stream.name}.${wanted}.x`, machines[at])
  }
})

test('the processor that carries events over has a unit for each partition of the other stream', () => {
  const { kind, name, from, to: writes, memory } = outboxProcessor(first, other)
  assert.equal([kind, name, memory], ['outbox', 'FIRST_to_OTHER', 'none'])
  assert.equal(
    [from.stream.name, from.stream.root, from.stream.partitions, from.types],
    ['FIRST', 'millrace.FIRST.outbox.OTHER', 7, undefined],
  )
  assert.is(writes.stream, other)
})

test('X2 an event that is passed on stays as it was made: one without causes gets none', () => {
  const passed = { type: 'thing.done', version: 1, data: {}, key: undefined, attributes: {} }
  const made = { ...passed, id: 'i', source: '/s', time: 5, correlationId: undefined, causationId: undefined }
  const cause = { ...made, stream: 'FIRST', sequence: 9, storedAt: 0 }
  const place = { sequence: 9, partition: 0, ordinal: 0, maxPayload: 1e6, cause }
  const { headers } = encodeOutput(outboxProcessor(first, other), cause, place)
  const given = Object.fromEntries(headers)
  assert.equal([given['ce-id'], given['ce-source'], given['ce-causationid']], ['i', '/s', undefined])
  const { headers: follows } = encodeOutput(outboxProcessor(first, other), { ...made, id: 'other' }, place)
  assert.is(Object.fromEntries(follows)['ce-causationid'], 'i')
})

test('two pairs of streams that would share a name are refused', () => {
  const [a, b] = [defineStream({ name: 'X_to_Y', root: 'a' }), defineStream({ name: 'Z', root: 'b' })]
  const [c, d] = [defineStream({ name: 'X', root: 'c' }), defineStream({ name: 'Y_to_Z', root: 'd' })]
  assert.is(outboxName(a.name, b.name), outboxName(c.name, d.name))
  const pipeline = (name: string, one: string, two: string) =>
    definePipeline({
      name,
      version: 1,
      from: { stream: 'IN', events: [Reading] },
      to: [
        { stream: one, events: [High] },
        { stream: two, events: [Alarm] },
      ],
      recovery: { mode: 'stateless' },
      pipeline: (readings$) => readings$,
    })
  const streams = [a, b, c, d, defineStream({ name: 'IN', root: 'in' })]
  const pipelines = [pipeline('p', 'X_to_Y', 'Z'), pipeline('q', 'X', 'Y_to_Z')]
  const deployment = {
    streams,
    pipelines,
    rules: [],
    actors: [],
    homes: new Map(),
    folder: '',
  } as unknown as Deployment
  assert.throws(() => processorsOf(deployment), /would both be X_to_Y_to_Z/)
  const packed = {
    ...pipeline('r', 'X_to_Y', 'Z'),
    outputs: [
      { stream: 'X_to_Y', events: [High] },
      { stream: 'Z', events: [Alarm], packed: true },
    ],
  }
  const both = processorsOf({ ...deployment, pipelines: [packed, pipeline('p', 'X_to_Y', 'Z')] })
  assert.equal(
    both.filter(({ kind }) => kind === 'outbox').map(({ to: { packed: many } }) => many),
    [true],
    'packed when one of the pipelines wants it',
  )
  const apart = processorsOf({ ...deployment, pipelines: deployment.pipelines.slice(0, 1) })
  assert.is(apart.filter(({ kind }) => kind === 'outbox').length, 1)
})

test.run()
