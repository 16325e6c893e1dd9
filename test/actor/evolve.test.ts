import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { defineActor } from '../../src/actor/define-actor.ts'
import { evolveAll, newAggregate } from '../../src/actor/evolve.ts'
import { account, Deposit, Deposited, DepositMany, Withdraw, Withdrawn } from './sample-actors.ts'
import { accepted, decide, refusal } from './deciding.ts'

const test = suite('evolve')

const deposit = Deposit({ accountId: 'a', amount: 5 })

/** An actor with something odd. */
function odd(change: object) {
  return defineActor({
    name: 'odd',
    version: 1,
    initial: () => ({ sum: 0 }),
    commands: [Deposit],
    events: [Deposited],
    decide: { 'account.deposit': () => [Deposited(deposit.data)] },
    evolve: { 'account.deposited': (state) => state },
    ...change,
  })
}

test('A3 an evolve that changes the state is found, and one that throws or returns nothing is named', () => {
  const evolving = (evolve: unknown) => odd({ evolve: { 'account.deposited': evolve } })
  const errorOf = (code: 'EVOLVE_MUTATES' | 'EVOLVE_FAILED' | 'ACTOR_ASYNC', evolve: unknown) =>
    refusal(code, () => decide(evolving(evolve), deposit)).message
  errorOf('EVOLVE_MUTATES', (state: { sum: number }) => ((state.sum += 1), state))
  errorOf('EVOLVE_MUTATES', (_: unknown, { data }: { data: { amount: number } }) => ((data.amount = 0), {}))
  errorOf('ACTOR_ASYNC', async () => ({}))
  assert.match(
    errorOf('EVOLVE_FAILED', () => {
      throw new RangeError('no such thing')
    }),
    /odd a, version 1, account.deposited \(odd:a:1\): no such thing/,
  )
  assert.match(
    errorOf('EVOLVE_FAILED', () => undefined),
    /it returned no state/,
  )
})

test('an invariant that breaks is named, with the event and the state; so is one that throws', () => {
  const overdrawn = { id: 'a', version: 1, state: { balance: 3, entries: 1 } }
  const event = accepted(decide(account, Withdraw({ accountId: 'a', amount: 3 }), overdrawn)).events
  const poor = { ...overdrawn, state: { balance: 1, entries: 1 } }
  const { message } = refusal('INVARIANT_BROKEN', () => evolveAll(account, poor, event, { strict: true }))
  assert.match(message, /account a, version 2: "never negative" is not so after account.withdrawn .*"balance":-2/)
  assert.equal(
    evolveAll(account, poor, event).state,
    { balance: -2, entries: 2 },
    'a running actor does not check them',
  )
  const throwing = odd({ invariants: { odd: () => assert.unreachable('here') } })
  assert.match(refusal('INVARIANT_BROKEN', () => decide(throwing, deposit)).message, /"odd" threw: here/)
})

test('a history with a gap, or with an event that is not declared, is refused at its place', () => {
  const { events } = accepted(decide(account, DepositMany({ accountId: 'a', count: 3, amount: 1 })))
  const fresh = newAggregate(account, 'a')
  const [first, , third] = events
  assert.ok(first && third)
  assert.match(
    refusal('AGGREGATE_VERSION_GAP', () => evolveAll(account, fresh, [first, third])).message,
    /version 2 was to come.*version 3/,
  )
  refusal('AGGREGATE_VERSION_GAP', () => evolveAll(account, fresh, [first, first]))
  const strange = { ...first, type: 'account.frozen', attributes: {} }
  assert.match(
    refusal('AGGREGATE_EVENT_UNKNOWN', () => evolveAll(account, fresh, [strange])).message,
    /account a, version 1, account.frozen/,
  )
})

test('an initial that throws is a coded error', () => {
  const bad = odd({ initial: () => assert.unreachable('no') })
  assert.match(refusal('EVOLVE_FAILED', () => newAggregate(bad, 'a')).message, /odd a: initial threw: no/)
})

test('A2 the state after a decision is the fold of all events, whatever the commands are', () => {
  const amount = fc.integer({ min: 1, max: 50 })
  const command = fc.oneof(
    amount.map((amount) => Deposit({ accountId: 'a', amount })),
    amount.map((amount) => Withdraw({ accountId: 'a', amount })),
    fc.record({ count: fc.nat(5), amount }).map((data) => DepositMany({ accountId: 'a', ...data })),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      let aggregate = newAggregate(account, 'a')
      const history = commands.flatMap((draft, at) => {
        const result = decide(account, draft, aggregate, `c-${at}`)
        if (result.kind === 'rejected') return []
        aggregate = { id: 'a', version: result.version, state: result.state }
        return [...result.events]
      })
      assert.is(aggregate.version, history.length)
      assert.equal(evolveAll(account, newAggregate(account, 'a'), history).state, aggregate.state)
      assert.equal(
        history.map(({ id }) => id),
        history.map((_, at) => `account:a:${at + 1}`),
      )
      assert.ok(history.every((event) => Deposited.is(event) || Withdrawn.is(event)))
    }),
    { numRuns: 100 },
  )
})

test.run()
