// Actors on a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { deploy, recordsOf, tellAll, work } from './running-actors.ts'
import { account, BookParcel, Deposit, order, PlaceOrder, Withdraw } from './sample-actors.ts'

const test = suite('actors on a server')

test('AL3 AL6 commands of many aggregates are decided in order, and go on where a runtime has stopped', async () => {
  const connection = await sharedConnection()
  const deployment = await deploy(connection, [account])
  const ids = Array.from({ length: 50 }, (_, at) => `k${at}`)
  await tellAll(
    connection,
    deployment,
    ids.flatMap((accountId) => [Deposit({ accountId, amount: 10 }), Withdraw({ accountId, amount: 3 })]),
  )
  const first = await work(connection, deployment)
  await eventually('100 records', async () => (await recordsOf(connection, deployment)).length === 100)
  await first.stop()
  await tellAll(
    connection,
    deployment,
    ids.map((accountId) => Withdraw({ accountId, amount: 8 })),
  )
  const other = await connectTo((await sharedServer()).url)
  const second = await work(other, deployment, 'two')
  await eventually('150 records', async () => (await recordsOf(connection, deployment)).length === 150)
  await second.stop()
  const records = await recordsOf(connection, deployment)
  for (const id of ids)
    assert.equal(
      records.filter((record) => record.id === id).map(({ version, decided }) => [version, decided[0]?.x?.message]),
      [
        [1, undefined],
        [2, undefined],
        [2, 'there is 7'],
      ],
    )
})

test('a step, a timer that is cancelled, and a command to another actor', async () => {
  const connection = await sharedConnection()
  const deployment = await deploy(connection, [order], { contracts: [BookParcel] })
  const runtime = await work(connection, deployment)
  await tellAll(connection, deployment, [PlaceOrder({ orderId: 'o1', total: 5 })])
  const records = await eventually('paid', async () => {
    const all = await recordsOf(connection, deployment, 'o1')
    return all.length >= 2 ? all : undefined
  })
  assert.equal(
    records.map(({ events }) => events.map(({ type }) => type)),
    [['order.placed'], ['order.paid']],
  )
  const [stream] = deployment.streams
  const filter = { subjects_filter: `millrace.${stream?.name}.timer.>` }
  await eventually('its deadline is cancelled, half an hour before it', async () => {
    const { state } = await connection.manager.streams.info(stream?.name ?? '', filter)
    return Object.keys(state.subjects ?? {}).length === 0
  })
  await runtime.stop()
})

test.run()
