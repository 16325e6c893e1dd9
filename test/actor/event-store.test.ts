import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { actualVersion, type Append } from '../../src/actor/append.ts'
import { storedRecordSubject } from '../../src/actor/aggregate-subject.ts'
import { EventStore } from '../../src/actor/event-store.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { openEventStore } from '../../src/runtime/open-event-store.ts'
import { sharedServer } from '../support/nats.ts'
import { Deposited, freshStream, Noted, readAll, sharedConnection } from './support.ts'

const test = suite('the event store')

const connection = await sharedConnection()
const stream = await freshStream(connection, { storage: 'memory' })
const store = new EventStore(connection, { stream, events: [Deposited, Noted] })
let ids = 0
const fresh = () => `id ${(ids += 1)}`
const deposits = (...amounts: number[]) => amounts.map((amount) => Deposited({ amount }))

async function amountsOf(events: AsyncIterable<StoredEvent>): Promise<unknown[]> {
  const all = []
  for await (const { data } of events) all.push((data as { amount: number }).amount)
  return all
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (isFault(error) ? error.code : `${error}`),
  )
}

for (const count of [1, 100, 1_000])
  test(`${count} events of one append are stored as one, and read in order`, async () => {
    const id = fresh()
    const amounts = Array.from({ length: count }, (_, at) => at)
    const { version } = await store.append('account', id, 'none', deposits(...amounts))
    assert.is(version, count)
    assert.equal(await amountsOf(store.read('account', id)), amounts)
    assert.is((await readAll(connection, stream.name, [storedRecordSubject(stream, 'account', id)])).length, 1)
  })

test('an append that takes several messages is stored as one', async () => {
  const id = fresh()
  const big = Array.from({ length: 40 }, (_, at) => Noted({ text: `${at}${'x'.repeat(60_000)}` }))
  const { version } = await store.append('account', id, 'none', big)
  assert.is(version, 40)
  assert.is((await store.append('account', id, 40, deposits(1))).version, 41)
  let at = 0
  for await (const event of store.read('account', id)) assert.is(event.attributes['aggregateversion'], `${(at += 1)}`)
  assert.is(at, 41)
  let back = 41
  for await (const event of store.readBackwards('account', id))
    assert.is(event.attributes['aggregateversion'], `${back--}`)
  assert.is(back, 0)
})

test('whatever was appended is read, forwards and backwards, from any version', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
      fc.nat(12),
      async (sizes, from) => {
        const id = fresh()
        const all: number[] = []
        for (const size of sizes) {
          const amounts = Array.from({ length: size }, (_, at) => all.length + at + 1)
          const expected = all.length === 0 ? 'none' : all.length
          await store.append('account', id, expected, deposits(...amounts))
          all.push(...amounts)
        }
        assert.is(await store.version('account', id), all.length)
        assert.equal(await amountsOf(store.read('account', id, { from })), all.slice(from))
        assert.equal(await amountsOf(store.readBackwards('account', id, { from })), all.slice(0, from).toReversed())
        assert.equal(await amountsOf(store.readBackwards('account', id)), all.toReversed())
      },
    ),
    { numRuns: 15 },
  )
})

test('AP1 a writer that expects another version stores nothing, and learns the actual one', async () => {
  const id = fresh()
  await store.append('account', id, 'none', deposits(1, 2))
  const other = new EventStore(connection, { stream, events: [Deposited] })
  await other.append('account', id, 2, deposits(3))
  for (const expected of ['none', 0, 1, 2, 4] as const) {
    const error = await store.append('account', id, expected, deposits(9)).catch((thrown: unknown) => thrown)
    assert.ok(isFault(error, 'EXPECTED_VERSION_CONFLICT'))
    assert.is(actualVersion(error), 3)
    assert.match(error.detail, `expected ${expected}, it is at version 3`)
  }
  assert.equal(await amountsOf(store.read('account', id)), [1, 2, 3])
})

test('AP1 of eight writers that expect the same version one wins, at each of fifty versions', async () => {
  const id = fresh()
  const writers = Array.from({ length: 8 }, () => new EventStore(connection, { stream, events: [Deposited] }))
  for (let version = 0; version < 50; version++) {
    const ends = await Promise.all(
      writers.map((writer, at) =>
        writer.append('account', id, version, deposits(at)).then(
          () => at,
          (error: unknown) => actualVersion(error) ?? Promise.reject(error),
        ),
      ),
    )
    const [won] = await amountsOf(store.read('account', id, { from: version }))
    assert.equal(
      ends,
      writers.map((_, at) => (at === won ? at : version + 1)),
    )
  }
})

test('writers that expect any version all store, each once', async () => {
  const id = fresh()
  const writers = Array.from({ length: 8 }, () => new EventStore(connection, { stream, events: [Deposited] }))
  await Promise.all(
    writers.map(async (writer, at) => {
      for (let nth = 0; nth < 10; nth++) await writer.append('account', id, 'any', deposits(at * 10 + nth))
    }),
  )
  const amounts = (await amountsOf(store.read('account', id))) as number[]
  assert.equal(
    amounts.toSorted((a, b) => a - b),
    Array.from({ length: 80 }, (_, at) => at),
  )
})

test('AP2 an append that is repeated with its id is stored once, also after others', async () => {
  const id = fresh()
  const metadata = { id: 'transfer-7', correlationId: 'c', causationId: 'why', time: 1_700_000_000_000 }
  const first = await store.append('account', id, 'none', deposits(1, 2), metadata)
  for (let at = 2; at < 12; at++) await store.append('account', id, at, deposits(at))
  const again = new EventStore(connection, { stream, events: [Deposited] })
  assert.equal(await again.append('account', id, 'none', deposits(1, 2), metadata), first)
  assert.is(
    await codeOf(again.append('account', id, 'none', deposits(1, 2), { id: 'other' })),
    'EXPECTED_VERSION_CONFLICT',
  )
  assert.is(await store.version('account', id), 12)
  for await (const event of store.read('account', id)) {
    assert.equal([event.correlationId, event.causationId, event.time], ['c', 'why', 1_700_000_000_000])
    break
  }
})

test('AP3 several aggregates change together, or none does', async () => {
  const [from, to] = [fresh(), fresh()]
  await store.append('account', from, 'none', deposits(10))
  const transfer = (expected: number): Append[] => [
    { type: 'account', id: from, expected, events: deposits(-3) },
    { type: 'account', id: to, expected: 'any', events: deposits(3) },
  ]
  const [one, other] = await store.appendAll(transfer(1))
  assert.equal([one?.version, other?.version], [2, 1])
  assert.is(await codeOf(store.appendAll(transfer(1))), 'EXPECTED_VERSION_CONFLICT')
  assert.equal(await amountsOf(store.read('account', to)), [3])
  // whoever was not told of the last transfer repeats it
  const metadata = { id: 'again' }
  const named = transfer(2).map((append) => ({ ...append, expected: append.id === from ? 2 : 1, metadata }))
  assert.equal(await store.appendAll(named), await new EventStore(connection, { stream, events: [] }).appendAll(named))
  assert.equal(await amountsOf(store.read('account', from)), [10, -3, -3])
})

test('what cannot be appended is refused before anything is sent', async () => {
  const append = { type: 'account', id: 'x', expected: 'any' as const, events: deposits(1) }
  assert.is(await codeOf(store.append('account', 'x', 'any', [])), 'APPEND_INVALID')
  assert.is(await codeOf(store.append('account', 'x', -1, deposits(1))), 'APPEND_INVALID')
  assert.is(await codeOf(store.appendAll([append, append])), 'APPEND_INVALID')
  assert.is(await codeOf(store.appendAll([])), 'APPEND_INVALID')
  assert.is(await codeOf(store.append('a.b', 'x', 'any', deposits(1))), 'AGGREGATE_ID_INVALID')
  assert.is(await codeOf(store.append('account', '', 'any', deposits(1))), 'AGGREGATE_ID_INVALID')
  const many = Array.from({ length: 1_001 }, (_, at) => ({ ...append, id: `many ${at}` }))
  assert.is(await codeOf(store.appendAll(many)), 'APPEND_INVALID')
  assert.is(await store.version('account', 'x'), 0)
})

test('aggregates of an actor are read, and not written to', async () => {
  await store.append('card', '1', 'none', deposits(1))
  const subject = commitSubject(stream.name, 'actor-card', '0')
  await publishOnce(connection, { subject, headers: [], data: Buffer.from('{}') })
  const later = new EventStore(connection, { stream, events: [Deposited] })
  assert.is(await codeOf(later.append('card', '1', 1, deposits(2))), 'AGGREGATE_HAS_OWNER')
  assert.equal(await amountsOf(later.read('card', '1')), [1])
})

test('a store with a connection of its own is opened by name of a server, and closed', async () => {
  const [server = ''] = [(await sharedServer()).url]
  const { store: own, close } = await openEventStore({ stream, events: [Deposited], connection: { server } })
  await own.append('account', 'opened', 'none', deposits(1))
  assert.equal(await amountsOf(store.read('account', 'opened')), [1])
  await close()
  assert.is(await codeOf(openEventStore({ stream, events: [] })), 'SETTING_INVALID')
})

test.run()
