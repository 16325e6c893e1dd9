// Appends to a stream whose number of partitions changes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { actualVersion, type Append } from '../../src/actor/append.ts'
import { EventStore } from '../../src/actor/event-store.ts'
import { changePartitioning } from '../../src/broker/partitioning.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { connectTo } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { Deposited, freshStream, Noted, readAll, sharedConnection } from './support.ts'

const test = suite('appends when partitions change')

const connection = await sharedConnection()
const deposits = (...amounts: number[]) => amounts.map((amount) => Deposited({ amount }))

async function amountsOf(events: AsyncIterable<StoredEvent>): Promise<unknown[]> {
  const all = []
  for await (const { data } of events) all.push((data as { amount: number }).amount)
  return all
}

test('AP1 an aggregate has its version also when the stream has another number of partitions since', async () => {
  const stream = await freshStream(connection, { partitions: 2, storage: 'memory' })
  const before = new EventStore(connection, { stream, events: [Deposited] })
  const ids = Array.from({ length: 12 }, (_, at) => `k${at}`)
  for (const id of ids) await before.append('account', id, 'none', deposits(1, 2))
  await changePartitioning(connection, stream, 16)
  const after = new EventStore(connection, { stream: { ...stream, partitions: 16 }, events: [Deposited] })
  for (const id of ids) {
    assert.is(await after.version('account', id), 2)
    const error = await after.append('account', id, 'none', deposits(9)).catch((thrown: unknown) => thrown)
    assert.ok(isFault(error, 'EXPECTED_VERSION_CONFLICT'))
    assert.is(actualVersion(error), 2)
    assert.is((await after.append('account', id, 2, deposits(3))).version, 3)
    // a process that has not heard of it
    assert.is((await before.append('account', id, 3, deposits(4))).version, 4)
    assert.equal(await amountsOf(before.read('account', id)), [1, 2, 3, 4])
    assert.equal(await amountsOf(after.readBackwards('account', id)), [4, 3, 2, 1])
  }
  const moved = (await readAll(connection, stream.name, [`${stream.root}.>`])).map(({ subject }) => subject)
  assert.ok(moved.some((subject) => Number(subject.split('.')[1]) > 1))
})

test('AP1 of writers in two processes one wins at each version, while the number of partitions changes', async () => {
  const stream = await freshStream(connection, { partitions: 2, storage: 'memory' })
  const other = await connectTo((await sharedServer()).url)
  const writers = [connection, other, connection, other].map(
    (own) => new EventStore(own, { stream, events: [Deposited] }),
  )
  const changing = (async () => {
    for (let round = 0; round < 40; round++) await changePartitioning(connection, stream, 2 + (round % 15))
  })()
  for (const id of ['a', 'b'])
    for (let version = 0; version < 40; version++) {
      const ends = await Promise.all(
        writers.map((writer, at) =>
          writer.append('account', id, version, deposits(at)).then(
            () => at,
            (error: unknown) => actualVersion(error) ?? Promise.reject(error),
          ),
        ),
      )
      const [won] = await amountsOf(writers[0]?.read('account', id, { from: version }) as AsyncIterable<StoredEvent>)
      assert.equal(
        ends,
        writers.map((_, at) => (at === won ? at : version + 1)),
      )
    }
  await changing
})

test('AP1 of writers of one process whose appends take several messages one wins', async () => {
  const stream = await freshStream(connection, { storage: 'memory' })
  const big = (at: number) => Array.from({ length: 20 }, () => Noted({ text: `${at}${'x'.repeat(60_000)}` }))
  const append = (at: number): Append[] => [
    { type: 'account', id: 'big', expected: 'none', events: big(at) },
    { type: 'account', id: `own ${at}`, expected: 'none', events: deposits(at) },
  ]
  const stores = [0, 1, 2].map(() => new EventStore(connection, { stream, events: [Noted] }))
  const ends = await Promise.allSettled(stores.map((store, at) => store.appendAll(append(at))))
  assert.is(ends.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.is(await stores[0]?.version('account', 'big'), 20)
})

test.run()
