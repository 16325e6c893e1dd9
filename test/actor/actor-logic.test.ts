import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ActorLogic } from '../../src/actor/actor-logic.ts'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import type { Outcome } from '../../src/actor/outcome.ts'
import { completeDraft } from '../../src/event/complete.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { ActorWorld, commands, stream } from './actor-world.ts'
import { account, Deposit, DepositMany, Withdraw, CloseAccount } from './sample-actors.ts'

const test = suite('actor logic')
const deposit = (accountId: string, amount: number, id?: string) => Deposit({ accountId, amount }, { id })
const withdraw = (accountId: string, amount: number) => Withdraw({ accountId, amount })

test('AL6 each decision is one record, with the version after it, what was decided, and the state', () => {
  const world = new ActorWorld(account)
  world.give(deposit('a', 10))
  world.give(withdraw('a', 4))
  world.give(withdraw('a', 100))
  world.handle()
  world.commit()
  const records = world.records('a')
  assert.equal(
    records.map(({ version, decided, events }) => [
      version,
      decided[0]?.c,
      decided[0]?.x?.code,
      events.map(({ id }) => id),
    ]),
    [
      [1, 'c1', undefined, ['account:a:1']],
      [2, 'c2', undefined, ['account:a:2']],
      [2, 'c3', 'insufficient-funds', []],
    ],
  )
  assert.equal(records.at(-1)?.frame?.['s'], { balance: 6, entries: 2 })
})

test('AL4 a command id has one effect, also after a crash, and when the first was rejected', () => {
  const world = new ActorWorld(account)
  world.give(deposit('a', 10, 'same'))
  world.give(Withdraw({ accountId: 'a', amount: 50 }, { id: 'no' }))
  world.give(deposit('a', 10, 'same'))
  world.handle()
  world.commit()
  world.crash()
  world.give(deposit('a', 10, 'same'))
  world.give(deposit('a', 50))
  world.give(Withdraw({ accountId: 'a', amount: 50 }, { id: 'no' }))
  world.handle()
  world.commit()
  assert.equal(
    world.records('a').map(({ decided }) => decided[0]?.c),
    ['same', 'no', 'c5'],
  )
  assert.equal((await_(world.load('a')).facts.state as { balance: number }).balance, 60)
})

test('a closed aggregate rejects what comes, by code', () => {
  const world = new ActorWorld(account)
  for (const draft of [CloseAccount({ accountId: 'a' }), deposit('a', 1)]) world.give(draft)
  world.handle()
  world.commit()
  assert.is(world.records('a').at(-1)?.decided[0]?.x?.code, 'aggregate-closed')
})

test('one, a hundred and a thousand events of a decision are one record', () => {
  const world = new ActorWorld(account)
  for (const count of [1, 100, 1_000]) world.give(DepositMany({ accountId: 'a', count, amount: 1 }))
  world.handle()
  world.commit()
  assert.equal(
    world.records('a').map(({ events, version }) => [events.length, version]),
    [
      [1, 1],
      [100, 101],
      [1_000, 1_101],
    ],
  )
})

test('an aggregate is loaded once, and again only when it was dropped', () => {
  const world = new ActorWorld({ ...account, memory: { aggregates: 2 } })
  for (const id of ['a', 'b', 'a', 'b', 'c', 'd', 'e', 'a']) world.give(deposit(id, 1))
  for (let at = 1; at <= 4; at++) world.handle(at)
  assert.is(world.loads, 2)
  world.handle()
  // nothing is committed, so that nothing may be dropped (AL1)
  assert.is(world.loads, 5)
  world.commit()
  for (const id of ['f', 'g', 'h', 'a']) world.give(deposit(id, 1))
  world.handle()
  world.commit()
  assert.is(world.loads, 9)
  assert.equal(
    world.records('a').map(({ version }) => version),
    [1, 2, 3, 4],
  )
})

test('AL8 an outcome is told when it is stored, and not before; a command that comes again is told the same', () => {
  const told: unknown[] = []
  const world = new ActorWorld(account)
  const place = { actor: account, stream, commands, homeOf: () => commands, maxPayload: 1024 * 1024 }
  const answer = ({ id }: { id: string }, outcome: Outcome): void => void told.push([id, outcome.kind])
  const logic = new ActorLogic({ place, load: (id) => world.load(id), answer }, { kind: 'fresh' })
  const command = (draft: CommandDraft, id: string): StoredEvent => {
    const at = { stream: commands.name, sequence: 1, storedAt: 1_767_225_600_000 }
    return { ...completeDraft(draft, { id, source: '/test', time: at.storedAt }), ...at }
  }
  const stored = [command(deposit('a', 1), 'c1'), command(withdraw('a', 5), 'c2'), command(deposit('a', 1), 'c1')].map(
    (one) => {
      assert.ok(logic.admits(one))
      logic.turn(one, () => undefined)
      return logic.afterCommit()
    },
  )
  assert.equal(told, [])
  for (const done of stored) done?.()
  assert.equal(told, [
    ['c1', 'accepted'],
    ['c2', 'rejected'],
    ['c1', 'accepted'],
  ])
})

test('AL8 a command that comes again is told its own outcome, also when another aggregate was given the same id since', () => {
  const told: unknown[] = []
  const world = new ActorWorld(account)
  const place = { actor: account, stream, commands, homeOf: () => commands, maxPayload: 1024 * 1024 }
  const answer = ({ key }: StoredEvent, outcome: Outcome): void => void told.push([key, outcome.id, outcome.kind])
  const logic = new ActorLogic({ place, load: (id) => world.load(id), answer }, { kind: 'fresh' })
  for (const draft of [deposit('a', 1), withdraw('b', 5), deposit('a', 1), withdraw('b', 5)]) {
    const at = { stream: commands.name, sequence: 1, storedAt: 1_767_225_600_000 }
    const command = { ...completeDraft(draft, { id: 'of-a-saga', source: '/test', time: at.storedAt }), ...at }
    assert.ok(logic.admits(command))
    logic.turn(command, () => undefined)
    logic.afterCommit()?.()
  }
  const [first, second] = [
    ['a', 'a', 'accepted'],
    ['b', 'b', 'rejected'],
  ]
  assert.equal(told, [first, second, first, second])
})

function await_<T>(value: T | Promise<T>): T {
  return value as T
}

test.run()
