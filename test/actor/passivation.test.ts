// States that are stored when their aggregates are dropped from memory.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aggregateSnapshotSubject } from '../../src/actor/aggregate-subject.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { ActorWorld, stream } from './actor-world.ts'
import { deploy, recordsOf, tellAll, work } from './running-actors.ts'
import { account, Deposit, DepositMany } from './sample-actors.ts'

const test = suite('snapshots on passivation')

/** The state is in no record; snapshots come on passivation, and each `every` events. */
const dropped = (every: number, onPassivation?: number): typeof account => ({
  ...account,
  snapshot: { carry: 0, every, onPassivation },
  memory: { aggregates: 2 },
})

const ACTION = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), count: fc.integer({ min: 0, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.constant('commit' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
)

/** How many snapshots there are, after each was compared with what the events before it make. */
function holds(world: ActorWorld): number {
  let count = 0
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    const events = world.records(id).flatMap((record) => record.events)
    for (const { v, s } of world.snapshots(id)) {
      count += 1
      assert.equal(s, { balance: v, entries: v }, `${id} at ${v}`)
      assert.ok(v <= events.length, `${id}: a snapshot at ${v} of ${events.length} events`)
    }
  }
  return count
}

test('AL10 a snapshot on passivation is the state that its events make, whatever crashes', () => {
  let count = 0
  fc.assert(
    fc.property(fc.array(ACTION, { minLength: 10, maxLength: 60 }), fc.constantFrom(5, 1_000), (actions, every) => {
      const world = new ActorWorld(dropped(every, 2))
      for (const action of actions) {
        if (action === 'crash') world.crash()
        else if (action === 'commit') world.commit()
        else world.give(DepositMany({ accountId: action.id, count: action.count, amount: 1 }))
        // what is dropped on the way is what is stored
        world.handle()
      }
      world.commit()
      count += holds(world)
    }),
    { numRuns: 50 },
  )
  assert.ok(count > 25, `${count} snapshots`)
})

test('AL10 an aggregate that is in memory again before its snapshot is stored has one of them in a batch', () => {
  const world = new ActorWorld(dropped(3, 1))
  const give = (id: string): void => {
    world.give(Deposit({ accountId: id, amount: 1 }))
    world.handle()
  }
  give('a')
  give('a')
  world.commit()
  const before = world.stored.length
  for (const id of ['b', 'c', 'd']) give(id) // a is dropped for one of these
  give('a') // and now has the three events of `every`
  world.commit()
  const subjects = world.stored.slice(before).map(({ subject }) => subject)
  const snapshots = subjects.filter((subject) => subject.startsWith('millrace.BANK.aggregate.'))
  assert.equal(snapshots, [aggregateSnapshotSubject(stream.name, account.name, 'a')])
})

test('on a server: what is dropped is stored, and goes on from there', async () => {
  const connection = await sharedConnection()
  const deployment = await deploy(connection, [dropped(1_000, 2)], { partitions: 1 })
  const runtime = await work(connection, deployment)
  let told = 0
  const round = async (ids: readonly string[]): Promise<void> => {
    const drafts = ids.map((accountId) => DepositMany({ accountId, count: 3, amount: 1 }))
    await tellAll(connection, deployment, drafts)
    told += ids.length
    await eventually(`${told} records`, async () => (await recordsOf(connection, deployment)).length === told)
  }
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  await round(ids)
  await round(['g', 'h', 'i']) // the first six are dropped for these
  await round(['a', 'b'])
  await round(['k'])
  await runtime.stop()
  const name = deployment.streams[0]?.name ?? ''
  const of = (id: string): string => aggregateSnapshotSubject(name, account.name, id)
  const { state } = await connection.manager.streams.info(name, { subjects_filter: `millrace.${name}.>` })
  const stored = ids.filter((id) => state.subjects?.[of(id)] !== undefined)
  assert.ok(stored.length >= 4, `${stored.length} of ${ids.length} have a snapshot`)
  const [last] = (await recordsOf(connection, deployment, 'a')).slice(-1)
  assert.is(last?.version, 6, 'it was loaded with its snapshot')
})

test.run()
