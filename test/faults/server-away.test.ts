// The server goes away for ten seconds, or stops answering for longer than pings allow, while events are published and
// processed. Both outages run side by side on servers of their own, so that the tests wait once.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { processors, Reading, registry } from '../support/kill-fixture.ts'
import { ownServer, type OwnServer } from '../support/nats.ts'

const test = suite('a server that is away')

const EVENTS = 6_000
/** Readings of 20 machines with times of their own, so that what comes of them does not depend on when they are stored. */
const readings = Array.from({ length: EVENTS }, (_, i) =>
  Reading(
    { machine: `m${i % 20}`, value: (i * 37 + Math.floor(i / 20) * 11) % 100 },
    { time: Date.UTC(2026, 0, 1) + i * 5 },
  ),
)

interface Outcome {
  readonly stored: readonly number[]
  readonly high: readonly number[]
  readonly alarms: number
  /** Ids that are there twice, each with the sequences at which it is stored and when. */
  readonly doubled: readonly string[]
  readonly failures: readonly MillraceError[]
  readonly awayMs: number
  readonly resumedMs: number
}

function valueOf(data: Uint8Array): number {
  return (JSON.parse(Buffer.from(data).toString()) as { value: number }).value
}

async function live(outage: (server: OwnServer) => Promise<void>): Promise<Outcome> {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const failures: MillraceError[] = []
  const options = { connection, registry, clock: systemClock, log: silentLog, owner: 'test' }
  const onFailure = (error: MillraceError): void => void failures.push(error)
  const runs: ProcessorRun[] = []
  for (const processor of processors(stream)) runs.push(await ProcessorRun.start(processor, { ...options, onFailure }))
  const done = (count: number) => () => failures.length > 0 || runs.every(({ counts }) => counts.turns >= count)
  await publishAll(connection, stream, readings.slice(0, 2_000))
  await eventually('a beginning', done(500))
  const began = performance.now()
  const publishing = publishAll(connection, stream, readings.slice(2_000))
  await outage(server)
  const back = performance.now()
  await publishing
  await eventually('all processed', done(EVENTS), 60_000)
  const resumedMs = performance.now() - back
  for (const run of runs) await run.stop()
  const of = (type: string) => readAll(connection, stream.name, [storedFilter(stream.root, type)])
  const [stored, high, alarms] = [await of('reading.taken'), await of('reading.high'), await of('machine.alarmed')]
  const byId = new Map<string, string>()
  for (const { headers, sequence, storedAt } of [...stored, ...high, ...alarms]) {
    const id = headers.get('ce-id') ?? ''
    byId.set(id, `${byId.get(id) ?? id} ${sequence}@${storedAt}`)
  }
  return {
    stored: stored.map(({ data }) => valueOf(data)),
    high: high.map(({ data }) => valueOf(data)),
    alarms: alarms.length,
    doubled: [...byId.values()].filter((places) => places.split(' ').length > 2),
    failures,
    awayMs: back - began,
    resumedMs,
  }
}

let uninterrupted: Promise<Outcome>
let away: Promise<Outcome>
let silent: Promise<Outcome>

test.before(() => {
  uninterrupted = live(async () => {})
  away = live(async (server) => {
    await server.kill()
    await systemClock.sleep(10_000)
    await server.restart()
  })
  silent = live(async (server) => {
    server.pause()
    await systemClock.sleep(16_000)
    server.resume()
  })
  // a test awaits each; until then a rejection is not unhandled
  for (const outcome of [uninterrupted, away, silent]) outcome.catch(() => undefined)
})

function everythingOnce(outcome: Outcome, expected: Outcome): void {
  assert.equal(outcome.failures, [])
  assert.equal(outcome.doubled, [])
  assert.equal(
    outcome.stored,
    readings.map(({ data }) => data.value),
  )
  assert.equal(outcome.high, expected.high)
  assert.is(outcome.alarms, expected.alarms)
  assert.ok(outcome.resumedMs < 30_000, `${outcome.resumedMs} ms until everything was processed`)
}

test('nothing happens: this is what the others are compared with', async () => {
  const outcome = await uninterrupted
  everythingOnce(outcome, outcome)
  assert.equal(
    outcome.high,
    readings.map(({ data }) => data.value).filter((value) => value > 90),
  )
  assert.ok(outcome.alarms > 0)
})

test('P2 F4 C2 killed for ten seconds while publishing and consuming: every event and every output once', async () => {
  const outcome = await away
  assert.ok(outcome.awayMs >= 10_000)
  everythingOnce(outcome, await uninterrupted)
})

test('P2 F4 C2 silent for longer than pings allow: every event and every output once', async () => {
  const outcome = await silent
  assert.ok(outcome.awayMs >= 16_000)
  everythingOnce(outcome, await uninterrupted)
})

test.run()
