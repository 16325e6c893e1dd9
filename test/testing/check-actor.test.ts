import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { z } from 'zod'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { defineActor, defineCommand, defineEvent, reject } from '../../src/index.ts'
import { checkActor } from '../../src/testing.ts'
import { arbitraryOf } from '../../src/testing/arbitrary-of.ts'
import { account, Deposit, Deposited, order, Withdraw, Withdrawn } from '../actor/sample-actors.ts'

const test = suite('random histories of actors')

function refusal(code: ErrorCode, run: () => unknown): MillraceError {
  try {
    run()
  } catch (error) {
    if (isFault(error, code)) return error
    throw error
  }
  throw new Error(`no ${code}`)
}

/** An account with a mistake. */
function wrong(change: object) {
  return defineActor({
    name: 'account',
    version: 1,
    initial: () => ({ balance: 0 }),
    commands: [Deposit, Withdraw],
    events: [Deposited, Withdrawn],
    decide: {
      'account.deposit': (_, { data }) => [Deposited(data)],
      'account.withdraw': (state, { data }) =>
        data.amount > state.balance ? reject('insufficient-funds', '') : [Withdrawn(data)],
    },
    evolve: {
      'account.deposited': (state, { data }) => ({ balance: state.balance + data.amount }),
      'account.withdrawn': (state, { data }) => ({ balance: state.balance - data.amount }),
    },
    invariants: { 'never negative': ({ balance }) => balance >= 0 },
    ...change,
  })
}

const amount = fc.integer({ min: 1, max: 100 })
const ofAccount = fc.record({ accountId: fc.constantFrom('a', 'b'), amount })

test('an actor that keeps its promises passes, with commands made from its contracts', () => {
  checkActor(fc, account, { runs: 60 })
  checkActor(fc, order, {
    runs: 60,
    steps: { charge: fc.record({ receipt: fc.string() }) },
    advance: ['10m', '30m'],
  })
})

test('a broken invariant is shrunk to the shortest history, which is told move by move', () => {
  const careless = wrong({
    decide: {
      'account.deposit': () => [],
      'account.withdraw': (_: unknown, { data }: { data: never }) => [Withdrawn(data)],
    },
  })
  const { message } = refusal('INVARIANT_BROKEN', () => checkActor(fc, careless, { seed: 1 }))
  assert.match(message, /shrunk \d+ times, again with \{ seed: 1, path: "[\d:]+" \}/)
  assert.match(message, /\n {2}1\. account\.withdraw \{"accountId":"a","amount":1\}\n {2}✗ INVARIANT_BROKEN/)
  assert.not.match(message, /\n {2}2\./)
})

test('a model that comes to something else is told, and repeated with seed and path', () => {
  const generous = wrong({
    evolve: {
      'account.deposited': (state: { balance: number }, { data }: { data: { amount: number } }) => ({
        balance: state.balance + data.amount + (data.amount > 50 ? 1 : 0),
      }),
      'account.withdrawn': (state: { balance: number }, { data }: { data: { amount: number } }) => ({
        balance: state.balance - data.amount,
      }),
    },
  })
  const options = {
    commands: { 'account.deposit': ofAccount, 'account.withdraw': ofAccount },
    model: {
      initial: () => 0,
      apply: (balance: number, { type, data }: { type: string; data: { amount: number } }) => {
        if (type === 'account.deposit') return balance + data.amount
        return data.amount > balance ? reject('insufficient-funds', '') : balance - data.amount
      },
      view: ({ balance }: { balance: number }) => balance,
    },
  }
  checkActor(fc, wrong({}), options)
  const { message } = refusal('TEST_DIFFERS', () => checkActor(fc, generous, { ...options, seed: 7 }))
  assert.match(message, /1\. account\.deposit \{"accountId":"a","amount":51\} → account\.deposited\n/)
  assert.match(message, /the model first, the actor second: it is 51, and then 52/)
  const path = /path: "([\d:]+)"/.exec(message)?.[1]
  assert.ok(path)
  assert.match(
    refusal('TEST_DIFFERS', () => checkActor(fc, generous, { ...options, seed: 7, path })).message,
    /"amount":51\}/,
  )
})

test('a rejection that the model does not expect is told', () => {
  const model = { initial: () => 0, apply: (n: number) => n + 1, view: () => 1 }
  const { message } = refusal('TEST_DIFFERS', () => checkActor(fc, wrong({}), { model, seed: 1 }))
  assert.match(message, /the model says accepted, the actor insufficient-funds|it is/)
})

test('a decision that a replay makes otherwise is found', () => {
  let calls = 0
  const forgetful = wrong({
    evolve: { 'account.deposited': () => ({ balance: ++calls }), 'account.withdrawn': (state: object) => state },
  })
  refusal('ACTOR_REPLAY_DIFFERS', () => checkActor(fc, forgetful, { seed: 3 }))
})

const schemas: readonly z.ZodType[] = [
  z.object({ id: z.string(), n: z.int().min(3).max(9), f: z.number().gt(0).lt(1), b: z.boolean(), z: z.null() }),
  z.object({ id: z.string(), kind: z.enum(['a', 'b']), one: z.literal(7), either: z.union([z.string(), z.int()]) }),
  z.object({ id: z.string(), list: z.array(z.string().min(2)).min(1).max(2), pair: z.tuple([z.int(), z.string()]) }),
  z.object({ id: z.string(), by: z.record(z.string(), z.int()), more: z.object({ at: z.iso.datetime() }).optional() }),
  z.object({
    id: z.string(),
    u: z.uuid(),
    e: z.email(),
    p: z.string().regex(/^[A-Z]{3}$/),
    d: z.string().default('x'),
  }),
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), id: z.string() }),
    z.object({ kind: z.literal('b'), id: z.string() }),
  ]),
]
for (const [at, data] of schemas.entries())
  test(`data of schema ${at} is made so that the contract takes it, with the ids in place of the key`, () => {
    const contract = defineCommand('x.do', { data, key: (given) => (given as { id: string }).id })
    const all = fc.sample(arbitraryOf(fc, contract, ['a', 'b']) as fc.Arbitrary<unknown>, { numRuns: 50, seed: 5 })
    for (const made of all) assert.ok(contract.check(made, 1).ok)
    assert.equal([...new Set(all.map((made) => contract.keyOf(made)))].sort(), ['a', 'b'])
  })

test('of a schema that says nothing no data are made: the error says what to give', () => {
  const Odd = defineEvent('x.odd', { data: z.object({ any: z.unknown() }) })
  assert.match(refusal('TEST_INVALID', () => arbitraryOf(fc, Odd, [])).message, /commands: \{ 'x\.odd': … \}/)
})

test.run()
