import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { idempotencyKey } from '../../src/delivery/run-handler.ts'
import { park } from '../../src/delivery/recovery.ts'
import { deployHandlers } from '../../src/runtime/deployed-handlers.ts'
import { Asked, Done, Urgent } from './running-handlers.ts'

const test = suite('a declared handler')
const handle = (): void => undefined
const on = { stream: 'S', events: [Asked, Urgent] } as const

test('what cannot work is refused with a code that says what', () => {
  const refused = (options: object, about: RegExp): void =>
    assert.throws(() => defineHandler({ name: 'x', on, handle, ...options } as never), about)
  refused({ name: 'a b' }, /HANDLER_INVALID.*name/)
  refused({ on: { stream: 'S', events: [] } }, /events is empty/)
  refused({ recovery: park() }, /park\(\) is for handlers with order/)
  refused({ concurrency: 0 }, /concurrency/)
  refused({ mostDeliveries: 1 }, /mostDeliveries/)
  refused({ ackWait: '10ms' }, /ackWait/)
  refused({ on: { ...on, where: 'data.amuont > 1' } }, /where: .*amuont/)
  refused({ on: { ...on, where: '1 + 1' } }, /where/)
  refused({ lanes: [{ name: 'l', events: [Done], weight: 1 }] }, /not in on.events/)
  refused({ batch: { most: 100 }, concurrency: 10 }, /less than batch.most/)
  refused({ order: 'key', batch: { most: 10 } }, /batch is not for handlers with order/)
  refused(
    { order: 'key', lanes: [{ name: 'l', events: [Urgent], weight: 1 }] },
    /lanes are not for handlers with order/,
  )
  refused({ order: 'key', concurrency: { worker: 4, total: 8 } }, /concurrency.total is not for/)
  refused({ order: 'key', mostDeliveries: 10 }, /mostDeliveries is not for/)
  refused({ batch: { most: 10 }, emits: { stream: 'S', events: [Done] } }, /batch is not for handlers that emit/)
})

test('a handler that emits what it handles is refused, unless it says that it loops', () => {
  const emits = { stream: 'S', events: [Asked] }
  assert.throws(() => defineHandler({ name: 'x', on, handle, emits }), /HANDLER_LOOPS/)
  assert.ok(defineHandler({ name: 'x', on, handle, emits: { ...emits, loops: true } }))
  assert.ok(defineHandler({ name: 'x', on, handle, emits: { stream: 'OTHER', events: [Asked] } }))
})

test('types that no lane names are in a lane of their own', () => {
  const { lanes } = defineHandler({ name: 'x', on, handle, lanes: [{ name: 'urgent', events: [Urgent], weight: 8 }] })
  assert.equal(lanes, [
    { name: 'urgent', types: ['thing.urged'], weight: 8 },
    { name: 'default', types: ['thing.asked'], weight: 1 },
  ])
})

test('an idempotency key is one for each handler and event, and the same each time', () => {
  const key = idempotencyKey('notify', { source: '/orders', id: '1' })
  assert.match(key, /^[0-9a-f]{32}$/)
  assert.is(idempotencyKey('notify', { source: '/orders', id: '1' }), key)
  assert.is.not(idempotencyKey('other', { source: '/orders', id: '1' }), key)
  assert.is.not(idempotencyKey('notify', { source: '/orders', id: '2' }), key)
})

test('a handler whose lane would have the consumer of another handler is refused beside it', () => {
  const [S, T] = ['S', 'T'].map((name) => defineStream({ name, root: name.toLowerCase() })) as [never, never]
  const lanes = [{ name: 'urgent', events: [Urgent], weight: 8 }]
  const one = defineHandler({ name: 'notify', on, handle, lanes })
  const other = (stream: string) => defineHandler({ name: 'notify-urgent', on: { ...on, stream }, handle })
  assert.throws(() => deployHandlers([one, other('S')], [S, T]), /DECLARATION_INVALID.*handler-notify-urgent of S/)
  assert.is(deployHandlers([one, other('T')], [S, T]).length, 2)
})

test.run()
