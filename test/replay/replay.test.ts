import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { readRange } from '../../src/replay/read-range.ts'
import { replay } from '../../src/replay/replay.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { memorySink, Paid, replayLines, Sent, sleepingClock } from '../support/replays.ts'

const test = suite('a replay')

/** `count` events; every third is order.sent, the others order.paid. Sequence n holds amount n. */
async function filled(count: number): Promise<StreamDeclaration> {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(
    connection,
    stream,
    Array.from({ length: count }, (_, i) =>
      (i + 1) % 3 === 0 ? Sent({ order: `o${i % 7}` }) : Paid({ order: `o${i % 7}`, amount: i + 1 }),
    ),
  )
  return stream
}

function sequences(lines: readonly Record<string, unknown>[]): number[] {
  return lines.map(({ streamsequence }) => Number(streamsequence))
}

function span(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

test('delivers a range from a sequence to a sequence, in order, each once', async () => {
  const stream = await filled(100)
  const { result, lines } = await replayLines({ stream: stream.name, from: { kind: 'sequence', sequence: 20 }, to: 59 })
  assert.equal(sequences(lines), span(20, 59))
  assert.equal(result, {
    delivered: 40,
    rejected: 0,
    firstSequence: 20,
    lastSequence: 59,
    nextSequence: 60,
    repeated: 0,
    ended: 'complete',
  })
})

test('R1 by default it ends with the last message stored when it began, though more keep coming', async () => {
  const stream = await filled(50)
  const connection = await sharedConnection()
  const { lines } = await replayLines({
    stream: stream.name,
    onRange: () => void publishAll(connection, stream, [Paid({ order: 'late', amount: 1 })]),
    pace: { kind: 'factor', factor: 0.5, by: 'stored' },
  })
  assert.equal(sequences(lines), span(1, 50))
})

test('from a time it begins with the first event stored at or after it', async () => {
  const stream = await filled(10)
  await new Promise((resolve) => setTimeout(resolve, 20))
  const time = Date.now()
  await publishAll(await sharedConnection(), stream, [Paid({ order: 'a', amount: 1 }), Sent({ order: 'a' })])
  const { lines, result } = await replayLines({ stream: stream.name, from: { kind: 'time', time } })
  assert.equal(sequences(lines), [11, 12])
  assert.is(result.firstSequence, 11)
  const future = await replayLines({ stream: stream.name, from: { kind: 'time', time: Date.now() + 3_600_000 } })
  assert.is(future.result.delivered, 0)
  const typed = await replayLines({ stream: stream.name, from: { kind: 'time', time }, types: ['order.sent'] })
  assert.equal(sequences(typed.lines), [12])
})

test('of one type or of some, with wildcards, it says beforehand how many there are', async () => {
  const stream = await filled(30)
  const totals: (number | undefined)[] = []
  const only = async (types: string[], to?: number) => {
    const { lines } = await replayLines({
      stream: stream.name,
      types,
      to,
      onRange: ({ of }) => totals.push(of),
    })
    return sequences(lines)
  }
  const sent = span(1, 30).filter((n) => n % 3 === 0)
  assert.equal(await only(['order.sent']), sent)
  assert.equal(
    await only(['order.sent'], 17),
    sent.filter((n) => n <= 17),
  )
  assert.equal(await only(['order.sent', 'order.paid'], 29), span(1, 29))
  assert.equal(await only(['order.*']), span(1, 30))
  assert.equal(await only(['nothing.like-it']), [])
  assert.equal(totals, [10, 5, 29, 30, 0])
})

test('two parts replay what the whole does, wherever it is cut', async () => {
  const stream = await filled(60)
  const whole = await replayLines({ stream: stream.name, types: ['order.paid'] })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 59 }), fc.boolean(), async (cut, byLimit) => {
      const options = { stream: stream.name, types: ['order.paid'] }
      const first = await replayLines(byLimit ? { ...options, limit: Math.ceil(cut / 2) } : { ...options, to: cut })
      const rest = await replayLines({ ...options, from: { kind: 'sequence', sequence: first.result.nextSequence } })
      assert.is(first.text + rest.text, whole.text)
      assert.is(rest.result.nextSequence, 61)
    }),
    { numRuns: 15 },
  )
})

test('interrupted at any message, it goes on from where it says', async () => {
  const stream = await filled(3_000)
  const connection = await sharedConnection()
  const stop = new AbortController()
  const first = memorySink(async (messages) => {
    if ((messages.at(-1)?.sequence ?? 0) > 400) stop.abort()
    await new Promise((resolve) => setTimeout(resolve, 1))
  })
  const common = { connection, clock: systemClock, stream: stream.name, credit: 100 }
  const begun = await replay({
    ...common,
    sink: first,
    from: { kind: 'sequence', sequence: 1 },
    signal: stop.signal,
  })
  assert.is(begun.ended, 'interrupted')
  assert.ok(begun.delivered > 400 && begun.delivered < 3_000, String(begun.delivered))
  const second = memorySink()
  const rest = await replay({ ...common, sink: second, from: { kind: 'sequence', sequence: begun.nextSequence } })
  assert.is(rest.ended, 'complete')
  assert.equal([...first.sequences, ...second.sequences], span(1, 3_000))
  assert.equal([first.ended, second.ended], [1, 1])
})

test('R2 a slow sink holds the server back: never more than the credit in hand', async () => {
  const stream = await filled(2_000)
  let inHand = 0
  let most = 0
  let open = 0
  const sink = memorySink(async (messages) => {
    open += 1
    assert.is(open, 1, 'one batch at a time')
    most = Math.max(most, messages.length)
    inHand += messages.length
    await new Promise((resolve) => setTimeout(resolve, 2))
    inHand -= messages.length
    open -= 1
  })
  const result = await replay({
    connection: await sharedConnection(),
    clock: systemClock,
    stream: stream.name,
    from: { kind: 'sequence', sequence: 1 },
    credit: 64,
    sink,
  })
  assert.is(result.delivered, 2_000)
  assert.is(inHand, 0)
  assert.ok(most <= 64, `${most} at once`)
})

test('R3 it ends although the end of its range was deleted while it was read', async () => {
  const stream = await filled(40)
  const connection = await sharedConnection()
  const taken: number[] = []
  const end = await readRange(connection, {
    stream: stream.name,
    filters: [],
    first: 1,
    last: 40,
    credit: 10,
    clock: systemClock,
    take: async (messages) => {
      if (taken.length === 0) await connection.manager.streams.purge(stream.name, { seq: 40 })
      taken.push(...messages.map(({ sequence }) => sequence))
      if (taken.includes(40)) return
      await connection.manager.streams.purge(stream.name)
    },
  })
  assert.is(end, 'complete')
  assert.ok(taken.length < 40)
})

test('it follows the stream until it is stopped', async () => {
  const stream = await filled(5)
  const connection = await sharedConnection()
  const stop = new AbortController()
  const sink = memorySink()
  const following = replay({
    connection,
    clock: systemClock,
    stream: stream.name,
    from: { kind: 'sequence', sequence: 4 },
    follow: true,
    sink,
    signal: stop.signal,
  })
  await eventually('caught up', () => sink.sequences.length === 2 || undefined)
  await publishAll(connection, stream, [Paid({ order: 'a', amount: 1 })])
  await eventually('the new one', () => sink.sequences.length === 3 || undefined)
  stop.abort()
  const result = await following
  assert.equal(sink.sequences, [4, 5, 6])
  assert.equal([result.ended, result.nextSequence], ['interrupted', 7])
})

test('with a speed it sleeps for the spacing of the events, and a stop ends the sleep', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const day = 86_400_000
  await publishAll(
    connection,
    stream,
    [0, 1, 2].map((n) => Paid({ order: 'a', amount: n }, { time: Date.UTC(2020, 0, 1) + n * day })),
  )
  const clock = sleepingClock()
  const { result } = await replayLines({
    stream: stream.name,
    clock,
    pace: { kind: 'factor', factor: 1_000, by: 'event' },
  })
  assert.is(result.delivered, 3)
  assert.is(Math.round(clock.slept.reduce((sum, ms) => sum + ms, 0)), (2 * day) / 1_000)

  const stop = new AbortController()
  const stopped = await replayLines({
    stream: stream.name,
    pace: { kind: 'factor', factor: 1, by: 'event' },
    signal: stop.signal,
    onProgress: ({ delivered }) => void (delivered === 1 && stop.abort()),
  })
  assert.equal([stopped.result.delivered, stopped.result.ended], [1, 'interrupted'])
})

test('what the sink throws ends it, and the sink is given back what it holds', async () => {
  const stream = await filled(10)
  const sink = memorySink(async () => {
    throw new Error('disk full')
  })
  const connection = await sharedConnection()
  const from = { kind: 'sequence', sequence: 1 } as const
  try {
    await replay({ connection, clock: systemClock, stream: stream.name, from, sink })
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'disk full')
  }
  assert.is(sink.ended, 1)
})

test('nothing stays on the server', async () => {
  const stream = await filled(10)
  await replayLines({ stream: stream.name, to: 5, types: ['order.paid'] })
  const connection = await sharedConnection()
  await eventually('no consumer left', async () => {
    const { state } = await connection.manager.streams.info(stream.name)
    return state.consumer_count === 0 || undefined
  })
})

test('progress tells how much of how much, and how fast', async () => {
  const stream = await filled(20)
  const seen: unknown[] = []
  await replayLines({ stream: stream.name, to: 10, onProgress: (progress) => seen.push({ ...progress, rate: 0 }) })
  const end = { delivered: 10, rejected: 0, messages: 10, of: 10, rate: 0, sequence: 10, next: 11, repeated: 0 }
  assert.equal(seen.at(-1), end)
})

test.run()
