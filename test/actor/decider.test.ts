import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineActor } from '../../src/actor/define-actor.ts'
import { cancelTimer, close, reject, send, setTimer, step } from '../../src/actor/decision.ts'
import { decideCommand } from '../../src/actor/decider.ts'
import { newAggregate } from '../../src/actor/evolve.ts'
import { defineEvent } from '../../src/event/contract.ts'
import {
  account,
  BookParcel,
  CloseAccount,
  ConfirmPayment,
  Deposit,
  Deposited,
  DepositMany,
  order,
  PlaceOrder,
  Withdraw,
} from './sample-actors.ts'
import { accepted, decide, NOW, refusal, stored } from './deciding.ts'

const test = suite('the decider')

const deposit = Deposit({ accountId: 'a', amount: 5 })

/** An actor whose decide returns what a test gives. */
function returning(made: unknown, more: object = {}) {
  return defineActor({
    name: 'odd',
    version: 1,
    initial: () => ({ sum: 0, list: [1] }),
    commands: [Deposit],
    events: [Deposited],
    decide: {
      'account.deposit': ((...given: unknown[]) =>
        (typeof made === 'function' ? made(...given) : made) as never) as never,
    },
    evolve: { 'account.deposited': (state, { data }) => ({ ...state, sum: state.sum + data.amount }) },
    ...more,
  })
}

test('an accepted command gives complete events, the state after them and the version', () => {
  const { events, effects, state, version, closed } = accepted(decide(account, deposit))
  assert.equal([state, version, closed, effects], [{ balance: 5, entries: 1 }, 1, false, []])
  assert.equal(events, [
    {
      id: 'account:a:1',
      source: '/millrace/actors/account',
      type: 'account.deposited',
      version: 1,
      time: NOW,
      key: 'a',
      data: { accountId: 'a', amount: 5 },
      correlationId: 'c-1',
      causationId: 'c-1',
      attributes: { aggregateversion: '1' },
    },
  ])
})

test('versions count events, of one decision and from where the aggregate was', () => {
  const aggregate = { id: 'a', version: 7, state: { balance: 1, entries: 7 } }
  const { events, version } = accepted(decide(account, DepositMany({ accountId: 'a', count: 3, amount: 1 }), aggregate))
  assert.equal([version, events.map(({ id }) => id)], [10, ['account:a:8', 'account:a:9', 'account:a:10']])
  assert.equal(
    events.map(({ attributes }) => attributes['aggregateversion']),
    ['8', '9', '10'],
  )
  assert.is(accepted(decide(account, DepositMany({ accountId: 'a', count: 1_000, amount: 1 }))).version, 1_000)
  assert.is(accepted(decide(account, DepositMany({ accountId: 'a', count: 0, amount: 1 }))).version, 0)
})

test('a rejection is a value with its code, and nothing changes', () => {
  const aggregate = newAggregate(account, 'a')
  assert.equal(decide(account, Withdraw({ accountId: 'a', amount: 1 }), aggregate), {
    kind: 'rejected',
    code: 'insufficient-funds',
    message: 'there is 0',
    data: { balance: 0 },
  })
  assert.equal(aggregate, { id: 'a', version: 0, state: { balance: 0, entries: 0 } })
})

test('a rejection is as JSON brings it back; one that is none, or has no message, is no decision', () => {
  assert.equal(decide(returning(reject('a', 'b', { at: new Date(0), no: undefined })), deposit), {
    kind: 'rejected',
    code: 'a',
    message: 'b',
    data: { at: '1970-01-01T00:00:00.000Z' },
  })
  const { message } = refusal('DECISION_INVALID', () => decide(returning(reject('a', 'b', 1n)), deposit))
  assert.match(message, /odd a, version 0.*the data of the rejection a are no JSON/)
  const bare = refusal('DECISION_INVALID', () => decide(returning({ kind: 'rejected', code: 'a' }), deposit))
  assert.match(bare.message, /reject\("a"\) needs a message/)
})

test('commands of a closed aggregate are rejected', () => {
  assert.is(accepted(decide(account, CloseAccount({ accountId: 'a' }))).closed, true)
  const closed = { ...newAggregate(account, 'a'), closed: true }
  assert.equal(decide(account, deposit, closed), {
    kind: 'rejected',
    code: 'aggregate-closed',
    message: 'account a is closed',
  })
})

test('A1 the same command at the same state gives the same events, effects, ids and chance', () => {
  const chancy = returning((_: unknown, __: unknown, { random, uuid }: { random(): number; uuid(): string }) => [
    Deposited({ accountId: 'a', amount: 1 + Math.floor(random() * 1e9) }),
    send(BookParcel({ parcel: uuid(), orderId: uuid() })),
  ])
  const [one, again, other] = ['c-1', 'c-1', 'c-2'].map((id) => accepted(decide(chancy, deposit, undefined, id)))
  assert.equal(one, again)
  assert.not.equal(one?.events[0]?.data, other?.events[0]?.data)
  assert.not.equal(one?.effects, other?.effects)
})

test('effects are made complete: times from the command, ids from their cause', () => {
  const placed = accepted(decide(order, PlaceOrder({ orderId: 'o', total: 9 }), undefined, 'p-1'))
  const [timer, charge] = placed.effects
  assert.ok(timer?.effect === 'set-timer' && charge?.effect === 'step')
  assert.equal([timer.name, timer.at], ['deadline', NOW + 30 * 60_000])
  const { type, key, source, time, correlationId, causationId } = timer.command
  assert.equal(
    [type, key, source, time, correlationId, causationId],
    ['order.cancel', 'o', '/millrace/actors/order', NOW, 'p-1', 'p-1'],
  )
  assert.equal([charge.name, charge.input], ['charge', { total: 9 }])
  assert.match(charge.id, /^order:o:[\w-]{22}-\d$/)
  assert.match(timer.command.id ?? '', /^order:o:[\w-]{22}-\d$/)
  assert.not.equal(timer.command.id, charge.id)
  const paid = decide(order, ConfirmPayment({ orderId: 'o', receipt: 'r' }), {
    id: 'o',
    version: 1,
    state: placed.state,
  })
  assert.equal(
    accepted(paid).effects.map(({ effect }) => effect),
    ['cancel-timer', 'send'],
  )
})

test('what the author of a command says stays, and a correlation goes on', () => {
  const effect = send(BookParcel({ parcel: 'p', orderId: 'o' }, { id: 'mine', correlationId: 'own' }))
  const given = stored(deposit, 'c', { correlationId: 'talk' })
  const result = accepted(
    decideCommand(returning([effect, send(deposit), Deposited(deposit.data)]), newAggregate(returning([]), 'a'), given),
  )
  const sent = result.effects.map((made) =>
    made.effect === 'send' ? [made.command.id, made.command.correlationId] : [],
  )
  assert.equal([sent[0], sent[1]?.[1], result.events[0]?.correlationId], [['mine', 'own'], 'talk', 'talk'])
})

test('of several effects on one timer the last holds', () => {
  const late = Deposit({ accountId: 'a', amount: 2 })
  const { effects } = accepted(
    decide(
      returning([setTimer('t', '1s', deposit), cancelTimer('u'), cancelTimer('t'), setTimer('t', '2s', late), close()]),
      deposit,
    ),
  )
  assert.equal(
    effects.map((made) => [made.effect, 'name' in made ? made.name : '']),
    [
      ['cancel-timer', 'u'],
      ['set-timer', 't'],
      ['close', ''],
    ],
  )
})

const Foreign = defineEvent('foreign', { data: z.object({}) })
const invalid: readonly [what: string, made: unknown, text: RegExp][] = [
  ['nothing', undefined, /returned undefined; return \[\] where nothing happens/],
  ['a draft that is in no list', Deposited(deposit.data), /a draft of account.deposited; put it into a list/],
  ['an effect that is in no list', close(), /the effect close; put it into a list/],
  ['an object', { a: 1 }, /an object with a/],
  ['a text', 'no', /returned "no"/],
  ['a list in a list', [[]], /item 0 of the list is a list; spread it/],
  [
    'a rejection in a list',
    [reject('a', 'b')],
    /item 0 of the list is a rejection \(a\); return it in place of the list/,
  ],
  ['a contract', [Deposited], /the contract account.deposited itself; call it/],
  ['null', [null], /item 0 of the list is null/],
  ['an event of another actor', [Foreign({})], /foreign is no event of this actor/],
  ['a command', [deposit], /account.deposit is a command; send\(…\) sends it/],
  [
    'an event of another aggregate',
    [Deposited({ accountId: 'b', amount: 1 })],
    /has the key "b", and not the id of its aggregate/,
  ],
  ['an event with an id', [Deposited(deposit.data, { id: 'x' })], /has an id of its own/],
  ['data that does not fit', [{ ...Deposited(deposit.data), data: { accountId: 'a', amount: -1 } }], /\/amount/],
  ['a version that is not known', [{ ...Deposited(deposit.data), version: 9 }], /version 9/],
  ['a step that is not declared', [step('no', 1)], /step "no" is not declared; steps: none/],
  [
    'a timer for another aggregate',
    () => [setTimer('t', '1s', Deposit({ accountId: 'b', amount: 1 }))],
    /account.deposit for "b": set it with a command for the aggregate itself/,
  ],
  ['a span as a time', () => [setTimer('t', 30_000, deposit)], /odd a, version 0.*write a span as a text/],
  ['too much', () => Array.from({ length: 10_001 }, () => Deposited(deposit.data)), /10001 events and effects/],
]
for (const [what, made, text] of invalid)
  test(`A2 ${what} is no decision, and the error says what to do`, () => {
    const { message } = refusal('DECISION_INVALID', () => decide(returning(made), deposit))
    assert.match(message, text)
    assert.match(message, /odd a, version 0, account.deposit \(c-1\)/)
  })

test('the input of a step is JSON, as the work will get it after a restart', () => {
  const steps = { s: { run: async () => 1, done: () => deposit, failed: () => deposit } }
  const inputOf = (input: unknown) => accepted(decide(returning([step('s', input)], { steps }), deposit)).effects[0]
  assert.equal((inputOf({ at: new Date(0), no: undefined }) as { input: unknown }).input, {
    at: '1970-01-01T00:00:00.000Z',
  })
  assert.is((inputOf(undefined) as { input: unknown }).input, null)
  for (const bad of [1n, () => 1]) refusal('DECISION_INVALID', () => inputOf(bad))
})

test('A2 an unknown command is refused with those that are known', () => {
  const { message } = refusal('COMMAND_UNKNOWN', () => decide(account, PlaceOrder({ orderId: 'a', total: 1 })))
  assert.match(message, /account takes account.deposit, account.withdraw.* and not order.place/)
})

test('A3 a decide that throws is a coded error with its cause; a promise is one too, also one that fails', async () => {
  const cause = new Error('boom')
  const thrown = refusal('DECIDE_FAILED', () =>
    decide(
      returning(() => {
        throw cause
      }),
      deposit,
    ),
  )
  assert.is(thrown.cause, cause)
  assert.match(thrown.message, /odd a, version 0, account.deposit \(c-1\): boom/)
  refusal('ACTOR_ASYNC', () =>
    decide(
      returning(async () => []),
      deposit,
    ),
  )
  refusal('ACTOR_ASYNC', () =>
    decide(
      returning(() => Promise.reject(new Error('late'))),
      deposit,
    ),
  )
  await Promise.resolve()
})

const mutations: readonly [
  what: string,
  made: (state: { sum: number; list: number[] }, command: { data: { amount: number } }) => unknown,
][] = [
  ['a member of the state', (state) => (state.sum++, [])],
  ['a new member of the state', (state) => (Object.assign(state, { more: 1 }), [])],
  ['a member that is deleted', (state) => (delete (state as { sum?: number }).sum, [])],
  ['a list in the state', (state) => (state.list.push(1), [])],
  ['the command', (_, { data }) => (data.amount++, [])],
]
for (const [what, made] of mutations)
  test(`A3 a decide that changes ${what} is found`, () => {
    refusal('DECIDE_MUTATES', () => decide(returning(made), deposit))
  })

test.run()
