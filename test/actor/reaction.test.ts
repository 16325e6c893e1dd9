import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineActor } from '../../src/actor/define-actor.ts'
import { on } from '../../src/actor/reaction.ts'
import { reactTo } from '../../src/actor/react.ts'
import { stepCommand } from '../../src/actor/step-command.ts'
import { completeDraft } from '../../src/event/complete.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { account, Deposit, Deposited, order, OrderPlaced, ParcelHandedOver, PlaceOrder } from './sample-actors.ts'
import { NOW, refusal } from './deciding.ts'

const test = suite('reactions and results of steps')

function handedOver(change: Partial<StoredEvent> = {}): StoredEvent {
  const draft = ParcelHandedOver({ parcel: 'p', orderId: 'o' })
  return {
    ...completeDraft(draft, { id: 'e-1', source: '/parcels', time: NOW }),
    stream: 'SHIPMENTS',
    sequence: 4,
    storedAt: NOW + 5,
    ...change,
  }
}

function reacting(made: unknown) {
  return defineActor({
    name: 'odd',
    version: 1,
    initial: () => ({}),
    commands: [Deposit],
    events: [Deposited],
    decide: { 'account.deposit': () => [] },
    evolve: { 'account.deposited': (state) => state },
    reactions: [
      on(ParcelHandedOver, { stream: 'SHIPMENTS' }, () => (typeof made === 'function' ? made() : made) as never),
    ],
  })
}

test('an event of another aggregate becomes a command with the id of its cause', () => {
  const [command, ...more] = reactTo(order, handedOver())
  assert.equal([command?.type, command?.key, command?.data, more], ['order.ship', 'o', { orderId: 'o' }, []])
  assert.equal(
    [command?.source, command?.time, command?.correlationId, command?.causationId],
    ['/millrace/actors/order', NOW, 'e-1', 'e-1'],
  )
  assert.match(command?.id ?? '', /^order:o:[\w-]{22}$/)
})

test('the same event gives the same commands; another id, or the same id of another source, gives others', () => {
  const idOf = (change?: Partial<StoredEvent>) => reactTo(order, handedOver(change))[0]?.id
  assert.is(idOf(), idOf({ sequence: 99, storedAt: NOW + 99 }))
  assert.is.not(idOf(), idOf({ id: 'e-2' }))
  assert.is.not(idOf(), idOf({ source: '/others' }))
  const two = [Deposit({ accountId: 'a', amount: 1 }), Deposit({ accountId: 'a', amount: 1 })]
  const ids = reactTo(reacting(two), handedOver()).map(({ id }) => id)
  assert.is(new Set(ids).size, 2)
})

test('there is no command where no reaction is declared, or where it makes none', () => {
  assert.equal(reactTo(order, handedOver({ stream: 'OTHER' })), [])
  assert.equal(reactTo(account, handedOver()), [])
  assert.equal(reactTo(reacting(undefined), handedOver()), [])
  assert.equal(reactTo(reacting([]), handedOver()), [])
})

test('a reaction that throws, waits or makes what is no command of its actor is a coded error', () => {
  const wrong: readonly [made: unknown, text: RegExp][] = [
    [() => assert.unreachable('boom'), /odd, parcel.handed-over \(e-1\) of SHIPMENTS: boom/],
    [PlaceOrder({ orderId: 'o', total: 1 }), /it made a draft of order.place; commands are account.deposit/],
    [[OrderPlaced({ orderId: 'o', total: 1 })], /a draft of order.placed/],
    [null, /it made null/],
    [{}, /an object with nothing/],
  ]
  for (const [made, text] of wrong)
    assert.match(refusal('REACTION_FAILED', () => reactTo(reacting(made), handedOver())).message, text)
  refusal('ACTOR_ASYNC', () =>
    reactTo(
      reacting(() => Promise.reject(new Error('late'))),
      handedOver(),
    ),
  )
})

const charge = { id: 'order:o:x', name: 'charge', input: { total: 3 } }
const place = { id: 'o', correlationId: 'talk', causationId: 'p-1', time: NOW }

test('the result of a step becomes a command of its aggregate, a failure too, with the id of the step', () => {
  const done = stepCommand(order, charge, { ok: true, value: { receipt: 'r' } }, place)
  assert.equal([done.type, done.data, done.key], ['order.confirm-payment', { orderId: 'o', receipt: 'r' }, 'o'])
  assert.equal([done.correlationId, done.causationId, done.time], ['talk', 'p-1', NOW])
  const failed = stepCommand(order, charge, { ok: false, error: { name: 'Error', message: 'no money' } }, place)
  assert.equal([failed.type, failed.data], ['order.cancel', { orderId: 'o', reason: 'no money' }])
  assert.is(done.id, failed.id, 'a step has one result')
  assert.is(done.id, stepCommand(order, charge, { ok: true, value: { receipt: 'r' } }, { ...place, time: NOW + 9 }).id)
})

test('a step whose result becomes no command of its aggregate is a coded error', () => {
  const made = (done: () => unknown) =>
    defineActor({
      name: 'odd',
      version: 1,
      initial: () => ({}),
      commands: [Deposit],
      events: [Deposited],
      decide: { 'account.deposit': () => [] },
      evolve: { 'account.deposited': (state) => state },
      steps: { charge: { run: async () => 1, done: done as never, failed: done as never } },
    })
  const errorOf = (done: () => unknown, name = 'charge') =>
    refusal('STEP_RESULT_FAILED', () => stepCommand(made(done), { ...charge, name }, { ok: true, value: 1 }, place))
      .message
  assert.match(
    errorOf(() => undefined),
    /odd o, step charge \(order:o:x\): done made undefined/,
  )
  assert.match(
    errorOf(() => Deposit({ accountId: 'other', amount: 1 })),
    /a command for "other", another aggregate/,
  )
  assert.match(
    errorOf(() => Deposited({ accountId: 'o', amount: 1 })),
    /done made a draft of account.deposited/,
  )
  assert.match(
    errorOf(() => assert.unreachable('boom')),
    /done threw: boom/,
  )
  assert.match(
    errorOf(async () => 1),
    /done returned a promise/,
  )
  assert.match(
    errorOf(() => undefined, 'gone'),
    /it is no longer declared/,
  )
})

test.run()
