import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../../src/broker/publish-once.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import { decodeEvents } from '../../../src/event/decode-event.ts'
import { storedFilter } from '../../../src/event/subject.ts'
import { backtestReport, isSame } from '../../../src/replay/backtest/report.ts'
import type { BacktestResult } from '../../../src/replay/backtest/backtest-result.ts'
import { freshStream, sharedConnection } from '../../support/broker.ts'
import { liveOf, reading, readings, ruleOf, runLive, START, surgeText, tested, told } from '../../support/backtests.ts'
import { publishAll, readAll } from '../../support/events.ts'
import { registry } from '../../support/kill-fixture.ts'

const test = suite('a backtest')

function reportOf(result: BacktestResult) {
  return backtestReport(result, {
    file: undefined,
    text: undefined,
    against: undefined,
    withName: 'it',
    buckets: 60,
    why: new Map(),
  })
}

async function filled(drafts = readings(600)) {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, drafts)
  return stream
}

test('BT1 finds what the rule found live over the same events, late events among them', async () => {
  const stream = await filled()
  const rule = ruleOf(surgeText(stream.name, { fields: 'grace: 500ms' }))
  await runLive(rule, stream)
  const result = await tested(rule, { against: liveOf(rule, stream) })
  assert.ok(result.pass.counts.late > 10, 'some are late')
  assert.ok((result.live?.common ?? 0) > 50, `${result.live?.common} in common`)
  assert.equal(
    { ...result.live, examples: undefined, reached: undefined },
    {
      common: result.pass.counts.matches,
      otherwise: 0,
      onlyHere: 0,
      onlyThere: 0,
      ahead: 0,
      reached: undefined,
      examples: undefined,
    },
  )
  assert.ok(isSame(reportOf(result)))
})

test('BT1 finds what the rule finds in memory, in the same order', async () => {
  const stream = await filled()
  const rule = ruleOf(surgeText(stream.name, { fields: 'lateness: 2s\nskip: past-last' }))
  const messages = await readAll(await sharedConnection(), stream.name, [storedFilter(stream.root, 'reading.taken')])
  const events = messages.flatMap((message) =>
    decodeEvents(registry, message, { ...message, stream: stream.name }).flatMap((one) =>
      one.kind === 'event' ? one.event : [],
    ),
  )
  const { matches } = runRule(rule, events)
  const result = await tested(rule)
  const expected = matches.map(({ key, time, events: taken }) => {
    return `${key} ${taken.map(({ sequence }) => sequence).join('-')} at ${time - START}`
  })
  assert.ok(expected.length > 50)
  const found = told(result)
  // in memory, what waits for late events is let through at the end; on a stream it waits until its clock has moved on
  assert.ok(found.length > expected.length - 10)
  assert.equal(found, expected.slice(0, found.length))
})

test('BT1 an absence that only time ends is found, when the stream has come to it', async () => {
  const text = (stream: string) => `rule: silent
on: ${stream}
key: data.machine
sequence:
  - low: { event: reading.taken, where: data.value < 30 }
  - not: { event: reading.taken, where: data.value > 60 }
within: 1s
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: low.data.value } }
`
  const begin = async () => {
    const began = performance.now()
    const stream = await filled([reading('b', 10, 0), reading('b', 90, 400), reading('a', 10, 500)])
    const rule = { ...ruleOf(text(stream.name)), idle: 200 }
    const found = told(await tested(rule))
    return { stream, rule, found, ms: performance.now() - began }
  }
  let begun = await begin()
  // within the second that it is about, or again: a machine may be busy
  for (let tries = 1; begun.ms >= 1_000 && tries < 10; tries++) begun = await begin()
  const { stream, rule, found } = begun
  assert.equal(found, [], 'the clock of the stream has hardly moved')
  await new Promise((resolve) => setTimeout(resolve, 1_300))
  assert.equal(told(await tested(rule)), ['a 3 at 1500'])
  await publishAll(await sharedConnection(), stream, [reading('c', 50, 600)])
  const before = await tested(rule, { to: { kind: 'sequence', sequence: 3 } })
  assert.equal(told(before), ['a 3 at 1500'], 'until the next message was stored')
  assert.equal(told(await tested(rule, { from: { kind: 'sequence', sequence: 4 } })), [], 'it was before the range')
})

test('BT2 nothing is published, no sequence moves, and no consumer is left', async () => {
  const stream = await filled()
  const connection = await sharedConnection()
  const rule = ruleOf(surgeText(stream.name))
  const before = await connection.manager.streams.info(stream.name)
  const result = await tested(rule, { from: { kind: 'sequence', sequence: 300 } })
  assert.ok(result.matches.length > 0)
  const after = await connection.manager.streams.info(stream.name)
  assert.equal({ ...after.state, consumer_count: 0 }, { ...before.state, consumer_count: 0 })
  const consumers = await connection.manager.consumers.list(stream.name).next()
  assert.is(consumers.filter(({ config }) => config.durable_name !== undefined).length, 0)
})

test('BT3 a range finds what the whole finds in it: what began before it too, and nothing of before', async () => {
  const stream = await filled()
  const rule = ruleOf(surgeText(stream.name))
  const all = await tested(rule)
  const from = { kind: 'sequence', sequence: 301 } as const
  const to = { kind: 'sequence', sequence: 450 } as const
  const part = await tested(rule, { from, to })
  const within = all.matches.filter(({ at }) => at >= 301 && at <= 450).length
  assert.is(part.matches.length, within)
  assert.equal(told(part), told({ ...all, matches: all.matches.filter(({ at }) => at >= 301 && at <= 450) }))
  assert.ok(
    part.matches.some(({ match }) => match.first.sequence < 301),
    'some began before',
  )
  assert.is(part.events, 150)
  assert.ok(part.before.events > 0 && part.before.matches > 0)
  const cold = await tested(rule, { from, to, warmUp: 0 })
  assert.ok(cold.matches.every(({ match }) => match.first.sequence >= 301))
  assert.is(cold.plan.isWarm, false)
})

test('ranges one after the other find together what one of the whole finds', async () => {
  const stream = await filled()
  const rule = ruleOf(surgeText(stream.name, { fields: 'skip: past-last' }))
  const all = told(await tested(rule))
  const parts: string[] = []
  for (let first = 1; first <= 600; first += 150) {
    const range = {
      from: { kind: 'sequence', sequence: first },
      to: { kind: 'sequence', sequence: first + 149 },
    } as const
    parts.push(...told(await tested(rule, { ...range, warmUp: Number.POSITIVE_INFINITY })))
  }
  assert.equal(parts, all)
})

test('against another rule, in one pass: what both find, and what only one finds', async () => {
  const stream = await filled()
  const rule = ruleOf(surgeText(stream.name, { high: 60 }))
  const other = ruleOf(surgeText(stream.name, { high: 80 }))
  const [alone, otherAlone] = [await tested(rule), await tested(other)]
  const { difference } = await tested(rule, { against: { kind: 'rule', rule: other } })
  const there = new Set(told(otherAlone))
  const common = told(alone).filter((one) => there.has(one)).length
  assert.ok(common > 0 && common < alone.matches.length)
  assert.is(difference?.common, common)
  assert.is((difference?.onlyHere ?? 0) + (difference?.otherwise ?? 0), alone.matches.length - common)
  assert.is((difference?.onlyThere ?? 0) + (difference?.otherwise ?? 0), otherAlone.matches.length - common)
})

test('against a live rule that has changed: the matches of one and of the other', async () => {
  const stream = await filled()
  await runLive(ruleOf(surgeText(stream.name, { high: 80 })), stream)
  const rule = ruleOf(surgeText(stream.name, { high: 60 }))
  const { live, matches } = await tested(rule, { against: liveOf(rule, stream) })
  assert.ok(live !== undefined && live.common > 0 && live.onlyHere > 0)
  assert.is(live.common + live.onlyHere, matches.length)
  assert.is(live.onlyThere, 0)
})

test('against a live rule that is behind: what it has not come to is no difference', async () => {
  const stream = await filled()
  const rule = ruleOf(surgeText(stream.name))
  await runLive(rule, stream)
  await publishAll(
    await sharedConnection(),
    stream,
    readings(100).map((draft) => ({ ...draft, time: (draft.time ?? 0) + 600_000 })),
  )
  const { live } = await tested(rule, { against: liveOf(rule, stream) })
  assert.ok((live?.ahead ?? 0) > 0)
  assert.is(live?.onlyHere, 0)
})

test('stopped, it says what it found until then', async () => {
  const stream = await filled()
  const stop = new AbortController()
  const result = await tested(ruleOf(surgeText(stream.name)), { signal: stop.signal, onTaken: () => stop.abort() })
  assert.is(result.ended, 'interrupted')
  assert.is(reportOf(result).complete, false)
})

test('a message that is no event is counted with an example, and the rest goes on', async () => {
  const stream = await filled()
  const connection = await sharedConnection()
  const subject = `${stream.root}.m1.reading.taken`
  await publishOnce(connection, { subject, headers: [], data: Buffer.from('not json') })
  const { rejected, matches } = await tested(ruleOf(surgeText(stream.name)))
  assert.is(rejected.count, 1)
  assert.is(rejected.samples[0]?.sequence, 601)
  assert.ok(matches.length > 0)
})

test.run()
