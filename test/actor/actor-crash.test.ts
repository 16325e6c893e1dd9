// An actor’s unit that dies at any step of a run stores what one stores that never died.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import type { ActorDeclaration } from '../../src/actor/actor-options.ts'
import { ActorWorld } from './actor-world.ts'
import {
  account,
  BookParcel,
  CancelOrder,
  CloseAccount,
  Deposit,
  DepositMany,
  order,
  PlaceOrder,
  ShipOrder,
  Withdraw,
} from './sample-actors.ts'

const test = suite('actor crashes')

type Op = { readonly draft: CommandDraft; readonly commit: boolean; readonly settle: boolean }
const id = fc.constantFrom('a', 'b', 'c')
const amount = fc.integer({ min: 1, max: 50 })
const again = fc.option(fc.constantFrom('again-1', 'again-2'), { nil: undefined })

const ofAccounts = fc.oneof(
  fc.record({ accountId: id, amount, id: again }).map(({ id: own, ...data }) => Deposit(data, { id: own })),
  fc.record({ accountId: id, amount }).map((data) => Withdraw(data)),
  fc.record({ accountId: id, amount, count: fc.integer({ min: 0, max: 4 }) }).map((data) => DepositMany(data)),
  id.map((accountId) => CloseAccount({ accountId })),
)
const ofOrders = fc.oneof(
  fc.record({ orderId: id, total: amount }).map((data) => PlaceOrder(data)),
  id.map((orderId) => CancelOrder({ orderId, reason: 'no' })),
  id.map((orderId) => ShipOrder({ orderId })),
)
const course = (draft: fc.Arbitrary<CommandDraft>): fc.Arbitrary<Op[]> =>
  fc.array(fc.record({ draft, commit: fc.boolean(), settle: fc.boolean() }), { minLength: 1, maxLength: 14 })

/** @param crashAt the step at which it ends, and begins anew; undefined: it never does */
function run(actor: ActorDeclaration, ops: readonly Op[], crashes: (step: number) => boolean): ActorWorld {
  const world = new ActorWorld(actor, actor === order ? [BookParcel] : [])
  for (const { draft } of ops) world.give(draft)
  let step = 0
  const maybe = (): void => {
    if (crashes(step++)) world.crash()
  }
  const settle = (): void => world.settle((own) => ({ ok: true, value: { receipt: `of ${own}` } }))
  for (const [at, op] of ops.entries()) {
    world.handle(at + 1)
    maybe()
    if (op.settle) settle()
    maybe()
    if (op.commit) world.commit()
    maybe()
  }
  for (let left = 0; left < 20; left++) {
    world.handle()
    settle()
    world.commit()
    maybe()
  }
  return world
}

/** Everything of it but times of what a step led to, which are those of the clock. */
function historyOf(world: ActorWorld): unknown {
  const ids = ['a', 'b', 'c']
  const records = ids.map((own) =>
    world.records(own).map(({ version, decided, events, frame }) => ({
      version,
      decided,
      frame: { ...frame, t: Object.keys((frame?.['t'] as object | undefined) ?? {}) },
      events: events.map((event) => ({ ...event, time: undefined })),
    })),
  )
  const others = world.stored
    .filter(({ subject }) => !subject.includes('.aggregate.'))
    .map(({ subject, data }) => `${subject} ${Buffer.from(data).toString()}`)
  return { records, others: others.sort() }
}

for (const [actor, drafts] of [
  [account, ofAccounts],
  [order, ofOrders],
] as const) {
  test(`AL3 AL4 AL5 AL6 ${actor.name}: a unit that dies at any one step has the history of one that never did`, () => {
    fc.assert(
      fc.property(course(drafts), (ops) => {
        const expected = historyOf(run(actor, ops, () => false))
        for (let at = 0; at < 3 * ops.length + 3; at++)
          assert.equal(historyOf(run(actor, ops, (step) => step === at)), expected, `died at ${at}`)
      }),
      { numRuns: 25 },
    )
  })

  test(`AL3 AL4 AL5 AL6 ${actor.name}: and so has one that dies again and again`, () => {
    fc.assert(
      fc.property(course(drafts), fc.array(fc.boolean(), { maxLength: 60 }), (ops, deaths) => {
        const expected = historyOf(run(actor, ops, () => false))
        assert.equal(historyOf(run(actor, ops, (step) => deaths[step] === true)), expected)
      }),
      { numRuns: 100 },
    )
  })
}

test.run()
