import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../../src/broker/define-stream.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../../src/pipeline/pipeline-processor.ts'
import { defineKeyed } from '../../../src/pipeline/define-keyed.ts'
import { keyedProcessor } from '../../../src/pipeline/keyed/keyed-processor.ts'
import { KeyedLogic } from '../../../src/pipeline/keyed/keyed-logic.ts'
import { Alarm, High, Reading } from '../../support/kill-fixture.ts'
import { Out as Told, seen } from './declared.ts'

const test = suite('the declaration of a keyed pipeline')

const good = {
  name: 'good',
  version: 2,
  from: { stream: 'IN', events: [Reading] },
  to: { stream: 'OUT', events: [High] },
  onEvent: () => undefined,
}

const wrong: readonly [what: string, change: object, text: string][] = [
  ['a name with a dot', { name: 'a.b' }, 'name may have letters'],
  ['a version that is no whole number', { version: 1.5 }, 'version 1.5'],
  ['no inputs', { from: { stream: 'IN', events: [] } }, 'from.events is empty'],
  ['no outputs', { to: { stream: 'OUT', events: [] } }, 'to.events is empty'],
  ['an unknown spread', { spread: 'some' }, 'spread "some"'],
  ['no handler', { onEvent: undefined }, 'onEvent is missing'],
  ['a time without a source', { time: { lateness: 1 } }, 'time is neither'],
  ['an unknown fate of late events', { time: { of: () => 1, lateness: 1, late: 'keep' } }, 'time.late "keep"'],
  [
    'an output that it reads',
    { from: { stream: 'S', events: [Reading] }, to: { stream: 'S', events: [Reading] } },
    'it puts out what it reads: reading.taken',
  ],
]
for (const [what, change, text] of wrong)
  test(`${what} is refused when it is declared`, () => {
    assert.throws(() => defineKeyed({ ...good, ...change } as never), new RegExp(`PIPELINE_INVALID.*${text}`))
  })

test('several inputs are merged, and outputs of several streams are put out, as pipelines have them', () => {
  const { from, to, inputs, outputs } = defineKeyed({
    ...good,
    from: [
      { stream: 'IN', events: [Reading] },
      { stream: 'MORE', events: [Alarm] },
    ],
    to: [
      { stream: 'OUT', events: [High], packed: true },
      { stream: 'FAR', events: [Told] },
    ],
    onEvent(c, event) {
      if (Alarm.is(event)) c.emit(Told(event.data.count))
      // @ts-expect-error -- an input is no output
      else void (() => c.emit(Reading({ machine: 'm', value: 1 })))
    },
  })
  assert.equal(
    [inputs, outputs].map((ports) => ports.map(({ stream }) => stream)),
    [
      ['IN', 'MORE'],
      ['OUT', 'FAR'],
    ],
  )
  assert.equal(from.events, [Reading, Alarm])
  assert.equal([to.stream, to.packed], ['OUT', true])
})

test('lateness may be a text', () => {
  const { time } = defineKeyed({ ...good, time: { of: ({ time }) => time, lateness: '1m30s' } })
  assert.is(time.kind === 'own' && time.lateness, 90_000)
})

test('state is not kept in a stream that deletes its oldest messages by size', () => {
  const from = defineStream({ name: 'IN', root: 'in' })
  const to = defineStream({ name: 'OUT', root: 'out', retention: { maxBytes: 1_000_000 } })
  assert.throws(() => keyedProcessor(defineKeyed(good), { from, to }), /PIPELINE_INVALID.*OUT deletes its oldest/)
  const durable = definePipeline({
    ...good,
    pipeline: (events$: unknown) => events$,
    recovery: { mode: 'checkpoint' },
  } as never)
  assert.throws(() => pipelineProcessor(durable, { from, to }), /PIPELINE_INVALID.*OUT deletes its oldest/)
})

test('nor is what slots have met; a pipeline without state writes to such a stream', () => {
  const from = defineStream({ name: 'IN', root: 'in' })
  const to = defineStream({ name: 'OUT', root: 'out', retention: { maxBytes: 1_000_000 } })
  const declared = (mode: string) =>
    definePipeline({ ...good, pipeline: (events$: unknown) => events$, recovery: { mode } } as never)
  const refusal = /PIPELINE_INVALID.*OUT deletes its oldest.*results of steps.*give OUT a maxAge/
  assert.throws(() => pipelineProcessor(declared('slots'), { from, to }), refusal)
  assert.is(pipelineProcessor(declared('stateless'), { from, to }).memory, 'none')
})

test('the kernel sees a pipeline with keyed memory that reads only what it asks for', () => {
  const from = defineStream({ name: 'IN', root: 'in' })
  const to = defineStream({ name: 'OUT', root: 'out' })
  const processor = keyedProcessor(defineKeyed({ ...good, spread: 'one' }), { from, to })
  const { kind, name, version, memory, spread, upgrade } = processor
  assert.equal([kind, name, version, memory, spread, upgrade], ['pipeline', 'good', '2', 'keyed', 'one', 'keep'])
  assert.equal([processor.from.types, processor.to.stream], [['reading.taken'], to])
  assert.instance(
    processor.start({ kind: 'fresh' }, () => undefined),
    KeyedLogic,
  )
})

test('types of events, state and outputs are inferred', () => {
  const schema = z.object({ count: z.number() })
  defineKeyed({
    ...good,
    keyBy: (e) => e.data.machine,
    state: schema,
    onEvent(c, e) {
      // @ts-expect-error -- without init a key may have no state
      void (() => c.state.count)
      c.state = { count: (c.state?.count ?? 0) + e.data.value }
      // @ts-expect-error -- a number
      void (() => (c.state = { count: 'one' }))
      // @ts-expect-error -- not an output of this pipeline
      void (() => c.emit(Alarm({ machine: 'm', count: 1, sum: 2 })))
      c.emit(High({ machine: c.key, value: c.state.count }))
    },
  })
  const counted = defineKeyed({
    ...good,
    init: (key) => ({ key, count: 0 }),
    onEvent(c) {
      c.state.count += 1
      c.emit(High({ machine: c.state.key, value: c.state.count }))
    },
  })
  const logic = new KeyedLogic(counted, { kind: 'fresh' })
  const [draft] = logic.turn(seen('a', 1), () => assert.unreachable())
  assert.equal(draft?.data, { machine: 'a', value: 1 })
})

test.run()
