// Owners of an actor’s units on a real server that die, are overtaken, or meet what they cannot decide.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reject } from '../../src/actor/decision.ts'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { parkedUnit } from '../../src/kernel/parking/parked-unit.ts'
import { redriveKey } from '../../src/kernel/parking/redrive-key.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { start } from '../kernel/running.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { deploy, recordsOf, tellAll } from './running-actors.ts'
import { account, Deposit, Withdraw } from './sample-actors.ts'

const test = suite('owners of actors')

const IDS = Array.from({ length: 20 }, (_, at) => `k${at}`)
const ROUNDS = 25

function actorOf(deployment: Deployment): Processor {
  const processor = processorsOf(deployment).find(({ kind }) => kind === 'actor')
  assert.ok(processor)
  return processor
}

const drafts = Array.from({ length: ROUNDS }, (_, round) =>
  IDS.map((accountId) => (round % 3 === 2 ? Withdraw({ accountId, amount: 1 }) : Deposit({ accountId, amount: 1 }))),
).flat()

/** Each command once, in the order of the log, versions without a gap. */
async function requireExact(connection: Connection, deployment: Deployment): Promise<void> {
  const records = await recordsOf(connection, deployment)
  assert.is(records.length, IDS.length * ROUNDS)
  for (const id of IDS) {
    const own = records.filter((record) => record.id === id)
    assert.equal(
      own.map(({ version }) => version),
      own.map((_, at) => at + 1),
    )
    const places = own.map(({ decided }) => decided[0]?.q ?? 0)
    assert.equal(
      places,
      [...places].sort((a, b) => a - b),
    )
    assert.is(new Set(own.map(({ decided }) => decided[0]?.c)).size, ROUNDS)
  }
}

test('AL3 AL4 AL6 an owner that dies at any moment between decision and commit leaves an exact history', async () => {
  const connection = await sharedConnection()
  const deployment = await deploy(connection, [account], { partitions: 1 })
  const processor = actorOf(deployment)
  await tellAll(connection, deployment, drafts)
  const { registry } = deployment
  for (const life of [5, 15, 30, 60]) {
    const own = await connectTo((await sharedServer()).url)
    await start(own, processor, { partition: '0', registry })
    await systemClock.sleep(life)
    await own.close()
  }
  const last = await start(connection, processor, { partition: '0', registry })
  await eventually('all', async () => (await recordsOf(connection, deployment)).length >= IDS.length * ROUNDS, 30_000)
  await requireExact(connection, deployment)
  await last.run.stop()
})

test('AL3 AL6 a former owner that wakes up stores nothing more, and says that it was fenced', async () => {
  const connection = await sharedConnection()
  const deployment = await deploy(connection, [account], { partitions: 1 })
  const processor = actorOf(deployment)
  const { registry } = deployment
  const former = await start(await connectTo((await sharedServer()).url), processor, { partition: '0', registry })
  await tellAll(connection, deployment, drafts.slice(0, 100))
  await eventually('a hundred', async () => (await recordsOf(connection, deployment)).length === 100)
  const owner = await start(connection, processor, { partition: '0', registry })
  await tellAll(connection, deployment, drafts.slice(100)) // both are given them
  await eventually('all', async () => (await recordsOf(connection, deployment)).length >= IDS.length * ROUNDS, 30_000)
  await eventually('fenced', () => former.failures[0]?.code === 'PROCESSOR_FENCED')
  await requireExact(connection, deployment)
  await owner.run.stop()
})

test('AL9 an aggregate that is parked comes back by a redrive, in order; others have gone on', async () => {
  const connection = await sharedConnection()
  const health = { ill: true }
  const frail = {
    ...account,
    decide: new Map([
      ...account.decide,
      [
        'account.withdraw',
        () => {
          if (health.ill) throw new Error('ill')
          return reject('healthy', 'it can decide again')
        },
      ] as const,
    ]),
  }
  const deployment = await deploy(connection, [frail], { partitions: 1 })
  const processor = actorOf(deployment)
  const running = await start(connection, processor, { partition: '0', registry: deployment.registry })
  const deposit = (accountId: string): CommandDraft => Deposit({ accountId, amount: 1 })
  await tellAll(connection, deployment, [
    deposit('a'),
    Withdraw({ accountId: 'a', amount: 1 }),
    deposit('a'),
    deposit('b'),
  ])
  await eventually('two', async () => (await recordsOf(connection, deployment)).length === 2)
  assert.equal(
    (await recordsOf(connection, deployment)).map(({ id }) => id),
    ['a', 'b'],
  )
  const unit = parkedUnit(processor, '0')
  const outcome = async (): Promise<unknown> => (await redriveKey(connection, unit, 'a', { clock: systemClock })).kind
  assert.is(await outcome(), 'failed')
  health.ill = false
  assert.is(await outcome(), 'back')
  const records = (await recordsOf(connection, deployment)).filter(({ id }) => id === 'a')
  assert.equal(
    records.map(({ version, decided }) => [version, decided[0]?.x?.code]),
    [
      [1, undefined],
      [1, 'healthy'],
      [2, undefined],
    ],
  )
  await running.run.stop()
})

test.run()
