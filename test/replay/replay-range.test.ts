import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { resolveRange, type RangeNotice, type RangeRequest } from '../../src/replay/replay-range.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { Paid, replayLines } from '../support/replays.ts'

const test = suite('the range of a replay')

async function stored(count: number): Promise<string> {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(
    connection,
    stream,
    Array.from({ length: count }, (_, n) => Paid({ order: 'a', amount: n })),
  )
  return stream.name
}

async function refusal(request: RangeRequest): Promise<MillraceError> {
  try {
    await resolveRange(await sharedConnection(), request)
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('it was taken')
}

function from(sequence: number) {
  return { kind: 'sequence', sequence } as const
}

test('a range that cannot be is refused with the reason', async () => {
  const stream = await stored(10)
  const cases: readonly [Omit<RangeRequest, 'stream'>, string, string][] = [
    [{ from: from(0) }, 'REPLAY_RANGE_INVALID', 'the start 0 is not a sequence'],
    [{ from: from(1.5) }, 'REPLAY_RANGE_INVALID', 'not a sequence'],
    [{ from: from(1), to: 0 }, 'REPLAY_RANGE_INVALID', 'the end 0'],
    [{ from: from(8), to: 7 }, 'REPLAY_RANGE_INVALID', 'ends at 7, before it begins at 8'],
    [{ from: from(12) }, 'REPLAY_RANGE_INVALID', 'ends at 10'],
    [{ from: from(1), to: 5, follow: true }, 'REPLAY_RANGE_INVALID', 'has no end'],
    [{ from: from(1), types: ['order.paid', 'order.*'] }, 'REPLAY_RANGE_INVALID', 'overlap'],
    [{ from: from(1), types: ['order..paid'] }, 'SUBJECT_INVALID', 'order..paid'],
  ]
  for (const [request, code, detail] of cases) {
    const error = await refusal({ stream, ...request })
    assert.is(error.code, code, JSON.stringify(request))
    assert.ok(error.detail.includes(detail), error.detail)
  }
})

test('an unknown stream is named together with the one that was probably meant', async () => {
  const stream = await stored(1)
  const error = await refusal({ stream: `${stream}x`, from: from(1) })
  assert.is(error.code, 'STREAM_NOT_FOUND')
  assert.ok(error.detail.includes('did you mean'), error.detail)
})

test('what is gone is left out with a notice, and so is what is not there yet', async () => {
  const stream = await stored(10)
  await (await sharedConnection()).manager.streams.purge(stream, { seq: 4 })
  const notices: RangeNotice[] = []
  const { result } = await replayLines({ stream, to: 99, onRange: (range) => notices.push(...range.notices) })
  assert.equal([result.firstSequence, result.delivered, result.nextSequence], [4, 7, 11])
  assert.equal(notices, [
    { kind: 'begins-later', asked: 1, first: 4 },
    { kind: 'ends-earlier', asked: 99, last: 10 },
  ])
  const error = await refusal({ stream, from: from(1), to: 3 })
  assert.match(error.detail, 'begins at 4')
})

test('an empty range is complete at once: an empty stream, or one that was replayed to its end', async () => {
  const empty = await stored(0)
  assert.is((await replayLines({ stream: empty })).result.ended, 'complete')
  const stream = await stored(3)
  const { result } = await replayLines({ stream, from: from(4) })
  assert.equal([result.delivered, result.ended, result.nextSequence], [0, 'complete', 4])
})

test('a stream that Millrace did not lay out is replayed whole, and not by type', async () => {
  const connection = await sharedConnection()
  const name = `FOREIGN-${process.pid}`
  await connection.manager.streams.add({ name, subjects: [`foreign-${process.pid}.>`] })
  connection.nats.publish(`foreign-${process.pid}.a`, '{"x":1}')
  await connection.nats.flush()
  const rejected = await replayLines({ stream: name })
  assert.equal([rejected.result.delivered, rejected.result.rejected, rejected.result.nextSequence], [0, 1, 2])
  assert.match((await refusal({ stream: name, from: from(1), types: ['a.b'] })).detail, 'not laid out by Millrace')
})

test.run()
