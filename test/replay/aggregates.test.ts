// Replays and backtests by type, of a stream that holds what aggregates decided: a record has events of several types.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EventStore } from '../../src/actor/event-store.ts'
import { recordStream } from '../../src/actor/record-stream.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { resolveRange } from '../../src/replay/replay-range.ts'
import { subjectSink } from '../../src/replay/subject-sink.ts'
import { resolveTarget } from '../../src/replay/subject-target.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { liveOf, readings, ruleOf, runLive, surgeText, tested } from '../support/backtests.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Paid, replayLines, Sent } from '../support/replays.ts'

const test = suite('a replay of aggregates')

const connection = await sharedConnection()
const paid = (order: string, amount: number): EventDraft => Paid({ order, amount })
const sent = (order: string): EventDraft => Sent({ order })

/** Records of several events and types, and events that stand alone. */
async function mixed(): Promise<StreamDeclaration> {
  const stream = recordStream(await freshStream(connection))
  const store = new EventStore(connection, { stream, events: [Paid, Sent] })
  await store.append('order', 'a', 'none', [paid('a', 1), sent('a'), paid('a', 2)])
  await publishAll(connection, stream, [sent('alone'), paid('alone', 3)])
  await store.append('order', 'b', 'none', [sent('b')])
  await store.append('order', 'a', 3, [sent('a'), paid('a', 4)])
  return stream
}

const typesOf = (lines: readonly Record<string, unknown>[]): unknown[] => lines.map(({ type }) => type)
const amountsOf = (lines: readonly Record<string, unknown>[]): unknown[] =>
  lines.map(({ data }) => (data as { amount?: number }).amount)

test('R1 by type it delivers the events of records too, in their order, and no others', async () => {
  const { name: stream } = await mixed()
  const all = await replayLines({ stream })
  assert.is(all.result.delivered, 8)
  const some = await replayLines({ stream, types: ['order.paid'] })
  assert.equal(amountsOf(some.lines), [1, 2, 3, 4])
  assert.is(some.result.delivered, 4)
  const wild = await replayLines({ stream, types: ['*.sent', 'nothing.at.all'] })
  assert.equal(
    typesOf(wild.lines),
    Array.from({ length: 4 }, () => 'order.sent'),
  )
  assert.equal((await replayLines({ stream, types: ['order.lost'] })).lines, [])
  // two replays, up to somewhere and from there on, deliver what one does
  const { result, lines } = await replayLines({ stream, types: ['order.paid'], limit: 1 })
  const rest = await replayLines({
    stream,
    types: ['order.paid'],
    from: { kind: 'sequence', sequence: result.nextSequence },
  })
  assert.equal(amountsOf([...lines, ...rest.lines.slice(result.repeated)]), [1, 2, 3, 4])
})

test('of a record whose other events are not wanted, a sink that takes packs whole is given those that are', async () => {
  const { name: stream } = await mixed()
  const copy = await freshStream(connection)
  const target = await resolveTarget(connection, stream, `${copy.root}.>`)
  const sink = subjectSink({ connection, clock: systemClock, stream, target })
  await replayLines({ stream, types: ['order.paid'], sink })
  const copied = await readAll(connection, copy.name, [`${copy.root}.>`])
  assert.equal(
    copied.map(({ subject }) => subject.split('.').slice(2).join('.')),
    Array.from({ length: 4 }, () => 'order.paid'),
  )
})

test('a stream without aggregates is read by its subjects, type for type', async () => {
  const stream = await freshStream(connection)
  await publishAll(connection, stream, [paid('a', 1), sent('a')])
  const from = { kind: 'sequence', sequence: 1 } as const
  const range = await resolveRange(connection, { stream: stream.name, from, types: ['order.paid', 'order.sent'] })
  assert.is(range.wants, undefined)
  assert.is(range.filters.length, 2)
})

test('BT1 a backtest finds in records what the rule found live', async () => {
  const stream = recordStream(await freshStream(connection))
  const all = readings(300)
  const store = new EventStore(connection, { stream, events: [Sent] })
  for (let at = 0; at < all.length; at += 3)
    await store.append('line', 'one', 'any', [sent('before'), ...all.slice(at, at + 3), sent('after')])
  const rule = ruleOf(surgeText(stream.name, { fields: 'grace: 500ms' }))
  await runLive(rule, stream)
  const result = await tested(rule, { against: liveOf(rule, stream) })
  assert.ok((result.live?.common ?? 0) > 20, `${result.live?.common} in common`)
  const { common, otherwise, onlyHere, onlyThere } = result.live ?? {}
  assert.equal([common, otherwise, onlyHere, onlyThere], [result.pass.counts.matches, 0, 0, 0])
  assert.is(result.events, all.length)
})

test.run()
