// Actors of a folder: found, with the streams that follow from them, and read by whoever reads their events.
import { resolve } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { inputFilters } from '../../src/kernel/input-filters.ts'
import { processorId } from '../../src/kernel/processor.ts'
import { recordStream } from '../../src/actor/record-stream.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { discover } from '../../src/runtime/discover.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { recordsOf, tellAll, work } from '../actor/running-actors.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { readDeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { account, Deposit, order, PlaceOrder, BookParcel } from '../actor/sample-actors.ts'
import { changePartitions, deploy } from '../actor/running-actors.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'

const test = suite('actors of a deployment')
const FOLDER = resolve(import.meta.dirname, '../fixtures/streams-actors')

test('a folder with an actor has a stream of its commands, and readers of its events use one filter', async () => {
  const deployment = await discover(FOLDER)
  assert.equal(
    deployment.streams.map(({ name, root, partitions, aggregates }) => [name, root, partitions, aggregates]),
    [
      ['WALLETS', 'wallets', 4, true],
      ['WALLETS_COMMANDS', 'wallets-commands', 4, undefined],
    ],
  )
  assert.equal(
    ['wallet.credit', 'wallet.credited'].map((type) => deployment.homes.get(type)?.name),
    ['WALLETS_COMMANDS', 'WALLETS'],
  )
  const processors = processorsOf(deployment)
  assert.equal(processors.map((processor) => processorId(processor)).sort(), [
    'actor-wallet',
    'contracts-WALLETS',
    'outbox-WALLETS_to_WALLETS_COMMANDS',
    'pipeline-large-credits',
  ])
  const pipeline = processors.find(({ kind }) => kind === 'pipeline')
  assert.ok(pipeline)
  assert.equal(inputFilters(pipeline, '2'), ['wallets.2.>'])
})

test('a pipeline reads the events of an actor, and passes over the others of their records', async () => {
  const connection = await sharedConnection()
  const deployment = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const runtime = await work(connection, deployment)
  const { default: wallet } = (await import(resolve(FOLDER, 'wallets/actors/wallet.ts'))) as {
    default: typeof account
  }
  const credit = wallet.commands[0]
  assert.ok(credit)
  await tellAll(
    connection,
    deployment,
    [5, 1_000, 7, 2_000].map((amount) => credit({ wallet: 'w', amount } as never) as never),
  )
  const noticed = await eventually('two', async () => {
    const all = await readAll(connection, 'WALLETS', [storedFilter('wallets', 'wallet.noticed')])
    return all.length >= 2 ? all : undefined
  })
  assert.equal(
    noticed.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { amount: number }).amount),
    [1_000, 2_000],
  )
  // of commands, the actor minds the contracts: also of those that nobody takes
  const Strange = defineCommand('wallet.kredit', {
    data: z.object({ wallet: z.string() }),
    key: ({ wallet }) => wallet,
  })
  await tellAll(connection, deployment, [Strange({ wallet: 'w' })])
  const letters = await eventually('a dead letter', async () => {
    const all = await readAll(connection, 'DEAD_LETTERS', ['millrace.dead.WALLETS_COMMANDS.>'])
    return all.length > 0 ? all.map(readDeadLetter) : undefined
  })
  assert.equal(
    letters.map(({ code, processor }) => [code, processor]),
    [['EVENT_TYPE_UNKNOWN', 'contract']],
  )
  await runtime.stop()
})

test('a stream that forgets takes no actors', () => {
  const forgetting = defineStream({ name: 'X', root: 'x', retention: { maxAge: '7d' } })
  assert.throws(() => recordStream(forgetting), /STREAM_INVALID.*forgets/)
})

test('AL3 AL6 aggregates go on when the number of partitions changes, with what is open and waits', async () => {
  const connection = await sharedConnection()
  const slow = {
    ...order,
    steps: new Map(
      [...order.steps].map(([name, step]) => [name, { ...step, run: () => new Promise(() => undefined) }]),
    ),
  }
  const before = await deploy(connection, [account, slow], { contracts: [BookParcel] })
  const ids = Array.from({ length: 20 }, (_, at) => `k${at}`)
  await tellAll(connection, before, [
    ...ids.map((accountId) => Deposit({ accountId, amount: 1 })),
    ...ids.flatMap((orderId) => [PlaceOrder({ orderId, total: 3 }), PlaceOrder({ orderId, total: 4 })]),
  ])
  const first = await work(connection, before)
  await eventually('40 records', async () => (await recordsOf(connection, before)).length === 40)
  await first.stop()
  const after = await changePartitions(connection, before, 8)
  const mended = {
    ...after,
    actors: after.actors.map((one) =>
      one.actor.name === 'order' ? { ...one, actor: { ...order, reactions: [] } } : one,
    ),
  }
  const second = await work(connection, mended, 'two')
  await tellAll(
    connection,
    mended,
    ids.map((accountId) => Deposit({ accountId, amount: 1 })),
  )
  await eventually('100 records', async () => (await recordsOf(connection, mended)).length >= 100, 30_000)
  await second.stop()
  const records = await recordsOf(connection, mended)
  for (const id of ids) {
    const of = (type: string): unknown[] =>
      records
        .filter((one) => one.id === id && one.type === type)
        .map(({ version, decided }) => [version, decided[0]?.x?.code])
    assert.equal(of('account'), [
      [1, undefined],
      [2, undefined],
    ])
    assert.equal(of('order'), [
      [1, undefined],
      [2, undefined],
      [2, 'already-placed'],
    ])
  }
})

test.run()
