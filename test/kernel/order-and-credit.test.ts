import { DiscardPolicy } from '@nats-io/jetstream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { storedFilter } from '../../src/event/subject.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import { ownServer } from '../support/nats.ts'

const test = suite('order of turns, and credit')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const values = (count: number, first = 0) =>
  Array.from({ length: count }, (_, at) => Reading({ machine: `m${at % 9}`, value: first + at }))

interface Seen {
  readonly sequences: number[]
  /** Turns that began while another one was under way. */
  nested: number
  /** Most turns that had been run and were not committed when another one began. */
  mostInHand: number
  committed: () => number
}

/** Notes each turn and puts out its value; a negative one is a dead letter. */
function noting(stream: StreamDeclaration, seen: Seen): Processor {
  let inTurn = false
  return {
    kind: 'pipeline',
    name: 'noting',
    version: '1',
    from: { stream, types: [Reading.type] },
    to: { stream },
    memory: 'none',
    start: () => ({
      turn(event): readonly EventDraft[] {
        if (inTurn) seen.nested += 1
        inTurn = true
        seen.sequences.push(event.sequence)
        seen.mostInHand = Math.max(seen.mostInHand, seen.sequences.length - seen.committed())
        inTurn = false
        const { value } = event.data as { value: number }
        if (value < 0) throw new Error('below zero')
        return [High({ machine: 'm', value })]
      },
      snapshot: () => undefined,
      stop: () => undefined,
    }),
  }
}

async function start(connection: Connection, stream: StreamDeclaration, credit: number) {
  const seen: Seen = { sequences: [], nested: 0, mostInHand: 0, committed: () => 0 }
  const failures: MillraceError[] = []
  const run = await ProcessorRun.start(noting(stream, seen), {
    connection,
    registry,
    clock: systemClock,
    log: silentLog,
    owner: 'test',
    credit,
    onFailure: (error) => failures.push(error),
  })
  seen.committed = () => run.counts.turns
  return { run, seen, failures }
}

async function outputs(connection: Connection, stream: StreamDeclaration): Promise<number[]> {
  const messages = await readAll(connection, stream.name, [storedFilter(stream.root, High.type)])
  return messages.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { value: number }).value)
}

test('K2 K3 turns run once, in log order, one at a time, within the credit, over kills and pauses of the server', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const { run, seen, failures } = await start(connection, stream, 200)
  const publishing = publishAll(connection, stream, values(6_000))
  await eventually('a beginning', () => seen.sequences.length > 300)
  await server.kill()
  await server.restart()
  const before = run.counts.turns
  await eventually('it goes on', () => run.counts.turns > before || run.counts.turns === 6_000)
  server.pause()
  await pause(300)
  server.resume()
  await publishing
  await eventually('done', () => run.counts.turns === 6_000 || failures.length > 0, 30_000)
  await run.stop()
  assert.equal(failures, [])
  assert.is(seen.sequences.length, 6_000)
  assert.ok(seen.sequences.every((sequence, at) => at === 0 || sequence > (seen.sequences[at - 1] ?? 0)))
  assert.is(seen.nested, 0)
  assert.ok(seen.mostInHand <= 200, `${seen.mostInHand} in hand`)
  assert.ok(seen.mostInHand > 20, `it was put to the test: ${seen.mostInHand} in hand`)
  assert.equal(
    await outputs(connection, stream),
    Array.from({ length: 6_000 }, (_, at) => at),
  )
})

test('C4 K3 a processor that cannot commit holds its credit of messages and no more, and goes on when it can', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const { streams } = connection.manager
  await streams.update('DEAD_LETTERS', { max_bytes: 1, discard: DiscardPolicy.New })
  const { run, seen, failures } = await start(connection, stream, 70)
  // its dead letter cannot be stored, so nothing can be committed from here on
  await publishAll(connection, stream, [Reading({ machine: 'm', value: -1 }), ...values(1_000)])
  await eventually('the credit is used', () => seen.sequences.length === 70)
  await pause(500)
  assert.is(seen.sequences.length, 70)
  assert.is(run.counts.turns, 0)
  await streams.update('DEAD_LETTERS', { max_bytes: -1 })
  await eventually('done', () => run.counts.turns === 1_001 || failures.length > 0)
  await run.stop()
  assert.equal(failures, [])
  assert.ok(seen.mostInHand <= 70, `${seen.mostInHand} in hand`)
  assert.is(run.counts.deadLetters, 1)
  assert.is((await outputs(connection, stream)).length, 1_000)
})

test('K3 after a stop, what was in hand is committed, and the next run begins behind it', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  await publishAll(connection, stream, values(3_000))
  const sequences: number[] = []
  for (let round = 0; round < 40 && sequences.length < 3_000; round++) {
    const { run, seen } = await start(connection, stream, 300)
    await eventually('some', () => seen.sequences.length > 0)
    await run.stop()
    assert.is(run.counts.turns, sequences.length + seen.sequences.length)
    sequences.push(...seen.sequences)
  }
  assert.is(new Set(sequences).size, sequences.length)
  const stored = await outputs(connection, stream)
  assert.equal(
    stored,
    Array.from({ length: stored.length }, (_, at) => at),
  )
  assert.is(stored.length, sequences.length)
})

test.run()
