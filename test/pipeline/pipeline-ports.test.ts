import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { map } from 'rxjs'
import { z } from 'zod'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { checkPorts, type PipelinePorts } from '../../src/pipeline/pipeline-ports.ts'

const test = suite('inputs and outputs of a pipeline')

const Paid = defineEvent('order.paid', { data: z.object({ order: z.string(), amount: z.number() }) })
const Sent = defineEvent('parcel.sent', { data: z.object({ order: z.string(), parcel: z.string() }) })
const Done = defineEvent('order.done', { data: z.object({ order: z.string() }) })
const Late = defineEvent('parcel.late', { data: z.object({ parcel: z.string() }) })

const orders = { stream: 'ORDERS', events: [Paid] }
const parcels = { stream: 'PARCELS', events: [Sent] }

test('one input and one output stay what they are', () => {
  const ports = checkPorts('p', orders, { stream: 'ORDERS', events: [Done] })
  assert.is(ports.from, orders)
  assert.equal(ports.to, { stream: 'ORDERS', events: [Done] })
  assert.is(checkPorts('p', [orders], parcels).from, orders, 'a list of one is one')
})

test('several inputs are read from the stream that merges them; the first output has the position', () => {
  const outputs = [
    { stream: 'ORDERS', events: [Done] },
    { stream: 'PARCELS', events: [Late] },
  ]
  const ports = checkPorts('joined', [orders, parcels], outputs)
  assert.equal(ports.from, { stream: 'PIPELINE_joined_INPUT', events: [Paid, Sent] })
  assert.equal(ports.to, { stream: 'ORDERS', events: [Done, Late] })
  assert.equal([ports.inputs, ports.outputs], [[orders, parcels], outputs])
})

test('inputs may have the same events: it is one event then', () => {
  const ports = checkPorts('p', [orders, { stream: 'ORDERS_US', events: [Paid] }], parcels)
  assert.equal(ports.from.events, [Paid])
})

const refused: readonly [what: string, from: PipelinePorts, to: PipelinePorts, detail: RegExp][] = [
  ['no input', [], orders, /from is empty/],
  ['no output', orders, [], /to is empty/],
  ['an input without events', [orders, { stream: 'X', events: [] }], parcels, /from\[1\]\.events is empty/],
  ['the one output without events', orders, { stream: 'X', events: [] }, /to\.events is empty/],
  ['a stream twice', [orders, { stream: 'ORDERS', events: [Done] }], parcels, /from has stream ORDERS twice/],
  ['an output stream twice', orders, [parcels, parcels], /to has stream PARCELS twice/],
  [
    'an event for two streams',
    orders,
    [parcels, { stream: 'ORDERS', events: [Sent] }],
    /parcel\.sent is declared for PARCELS and for ORDERS/,
  ],
  [
    'what a further output puts back',
    [orders, parcels],
    [{ stream: 'X', events: [Done] }, parcels],
    /reads: parcel\.sent/,
  ],
]

for (const [what, from, to, detail] of refused)
  test(`refuses ${what}`, () => {
    try {
      checkPorts('p', from, to)
    } catch (error) {
      assert.ok(isFault(error, 'PIPELINE_INVALID'), String(error))
      assert.match(error.detail, detail)
      assert.match(error.detail, /^p: /)
      return
    }
    assert.unreachable('it was taken')
  })

test('the events of all inputs are known by their types', () => {
  const declared = definePipeline({
    name: 'joined',
    version: 1,
    from: [
      { stream: 'ORDERS', events: [Paid, Done] },
      { stream: 'PARCELS', events: [Sent] },
    ],
    to: [
      { stream: 'LATE', events: [Late] },
      { stream: 'COPIES', events: [Sent] },
    ],
    recovery: { mode: 'stateless' },
    pipeline: (events$) =>
      events$.pipe(
        map((event) => {
          // each branch compiles only while the union is exact
          if (event.type === 'order.paid') return Late({ parcel: String(event.data.amount) })
          if (event.type === 'parcel.sent') return Late({ parcel: event.data.parcel })
          const done: { order: string } = event.data
          return Late({ parcel: done.order })
        }),
      ),
  })
  assert.equal(
    declared.inputs.map(({ stream }) => stream),
    ['ORDERS', 'PARCELS'],
  )
  assert.is(declared.from.stream, 'PIPELINE_joined_INPUT')
  assert.is(declared.to.stream, 'LATE')
})

test.run()
