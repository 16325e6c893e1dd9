import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EventStore } from '../../src/actor/event-store.ts'
import type { SubscribedRecord } from '../../src/actor/record-subscription.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { ownServer } from '../support/nats.ts'
import { Deposited, freshStream, sharedConnection } from './support.ts'

const test = suite('subscriptions to records')

const connection = await sharedConnection()
const deposit = (amount: number) => [Deposited({ amount })]

/** Takes records until there are so many. */
async function take(records: AsyncIterable<SubscribedRecord>, count: number): Promise<SubscribedRecord[]> {
  const taken = []
  for await (const record of records) if (taken.push(record) === count) break
  return taken
}

async function filled(options: Parameters<typeof freshStream>[1] = {}) {
  const stream = await freshStream(connection, options)
  const store = new EventStore(connection, { stream, events: [Deposited] })
  for (let at = 0; at < 6; at++) await store.append(at % 2 === 0 ? 'account' : 'card', `${at % 3}`, 'any', deposit(at))
  return { store, name: stream.name }
}

const consumersOf = async (stream: string): Promise<number> =>
  (await connection.manager.streams.info(stream)).state.consumer_count

const amounts = (records: readonly SubscribedRecord[]) =>
  records.flatMap(({ events }) => events.map(({ data }) => (data as { amount: number }).amount))

test('begin with the first record, after a position, or with what comes', async () => {
  const { store } = await filled()
  const all = await take(store.subscribe({ from: 'start' }), 6)
  assert.equal(amounts(all), [0, 1, 2, 3, 4, 5])
  assert.equal(
    all.map(({ type, id, version }) => [type, id, version]),
    [0, 1, 2, 3, 4, 5].map((at) => [at % 2 === 0 ? 'account' : 'card', `${at % 3}`, 1]),
  )
  assert.equal(amounts(await take(store.subscribe({ from: all[3]?.position ?? 0 }), 2)), [4, 5])
  const other = await filled()
  const next = take(other.store.subscribe({ from: 'now' }), 1)
  await eventually('it has begun', async () => (await consumersOf(other.name)) > 0)
  await other.store.append('card', 'new', 'none', deposit(6))
  assert.equal(amounts(await next), [6])
})

test('take one type, or one aggregate', async () => {
  const { store } = await filled()
  assert.equal(amounts(await take(store.subscribe({ from: 'start', type: 'card' }), 3)), [1, 3, 5])
  assert.equal(amounts(await take(store.subscribe({ from: 'start', type: 'card', id: '2' }), 1)), [5])
})

test('end with their signal, while they wait and while they are read', async () => {
  const { store, name } = await filled()
  const waiting = new AbortController()
  const none = take(store.subscribe({ from: 'now', signal: waiting.signal }), 1)
  await eventually('it waits', async () => (await consumersOf(name)) > 0)
  waiting.abort()
  assert.equal(await none, [])
  const reading = new AbortController()
  let read = 0
  for await (const _ of store.subscribe({ from: 'start', signal: reading.signal }))
    if ((read += 1) === 2) reading.abort()
  assert.is(read, 2)
})

test('AP2 survive a server that is killed, and so does an append: each record comes once', async () => {
  const server = await ownServer()
  const own = await connectTo(server.url)
  const stream = await freshStream(own)
  const store = new EventStore(own, { stream, events: [Deposited] })
  const records = take(store.subscribe({ from: 'start' }), 60)
  let restarted: Promise<void> | undefined
  for (let at = 0; at < 60; at++) {
    if (at === 20) restarted = server.kill().then(() => server.restart())
    if (at === 40) {
      await restarted // or it is the one that was killed that is paused
      server.pause()
      setTimeout(() => server.resume(), 6_000)
    }
    await store.append('account', 'a', at, deposit(at))
  }
  assert.equal(
    amounts(await records),
    Array.from({ length: 60 }, (_, at) => at),
  )
})

test.run()
