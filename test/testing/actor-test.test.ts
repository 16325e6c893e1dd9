// The test kit of actors as users have it, through its door.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { defineActor, defineCommand, defineEvent, reject, setTimer } from '../../src/index.ts'
import { testActor } from '../../src/testing.ts'
import * as sample from '../actor/sample-actors.ts'

const { account, order } = sample
const test = suite('the test kit of actors')

const deposit = (amount: number, accountId = 'a') => sample.Deposit({ accountId, amount })
const deposited = (amount: number, accountId = 'a') => sample.Deposited({ accountId, amount })
const withdraw = (amount: number) => sample.Withdraw({ accountId: 'a', amount })
const place = sample.PlaceOrder({ orderId: 'o', total: 9 })

function refusal(code: ErrorCode, run: () => unknown): MillraceError {
  try {
    run()
  } catch (error) {
    if (isFault(error, code)) return error
    throw error
  }
  throw new Error(`no ${code}`)
}

test('given events, when a command comes, then events or a rejection', () => {
  testActor(account)
    .when(deposit(5))
    .then([deposited(5)])
  testActor(account)
    .given([deposited(5), deposited(2)])
    .when(withdraw(7))
    .then([sample.Withdrawn({ accountId: 'a', amount: 7 })])
    .thenState({ balance: 0, entries: 3 })
    .when(withdraw(1))
    .then(reject('insufficient-funds', 'there is 0', { balance: 0 }))
    .thenState({ balance: 0, entries: 3 })
    .when(sample.CloseAccount({ accountId: 'a' }))
    .then([sample.AccountClosed({ accountId: 'a' })])
    .when(deposit(1))
    .then(reject('aggregate-closed', 'account a is closed'))
})

test('what is not so is told with both sides', () => {
  const moved = testActor(account).when(deposit(5), deposit(6))
  const { message } = refusal('TEST_DIFFERS', () => moved.then([deposited(5), deposited(7)]))
  assert.match(message, / {2}account\.deposited .*5}\n- account\.deposited .*7}\n\+ account\.deposited .*6}\n/)
  refusal('TEST_DIFFERS', () => moved.then([deposited(5)]))
  refusal('TEST_DIFFERS', () => moved.then([deposited(6), deposited(5)]))
  refusal('TEST_DIFFERS', () => moved.then([deposited(5), deposited(6), deposited(7)]))
  assert.match(refusal('TEST_DIFFERS', () => moved.then(reject('no', 'way'))).message, /- rejected no: way/)
  const rejected = testActor(account).when(withdraw(1))
  assert.match(refusal('TEST_DIFFERS', () => rejected.then([])).message, /\+ rejected insufficient-funds: there is 0/)
  refusal('TEST_DIFFERS', () => rejected.then(reject('insufficient-funds', 'another text')))
  assert.match(
    refusal('TEST_DIFFERS', () => moved.thenState({ balance: 11, entries: 3 })).message,
    /state: entries is 3, and then 2/,
  )
})

test('wrong use is told', () => {
  refusal('TEST_INVALID', () => testActor({} as never))
  refusal('TEST_INVALID', () => testActor(account, { start: Number.NaN }))
  refusal('TEST_INVALID', () => testActor(account).then([]))
  refusal('TEST_INVALID', () => testActor(account).state)
  refusal('TEST_INVALID', () => testActor(account).when({} as never))
  refusal('TEST_INVALID', () =>
    testActor(account)
      .when(deposit(1))
      .then(undefined as never),
  )
  refusal('TEST_INVALID', () => testActor(account).given([sample.OrderPaid({ orderId: 'o', receipt: '' })] as never))
  refusal('TEST_INVALID', () => testActor(order).resolveStep('charge', 1))
  refusal('TEST_INVALID', () => testActor(order).whenEvent(place, { stream: 'SHIPMENTS' }))
  refusal('TEST_INVALID', () => testActor(account).when(deposit(1)).at(2))
})

test('a test that an async function returns is not taken for a promise', async () => {
  // the type check refuses it, so that only a test that is not checked can do it
  const made: unknown = testActor(account)
    .when(deposit(1))
    .then([deposited(1)])
  await (async () => made)()
})

test('timers fire in their order when time goes by, and their commands are decided', () => {
  const cancelled = sample.OrderCancelled({ orderId: 'o', reason: 'not paid in time' })
  testActor(order)
    .given([sample.OrderPlaced({ orderId: 'o', total: 9 })])
    .when(sample.CancelOrder({ orderId: 'o', reason: 'mine' }))
    .thenTimers([])
  const waiting = testActor(order)
    .when(place)
    .thenTimers([
      { name: 'deadline', in: '30m', command: sample.CancelOrder({ orderId: 'o', reason: 'not paid in time' }) },
    ])
    .rejectStep('charge', new Error('no money'))
    .then([sample.OrderCancelled({ orderId: 'o', reason: 'no money' })])
    .thenTimers([])
  assert.equal(waiting.advance('1h').decisions, [])
  const late = testActor(order)
    .when(place)
    .advance('29m')
    .then([])
    .thenTimers([{ name: 'deadline', in: '1m' }])
  assert.equal(late.advance('1m').waiting().commands, 1, 'it waits for the step')
  late
    .resolveStep('charge', { receipt: 'r' })
    .then(reject('x', 'y').kind === 'rejected' ? [sample.OrderPaid({ orderId: 'o', receipt: 'r' })] : [])
  assert.is(late.now, Date.UTC(2026, 0, 1) + 30 * 60_000)
  assert.is(cancelled.data.reason, 'not paid in time')
})

test('while a step is open later commands of its aggregate wait, and others go on', () => {
  const run = testActor(order)
    .when(place, sample.CancelOrder({ orderId: 'o', reason: 'mine' }))
    .then([sample.OrderPlaced({ orderId: 'o', total: 9 })])
    .thenSteps([{ name: 'charge', input: { total: 9 } }])
  assert.is(run.waiting().commands, 1)
  run.when(sample.PlaceOrder({ orderId: 'other', total: 1 })).then([sample.OrderPlaced({ orderId: 'other', total: 1 })])
  run
    .resolveStep('charge', { receipt: 'r' })
    .then([sample.OrderPaid({ orderId: 'o', receipt: 'r' })])
    .thenSends([{ ...sample.BookParcel({ parcel: 'p', orderId: 'o' }), ...sent(run) }])
  assert.is(run.waiting().commands, 0)
  assert.is(run.of('o').version, 2)
})

/** The parcel’s id is made by chance. */
function sent(run: { decisions: readonly { result: { kind: string; effects?: readonly object[] } }[] }): object {
  const [made] = run.decisions.flatMap(({ result }) => result.effects ?? []).filter((effect) => 'command' in effect)
  return (made as { command: object }).command
}

test('an event of another aggregate becomes a command', () => {
  testActor(order)
    .given([sample.OrderPlaced({ orderId: 'o', total: 9 }), sample.OrderPaid({ orderId: 'o', receipt: 'r' })])
    .whenEvent(sample.ParcelHandedOver({ parcel: 'p', orderId: 'o' }), { stream: 'SHIPMENTS' })
    .then([sample.OrderShipped({ orderId: 'o' })])
    .thenState({ status: 'shipped' })
})

test('time travel: the state after each event, and the event that led there', () => {
  const run = testActor(account).when(deposit(5), deposit(7), withdraw(2))
  assert.equal(
    [0, 1, 2, 3].map((version) => run.at(version).state.balance),
    [0, 5, 12, 10],
  )
  assert.equal([run.at(0).event, run.at(3).event?.type, run.version], [undefined, 'account.withdrawn', 3])
  assert.equal(
    run.history.map(({ id }) => id),
    ['account:a:1', 'account:a:2', 'account:a:3'],
  )
})

test('an invariant is checked after each event, given ones too', () => {
  refusal('INVARIANT_BROKEN', () => testActor(account).given([sample.Withdrawn({ accountId: 'a', amount: 1 })]))
})

const Tick = defineCommand('clock.tick', { data: z.object({ id: z.string() }), key: ({ id }) => id })
const Ticked = defineEvent('clock.ticked', { data: z.object({ id: z.string(), n: z.number() }) })

/** An actor that keeps or does something that a restart does not bring back. */
function clock(decideN: (state: { n: number; seen: unknown }) => number, seen: (n: number) => unknown) {
  return defineActor({
    name: 'clock',
    version: 1,
    initial: (): { n: number; seen: unknown } => ({ n: 0, seen: seen(0) }),
    commands: [Tick],
    events: [Ticked],
    decide: { 'clock.tick': (state, { data }) => [Ticked({ id: data.id, n: decideN(state) })] },
    evolve: { 'clock.ticked': (_, { data }) => ({ n: data.n, seen: seen(data.n) }) },
  })
}
const tick = Tick({ id: 'c' })

test('alwaysReplay finds a state that JSON does not bring back, and says what is different', () => {
  const dated = clock(
    ({ seen }) => (seen instanceof Date ? 1 : 2),
    (n) => new Date(n),
  )
  testActor(dated)
    .when(tick)
    .then([Ticked({ id: 'c', n: 1 })])
  const { message } = refusal('ACTOR_REPLAY_DIFFERS', () => testActor(dated, { alwaysReplay: true }).when(tick))
  assert.match(
    message,
    /clock c, version 0, clock\.tick .*; from the state as it is stored: events\[0\]\.data\.n is 1, and then 2/,
  )
  const mapped = clock(
    ({ seen }) => (seen as Map<string, number>).get('n') ?? 0,
    (n) => new Map([['n', n]]),
  )
  const thrown = refusal('ACTOR_REPLAY_DIFFERS', () => testActor(mapped, { alwaysReplay: true }).when(tick))
  assert.match(thrown.message, /DECIDE_FAILED.*get is not a function/)
})

test('alwaysReplay finds an evolve that depends on something else than its events', () => {
  let calls = 0
  const counting = clock(
    ({ seen }) => Number(seen),
    (n) => (n === 0 ? 0 : ++calls),
  )
  const run = testActor(counting, { alwaysReplay: true })
    .of('c')
    .given([Ticked({ id: 'c', n: 1 })])
  const { message } = refusal('ACTOR_REPLAY_DIFFERS', () => run.when(tick))
  assert.match(message, /from the state as it is stored: state\.seen is 2, and then 3/)
  // the first state that is folded anew has another number than the one that was kept
  let folds = 0
  const once = clock(
    ({ seen }) => Number(seen),
    (n) => (n === 1 ? (folds += 1) : 0),
  )
  const other = testActor(once, { alwaysReplay: true })
    .of('c')
    .given([Ticked({ id: 'c', n: 1 }), Ticked({ id: 'c', n: 1 })])
  const folded = refusal('ACTOR_REPLAY_DIFFERS', () => other.when(tick)).message
  assert.match(folded, /from the state that evolve makes of the stored events: events\[0\]\.data\.n is 2, and then 4/)
  const plain = clock(
    ({ n }) => n + 1,
    (n) => n,
  )
  const five = [1, 2, 3, 4, 5].map((n) => Ticked({ id: 'c', n }))
  testActor(plain, { alwaysReplay: true }).when(tick, tick, tick, tick, tick).then(five)
})

test('asking the machine for time or chance is found where it happens', () => {
  const asks = clock(
    () => Date.now(),
    () => 0,
  )
  assert.match(refusal('DECIDE_FAILED', () => testActor(asks).when(tick)).message, /NONDETERMINISTIC_CALL.*Date\.now/)
})

test('timers that never end are told', () => {
  const again = defineActor({
    name: 'again',
    version: 1,
    initial: () => ({}),
    commands: [Tick],
    events: [Ticked],
    decide: { 'clock.tick': () => [setTimer('next', '1ms', tick)] },
    evolve: { 'clock.ticked': (state) => state },
  })
  const run = testActor(again).when(tick).advance('10ms')
  assert.is(run.decisions.length, 10)
  refusal('TEST_INVALID', () => run.advance('1h'))
})

test.run()
