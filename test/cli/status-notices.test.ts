import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { printStatus, statusJson } from '../../src/cli/status/print-status.ts'
import { readStatus, type ProcessorStatus, type Status } from '../../src/cli/status/read-status.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { rulesProcessor } from '../../src/pipeline/rules-processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { memoryOutput } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { alarmRule, Reading, registry } from '../support/kill-fixture.ts'

const test = suite('cli: status of what processors passed over')

function printed(status: Status): string {
  const out = memoryOutput()
  printStatus(out, status, 0)
  return out.text()
}

test('a line per processor that passed something over, and none for the others', () => {
  const run = (processor: string, notices: Readonly<Record<string, number>>): ProcessorStatus => ({
    kind: 'run',
    processor,
    from: 'S',
    position: 1,
    lag: 0,
    turns: 1,
    outputs: 0,
    deadLetters: 0,
    parked: 0,
    notices,
    owner: 'o',
    generation: 1,
    units: [],
    committedAt: 0,
    isOtherVersion: false,
    waitsFor: [],
  })
  const around = {
    server: { version: '2', url: 'u' },
    streams: [],
    rules: [],
    handlers: [],
    jobs: [],
    outboxes: [],
    schedules: [],
    edges: [],
    deadLetters: 0,
  }
  const quiet = printed({ ...around, processors: [run('rule-a', {}), run('rule-b', { late: 0 })] })
  assert.not.match(quiet, /^rule-.:/m)
  const text = printed({
    ...around,
    processors: [run('rule-a', {}), run('rule-b', { late: 1_204, droppedMatches: 3 })],
  })
  assert.match(text, /^rule-b: 1,204 late, 3 dropped matches$/m)
  assert.not.match(text, /^rule-a:/m)
})

test('late events of a rule on a stream are in status, for people and as JSON', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const rule = alarmRule(stream.name)
  const now = Date.now()
  const reading = (time: number) => Reading({ machine: 'm', value: 50 }, { time })
  await publishAll(connection, stream, [now, now - 60_000, now - 5_000, now - 30_000].map(reading))
  const run = await ProcessorRun.start(rulesProcessor({ registry, from: stream, to: stream, fixed: [rule] }), {
    connection,
    registry,
    clock: systemClock,
    log: silentLog,
    owner: 'test',
    onFailure: (error) => assert.unreachable(error.message),
  })
  await eventually('4 turns', () => run.counts.turns >= 4 || undefined)
  await run.stop()
  const deployment = {
    folder: '',
    streams: [stream],
    registry,
    pipelines: [],
    rules: [{ file: '', rule }],
    actors: [],
    homes: new Map(),
  }
  const status = await readStatus(connection, systemClock, deployment)
  assert.match(printed(status), new RegExp(`^rules-${stream.name}: 2 late$`, 'm'))
  assert.match(printed(status), /^rule alarm: 2 late$/m)
  assert.match(printed(status), /^alarm +rules-\S+ +at-work +code +0 +2 +0 +0 +0$/m)
  const json = statusJson(status, Date.now()) as {
    processors: { processor: string; notices?: object }[]
    rules: { rule: string; passedOver?: object; since?: number }[]
  }
  assert.equal(json.processors.find(({ processor }) => processor === `rules-${stream.name}`)?.notices, { late: 2 })
  assert.equal(
    json.rules.map(({ rule, passedOver, since }) => ({ rule, passedOver, since })),
    [{ rule: 'alarm', passedOver: { late: 2 }, since: 0 }],
  )
})

test.run()
