// Journal and state log as a server keeps them: read back between two sequences, and trimmed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishBatch } from '../../src/broker/batch.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { journalSubject, stateSubject } from '../../src/broker/system-subject.ts'
import { AppendixTrimming } from '../../src/kernel/appendix-trimming.ts'
import { appendixMessages } from '../../src/kernel/appendix.ts'
import { readAppendixRange } from '../../src/kernel/read-appendix.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { faultOf } from '../support/numbered.ts'
import { freshRecord } from './messages.ts'

const test = suite('journal and state log in a stream')

/** Stores one list after the other; the sequence of each. */
async function store(connection: Connection, subject: string, lists: readonly number[][]): Promise<number[]> {
  const sequences: number[] = []
  for (const list of lists) {
    const messages = appendixMessages(
      subject,
      list.map((n) => JSON.stringify(n)),
    )
    for (const message of messages) sequences.push((await publishOnce(connection, message)).sequence)
  }
  return sequences
}

test('K1 what is between two sequences is read, both included, and nothing of other subjects', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const [own, other] = [journalSubject(stream.name, 'p', '0'), journalSubject(stream.name, 'p', '1')]
  const lists = Array.from({ length: 300 }, (_, at) => Array.from({ length: at % 40 }, (__, n) => at * 100 + n))
  const sequences: number[] = []
  for (const list of lists) {
    sequences.push(...(await store(connection, own, [list])))
    await store(connection, other, [[-1]])
  }
  const range = { stream: stream.name, subject: own, from: sequences[20] ?? 0, to: sequences[200] ?? 0 }
  const parts = await readAppendixRange(connection, systemClock, range)
  assert.equal(
    parts.map(({ sequence }) => sequence),
    sequences.slice(20, 201),
  )
  const stored = lists.filter((list) => list.length > 0)
  assert.equal(
    parts.map(({ items }) => items),
    stored.slice(20, 201),
  )
  assert.equal(await readAppendixRange(connection, systemClock, { ...range, from: 10, to: 9 }), [])
  const behind = { ...range, from: (sequences.at(-1) ?? 0) + 1, to: (sequences.at(-1) ?? 0) + 500 }
  assert.equal(await readAppendixRange(connection, systemClock, behind), [], 'the end of the stream is an end, too')
})

test('K1 what cannot be read is said, not passed over', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const subject = stateSubject(stream.name, 'p', '0')
  await store(connection, subject, [[1], [2]])
  await publishOnce(connection, { subject, headers: [], data: Buffer.from('[3') })
  const error = await faultOf(
    readAppendixRange(connection, systemClock, { stream: stream.name, subject, from: 1, to: 9 }),
  )
  assert.is(error.code, 'SNAPSHOT_INVALID')
  assert.match(error.detail, subject)
})

async function fill(connection: Connection, stream: StreamDeclaration): Promise<number> {
  const { processor, partition } = freshRecord()
  const subjects = [journalSubject, stateSubject].map((subject) => subject(stream.name, processor, partition))
  let last = 0
  for (let batch = 0; batch < 8; batch++) {
    const messages = Array.from({ length: 1_000 }, (_, at) => ({
      subject: subjects[at % 2] ?? '',
      headers: [],
      data: Buffer.from('[1]'),
    }))
    last = (await publishBatch(connection, messages)).last
  }
  return last
}

async function left(connection: Connection, stream: StreamDeclaration, what: typeof stateSubject): Promise<number[]> {
  const { processor, partition } = freshRecord()
  const messages = await readAll(connection, stream.name, [what(stream.name, processor, partition)])
  return [messages.length, messages[0]?.sequence ?? 0]
}

test('what lies before the beginning of either is removed when it is worth it; of a kept journal nothing', async () => {
  const connection = await sharedConnection()
  for (const keepsJournal of [false, true]) {
    const stream = await freshStream(connection)
    const record = freshRecord()
    const trimming = new AppendixTrimming(connection, stream.name, record, keepsJournal)
    const last = await fill(connection, stream)
    trimming.trim({ ...record, journalFrom: 4_000, stateFrom: 4_000 }, last)
    trimming.trim({ ...record, journalFrom: 6_001, stateFrom: 7_002 }, last)
    const kept = keepsJournal ? 4_000 : 1_000
    await eventually('both are trimmed', async () => {
      const [[state], [journal]] = [
        await left(connection, stream, stateSubject),
        await left(connection, stream, journalSubject),
      ]
      return state === 500 && journal === kept
    })
    assert.equal(await left(connection, stream, stateSubject), [500, 7_002])
    assert.equal(await left(connection, stream, journalSubject), keepsJournal ? [4_000, 1] : [1_000, 6_001])
    trimming.trim({ ...record, journalFrom: null, stateFrom: 7_002 }, last + 6_000)
    await eventually('the rest of the journal', async () => {
      const [count = 0] = await left(connection, stream, journalSubject)
      return count === (keepsJournal ? 4_000 : 0)
    })
    assert.equal(await left(connection, stream, stateSubject), [500, 7_002], 'a state log has always a beginning')
    assert.is(trimming.failure, undefined)
  }
})

test('a failure to remove something is kept for whoever asks, and the next attempt may succeed', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const last = await fill(connection, stream)
  const record = freshRecord()
  const trimming = new AppendixTrimming(connection, 'NO_SUCH_STREAM', record, false)
  trimming.trim({ ...record, stateFrom: 6_000, journalFrom: 6_000 }, last)
  await eventually('a failure', () => trimming.failure)
  assert.is(trimming.failure?.code, 'STREAM_NOT_FOUND')
  const lost = await connectTo((await sharedServer()).url)
  const own = new AppendixTrimming(lost, stream.name, record, false)
  await lost.close()
  own.trim({ ...record, stateFrom: 6_000, journalFrom: 6_000 }, last)
  assert.is(own.failure, undefined, 'without a connection it is not even tried')
})

test.run()
