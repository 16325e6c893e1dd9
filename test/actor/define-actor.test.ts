import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { actorStep } from '../../src/actor/actor-step.ts'
import { cancelTimer, close, reject, send, setTimer, step } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand, isCommandContract } from '../../src/actor/define-command.ts'
import { on } from '../../src/actor/reaction.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { account, Deposit, Deposited, order, OrderPlaced, Withdraw, Withdrawn } from './sample-actors.ts'

const test = suite('the declaration of an actor')

const deposit = Deposit({ accountId: 'a', amount: 1 })
const good = {
  name: 'good',
  version: 1,
  initial: () => ({ sum: 0 }),
  commands: [Deposit],
  events: [Deposited],
  decide: { 'account.deposit': () => [] },
  evolve: { 'account.deposited': (state: { sum: number }) => state },
}

const wrong: readonly [what: string, change: object, text: string][] = [
  ['a name with a dot', { name: 'a.b' }, 'name may have letters'],
  ['a version that is no whole number', { version: 1.5 }, 'version 1.5'],
  ['no initial state', { initial: undefined }, 'initial is missing'],
  ['no commands', { commands: [] }, 'commands is empty'],
  ['no events', { events: [] }, 'events is empty'],
  ['a command that is no contract', { commands: [{}] }, 'commands\\[0\\] is no contract'],
  ['a command twice', { commands: [Deposit, Deposit] }, 'commands has account.deposit twice'],
  ['an event as a command', { commands: [Deposited] }, 'account.deposited is an event; declare it with defineCommand'],
  ['a command as an event', { events: [Deposit] }, 'account.deposit is a command; declare it with defineEvent'],
  ['a command without a handler', { commands: [Deposit, Withdraw] }, 'decide has no handler for account.withdraw'],
  ['an event without a handler', { events: [Deposited, Withdrawn] }, 'evolve has no handler for account.withdrawn'],
  ['a handler too many', { decide: { ...good.decide, x: () => [] } }, 'decide has a handler for x'],
  ['a handler that is none', { evolve: { 'account.deposited': 1 } }, 'evolve\\["account.deposited"\\] is no function'],
  ['no evolve', { evolve: undefined }, 'evolve is missing'],
  ['an unknown fate of failures', { onError: 'retry' }, 'onError "retry" is not known: park, dead-letter, stop'],
  ['a memory of no aggregates', { memory: { aggregates: 0 } }, 'memory.aggregates 0'],
  ['a snapshot every 0 events', { snapshot: { every: 0 } }, 'snapshot.every 0'],
  ['a snapshot on passivation after 0 events', { snapshot: { onPassivation: 0 } }, 'snapshot.onPassivation 0'],
  ['half a command to remember', { remember: 0.5 }, 'remember 0.5'],
  ['a step without work', { steps: { charge: { done: () => deposit, failed: () => deposit } } }, 'steps.charge.run'],
  ['a step without time', { steps: { a: stepOf({ timeout: '0s' }) } }, 'steps.a.timeout'],
  ['a step with a strange time', { steps: { a: stepOf({ timeout: 'soon' }) } }, 'steps.a.timeout "soon"'],
  ['a step without attempts', { steps: { a: stepOf({ attempts: 0 }) } }, 'steps.a.attempts 0'],
  ['a reaction that is none', { reactions: [() => undefined] }, 'reactions\\[0\\] is not made by on'],
  ['one reaction twice', { reactions: [reaction(), reaction()] }, 'reactions has order.placed of ORDERS twice'],
]
for (const [what, change, text] of wrong)
  test(`${what} is refused when it is declared`, () => {
    assert.throws(() => defineActor({ ...good, ...change } as never), /ACTOR_INVALID/)
    assert.throws(() => defineActor({ ...good, ...change } as never), new RegExp(text))
  })

function stepOf(change: object): object {
  return { run: async () => 1, done: () => deposit, failed: () => deposit, ...change }
}

function reaction() {
  return on(OrderPlaced, { stream: 'ORDERS' }, ({ data }) => Deposit({ accountId: data.orderId, amount: data.total }))
}

test('nothing at all is refused with a code', () => {
  for (const given of [undefined, null, 1, {}, { name: 'a', version: 1 }])
    assert.throws(() => defineActor(given as never), /ACTOR_INVALID/)
})

test('a reaction needs a contract, a stream and a function', () => {
  for (const bad of [
    [{}, { stream: 'S' }, () => undefined],
    [OrderPlaced, {}, () => undefined],
    [OrderPlaced, { stream: 'S' }],
  ])
    assert.throws(() => on(...(bad as Parameters<typeof on>)), /ACTOR_INVALID/)
})

test('what is not said has its default', () => {
  const { kind, snapshot, memory, remember, onError, reactions, steps, invariants, schema } = defineActor(good)
  assert.equal(
    [kind, snapshot, memory, remember, onError, reactions],
    ['actor', { carry: 1_024, every: 100, onPassivation: undefined }, { aggregates: 10_000 }, 32, 'park', []],
  )
  assert.equal([steps.size, invariants.size, schema], [0, 0, undefined])
  const [charge] = order.steps.values()
  assert.equal([charge?.name, charge?.timeout, charge?.attempts], ['charge', 10_000, 3])
})

test('a command makes drafts with a key, as an event contract does', () => {
  const draft = Deposit({ accountId: 'a', amount: 5 }, { id: 'c-1' })
  assert.equal(
    [draft.type, draft.key, draft.id, draft.data],
    ['account.deposit', 'a', 'c-1', { accountId: 'a', amount: 5 }],
  )
  assert.equal([isCommandContract(Deposit), isCommandContract(Deposited), isCommandContract({})], [true, false, false])
  assert.equal([Deposit.name, Deposit.version, Deposit.is(draft)], ['account.deposit', 1, true])
  assert.ok(Deposit.fields().includes('data.amount'))
})

test('a command without a key is refused', () => {
  assert.throws(() => defineCommand('a.do', { data: z.object({}) } as never), /CONTRACT_INVALID.*key is missing/)
  const Bad = defineCommand('a.do', { data: z.object({}), key: (() => undefined) as never })
  assert.throws(() => Bad({}), /EVENT_ENVELOPE_INVALID.*in place of the id of an aggregate/)
  const Empty = defineCommand('a.do', { data: z.object({}), key: () => '' })
  assert.throws(() => Empty({}), /EVENT_ENVELOPE_INVALID.*key is empty/)
})

test('what decide returns is made of plain tagged objects', () => {
  assert.equal(reject('no', 'because', { a: 1 }), { kind: 'rejected', code: 'no', message: 'because', data: { a: 1 } })
  assert.equal(reject('no', 'because'), { kind: 'rejected', code: 'no', message: 'because' })
  assert.equal(send(deposit), { effect: 'send', command: deposit })
  assert.equal(setTimer('t', '30m', deposit), { effect: 'set-timer', name: 't', at: '30m', command: deposit })
  const at = Date.UTC(2026, 0, 1)
  assert.equal(setTimer('t', new Date(at), deposit), setTimer('t', at, deposit))
  assert.equal(cancelTimer('t'), { effect: 'cancel-timer', name: 't' })
  assert.equal(step('s', 1), { effect: 'step', name: 's', input: 1 })
  assert.equal(close(), { effect: 'close' })
})

const refused: readonly [what: string, make: () => unknown, text: RegExp][] = [
  ['a rejection without a code', () => reject('', 'm'), /reject needs a code/],
  ['a rejection without a message', () => reject('a', undefined as never), /needs a message/],
  [
    'an event that is sent',
    () => send({ ...Deposited({ accountId: 'a', amount: 1 }), key: undefined } as never),
    /no key and so is no command/,
  ],
  ['a contract that is sent', () => send(Deposit as never), /the contract account.deposit itself; call it/],
  ['a timer without a name', () => setTimer('', '1s', deposit), /setTimer needs a name/],
  ['a span of a timer as a number', () => setTimer('t', 30_000, deposit), /write a span as a text such as "30m"/],
  ['a timer without a command', () => setTimer('t', '1s', undefined as never), /and not undefined/],
  ['a step without a name', () => step(1 as never, 1), /step needs a name, and not 1/],
]
for (const [what, make, text] of refused)
  test(`${what} is refused where it is made`, () => {
    try {
      make()
    } catch (error) {
      assert.ok(isFault(error, 'DECISION_INVALID'), String(error))
      return assert.match(String(error), text)
    }
    assert.unreachable()
  })

test('a timer with a strange span is refused where it is made', () => {
  assert.throws(() => setTimer('t', 'soon', deposit), /DURATION_INVALID/)
})

test('types of commands, events, state, steps and reactions are inferred', () => {
  const Other = defineEvent('other', { data: z.object({ n: z.number() }) })
  const one = { name: 'typed', version: 1, commands: [Deposit], events: [Deposited] } as const
  const evolve = { 'account.deposited': (s: { n: number }) => s }
  void (() =>
    defineActor({
      ...one,
      initial: (id) => ({ n: id.length }),
      decide: {
        'account.deposit': (state, { data, key, id }, { now, random, uuid }) => {
          const [n, amount, time, text]: [number, number, number, string | undefined] = [state.n, data.amount, now, key]
          return n + amount + time + random() > 0 && text !== id + uuid() ? [Deposited(data)] : reject('no', 'why')
        },
      },
      evolve: { 'account.deposited': (state, event) => ({ n: state.n + event.data.amount }) },
    }))
  const initial = () => ({ n: 0 })
  const decide = { 'account.deposit': () => [] }
  void (() =>
    defineActor({
      ...one,
      initial,
      evolve,
      // @ts-expect-error -- an event of another actor
      decide: { 'account.deposit': () => [Other({ n: 1 })] },
    }))
  void (() =>
    defineActor({
      ...one,
      initial,
      evolve,
      // @ts-expect-error -- a promise
      decide: { 'account.deposit': async () => [] },
    }))
  void (() =>
    defineActor({
      ...one,
      initial,
      evolve,
      // @ts-expect-error -- the command has no such member
      decide: { 'account.deposit': (_, { data }) => (data.no ? [] : []) },
    }))
  void (() =>
    defineActor({
      ...one,
      initial,
      decide,
      // @ts-expect-error -- no state
      evolve: { 'account.deposited': () => ({ m: 1 }) },
    }))
  // @ts-expect-error -- a command has no handler
  void (() => defineActor({ ...one, commands: [Deposit, Withdraw], initial, decide, evolve }))
  // @ts-expect-error -- an event has no handler
  void (() => defineActor({ ...one, events: [Deposited, Withdrawn], initial, decide, evolve }))
  void (() =>
    defineActor({
      ...one,
      initial,
      evolve,
      // @ts-expect-error -- an event is no command
      commands: [Deposited],
      decide: { 'account.deposited': () => [] },
    }))
  const steps = {
    pay: actorStep({
      run: async (input: { amount: number }) => ({ receipt: String(input.amount) }),
      done: ({ receipt }, { amount }, id) => Deposit({ accountId: id + receipt, amount }),
      failed: ({ message }, _, id) => Withdraw({ accountId: id + message, amount: 1 }),
    }),
  }
  const stepping = { ...one, initial: () => ({ n: 0 }), evolve, steps }
  void (() => defineActor({ ...stepping, decide: { 'account.deposit': () => [step('pay', { amount: 1 })] } }))
  // @ts-expect-error -- the input of the step is another
  void (() => defineActor({ ...stepping, decide: { 'account.deposit': () => [step('pay', { amount: '1' })] } }))
  // @ts-expect-error -- there is no step of that name
  void (() => defineActor({ ...stepping, decide: { 'account.deposit': () => [step('play', { amount: 1 })] } }))
  const other = on(OrderPlaced, { stream: 'O' }, ({ data }) =>
    Withdraw({ accountId: data.orderId, amount: data.total }),
  )
  // @ts-expect-error -- a command of another actor
  void (() => defineActor({ ...one, initial: () => ({ n: 0 }), decide, evolve, reactions: [other] }))
  const state: { balance: number; entries: number } = account.initial('a')
  assert.equal(state, { balance: 0, entries: 0 })
  // @ts-expect-error -- a command does not come without its key
  void (() => defineCommand('a.do', { data: z.object({}) }))
})

test('the state’s type is the schema’s where there is one', () => {
  const schema = z.object({ status: z.enum(['open', 'closed']), tags: z.array(z.string()) })
  const typed = defineActor({
    name: 'typed',
    version: 1,
    state: schema,
    initial: () => ({ status: 'open' as const, tags: [] }),
    commands: [Deposit],
    events: [Deposited],
    decide: { 'account.deposit': (state) => (state.status === 'closed' ? reject('closed', 'it is') : []) },
    evolve: { 'account.deposited': (state, { data }) => ({ ...state, tags: [...state.tags, data.accountId] }) },
  })
  const status: 'open' | 'closed' = typed.initial('a').status
  assert.is(status, 'open')
})

test.run()
