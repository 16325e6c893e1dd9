import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aggregateSnapshotSubject, storedRecordSubject } from '../../src/actor/aggregate-subject.ts'
import { publishBatch } from '../../src/broker/batch.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { account, Hand, type Account } from './accounts.ts'
import { freshStream, readAll, sharedConnection } from './support.ts'
import { inTime } from '../support/in-time.ts'

const test = suite('rehydration of aggregates')

const connection = await sharedConnection()
const stream = await freshStream(connection, { storage: 'memory' })
let ids = 0
const hand = (version = 0) => new Hand(connection, stream, `id ${(ids += 1)}`, version)

async function failsWith(code: Parameters<typeof isFault>[1], work: Promise<unknown>, detail = ''): Promise<void> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isFault(error, code as 'AGGREGATE_VERSION_GAP')) throw error ?? new Error(`it did not fail with ${code}`)
  assert.ok(error.detail.includes(detail), error.detail)
}

test('an aggregate that nobody has written has its initial state', async () => {
  const { version, state, sequence, frame } = await hand().load()
  assert.equal([version, state, sequence, frame], [0, { sum: 0, notes: [] }, 0, undefined])
})

test('RH3 a state that the last record carries takes one read, whatever the history', async () => {
  const one = hand()
  for (let at = 1; at <= 20; at++) await one.decide([at])
  const sequence = await one.decide([])
  const { version, state, reads, frame, ...more } = await one.load()
  assert.equal([version, state, reads], [20, { sum: 210, notes: [] }, 1])
  assert.equal([more.sequence, more.storedVersion, frame?.c], [sequence, 20, one.remembered])
})

test('RH1 however states were stored, the state is that of all events; also at every point of the past', async () => {
  const decision = fc.record({
    amounts: fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 5 }),
    carry: fc.constantFrom(0, 0, 0, 1_024),
    snapshot: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(decision, { minLength: 1, maxLength: 8 }), async (decisions) => {
      const one = hand()
      const past: { sequence: number; version: number; sum: number }[] = []
      for (const { amounts, carry, snapshot } of decisions) {
        const sequence = await one.decide(amounts, { carry, snapshot })
        past.push({ sequence, version: one.version, sum: one.state.sum })
      }
      const { version, state, frame } = await one.load()
      assert.equal([version, state, frame?.c], [one.version, one.state, one.remembered])
      for (const { sequence, ...then } of past) {
        const found = await one.load({ sequence })
        assert.equal([found.version, (found.state as Account).sum], [then.version, then.sum])
        assert.is(found.sequence, sequence)
        assert.is(
          (await one.load({ sequence: sequence - 1 })).version,
          past[past.findIndex((p) => p.sequence === sequence) - 1]?.version ?? 0,
        )
      }
    }),
    { numRuns: 25 },
  )
})

test('RH1 a time has the state of what was stored up to it', async () => {
  const one = hand()
  const times: number[] = []
  for (let at = 1; at <= 3; at++) {
    await one.decide([at])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const subject = storedRecordSubject(stream, 'account', one.id)
  for (const { storedAt } of await readAll(connection, stream.name, [subject])) times.push(storedAt)
  const [first = 0, second = 0, third = 0] = times
  const sums = []
  for (const time of [first - 1, first, second - 1, second, third, third + 1_000])
    sums.push(((await one.load({ time })).state as Account).sum)
  assert.equal(sums, [0, 1, 1, 3, 6, 6])
})

test('RH1 a point within a decision that takes several messages is before all of it', async () => {
  const one = hand()
  await one.decide([5], { carry: 0 })
  const messages = one.messages([1, 2, 3, 4], { carry: 0, maxPayload: 1_000 })
  assert.ok(messages.length > 1)
  const { last } = await publishBatch(connection, messages)
  for (let sequence = last - messages.length; sequence < last; sequence++)
    assert.is((await one.load({ sequence })).version, 1)
  assert.is((await one.load({ sequence: last })).version, 5)
  assert.equal((await one.load()).state, { sum: 15, notes: [] })
})

test('an aggregate of 1,000,000 events is loaded from its snapshot, with what was decided since', async () => {
  const one = hand(980_000)
  for (let batch = 0; batch < 20; batch++) {
    const messages = Array.from({ length: 999 }, () => one.messages([1], { carry: 0 })).flat()
    await publishBatch(connection, messages)
    await one.decide([1], { carry: 0, snapshot: batch === 18 })
  }
  await inTime(2_000, 'it reads what comes after its snapshot, not what lies before', async () => {
    const { version, state, storedVersion } = await one.load()
    assert.equal([version, storedVersion, (state as Account).sum], [1_000_000, 999_000, 20_000])
  })
})

test('without snapshot, a long history is gone on from the state that an earlier record carries', async () => {
  const one = hand(20_000)
  await publishBatch(connection, Array.from({ length: 600 }, () => one.messages([1], { carry: 0 })).flat())
  await one.decide([1])
  await one.decide([1], { carry: 0 })
  const { storedVersion, version, state } = await one.load()
  assert.equal([storedVersion, version, (state as Account).sum], [20_601, 20_602, 602])
})

test('a stream that is purged below a snapshot costs nothing', async () => {
  const one = hand()
  for (let at = 0; at < 5; at++) await one.decide([1], { carry: 0 })
  const kept = await one.decide([1], { carry: 0, snapshot: true })
  await one.decide([1], { carry: 0 })
  const subject = storedRecordSubject(stream, 'account', one.id)
  await connection.manager.streams.purge(stream.name, { filter: subject, seq: kept + 1 })
  assert.equal((await one.load()).state, { sum: 7, notes: [] })
  await connection.manager.streams.purge(stream.name, { filter: subject })
  const { version, state, sequence } = await one.load()
  assert.equal([version, state, sequence], [6, { sum: 6, notes: [] }, 0])
})

test('RH2 history that is needed and gone is an error', async () => {
  const one = hand()
  for (let at = 0; at < 5; at++) await one.decide([1], { carry: 0 })
  const last = await one.decide([1], { carry: 0 })
  const filter = storedRecordSubject(stream, 'account', one.id)
  await connection.manager.streams.purge(stream.name, { filter, seq: last })
  await failsWith('AGGREGATE_HISTORY_GONE', one.load(), `version 1 to 5; the first record is at sequence ${last}`)
})

test('RH2 a record that is missing in between is an error', async () => {
  const one = hand()
  await one.decide([1], { carry: 0 })
  await one.decide([1], { carry: 0, snapshot: true })
  const gone = await one.decide([1], { carry: 0 })
  await one.decide([1], { carry: 0 })
  await connection.manager.streams.deleteMessage(stream.name, gone)
  await failsWith('AGGREGATE_HISTORY_GONE', one.load(), 'version 3 to 3')
  const snapshots = aggregateSnapshotSubject(stream.name, 'account', one.id)
  await connection.manager.streams.purge(stream.name, { filter: snapshots })
  await failsWith('AGGREGATE_VERSION_GAP', one.load(), 'version 4 at sequence')
})

test('RH2 a state of a newer version of the actor is an error, in a record and in a snapshot', async () => {
  const one = hand()
  await one.decide([1], { sv: 3 })
  await failsWith('AGGREGATE_STATE_NEWER', one.load(), 'version 3, this is 2')
  await one.decide([1], { sv: 3, carry: 0, snapshot: true })
  await failsWith('AGGREGATE_STATE_NEWER', one.load())
})

test('an older state is migrated, taken as it is when it fits, or folded anew', async () => {
  const one = hand()
  await one.decide([1], { sv: 1 })
  await one.decide([2], { sv: 1 })
  assert.equal([(await one.load()).state, (await one.load()).reads], [{ sum: 3, notes: [] }, 1])
  const migrate = (state: unknown, from: number) => ({ ...(state as Account), sum: 100 + from })
  assert.equal((await one.load(undefined, { ...account, migrate })).state, { sum: 101, notes: [] })
  const strict = {
    safeParse: () => ({ success: false as const, error: { issues: [{ path: ['sum'], message: 'no' }] } }),
  }
  assert.equal((await one.load(undefined, { ...account, schema: strict })).state, { sum: 3, notes: [] })
  await failsWith('AGGREGATE_STATE_INVALID', one.load(undefined, { ...account, version: 1, schema: strict }), '/sum no')
  const broken = { ...account, migrate: () => assert.unreachable('threw') }
  await failsWith('AGGREGATE_STATE_INVALID', one.load(undefined, broken), 'migrate from version 1 to 2 threw')
})

test('RH2 a record that cannot be read is an error that says where it is', async () => {
  const one = hand()
  await one.decide([1], { carry: 0 })
  const [message] = one.messages([1], { carry: 0 })
  const { headers, subject } = message as NonNullable<typeof message>
  const { last } = await publishBatch(connection, [{ subject, headers, data: Buffer.from('[{"id":"x"}]') }])
  await failsWith('AGGREGATE_RECORD_INVALID', one.load(), `sequence ${last}, version 2`)
})

test('a decision that is made while an aggregate is read does not mix with what was before', async () => {
  const one = hand()
  const end = new AbortController()
  const writing = (async () => {
    while (!end.signal.aborted) await one.decide([1], { carry: 0, snapshot: true })
  })()
  try {
    for (let at = 0; at < 200; at++) {
      const { version, state } = await one.load()
      assert.is((state as Account).sum, version)
    }
  } finally {
    end.abort()
    await writing
  }
})

test.run()
