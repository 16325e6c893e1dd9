import { map, startWith } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { commitSubject, snapshotSubject } from '../../src/broker/system-subject.ts'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import type { EventDraft } from '../../src/event/event.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { Alarm, alarmRule, High, Reading, readings, registry } from '../support/kill-fixture.ts'
import { storedRecord } from './committing.ts'
import { failure, runAndCrash, start, stored } from './running.ts'

const test = suite('recovery of a processor')

function alarm(stream: StreamDeclaration, within = '5s'): Processor {
  const rule = parseRule(
    `rule: alarm
on: ${stream.name}
key: data.machine
sequence:
  - low: { event: reading.taken, where: data.value < 30 }
  - high: { event: reading.taken, where: data.value > 60 }
within: ${within}
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: high.data.value } }
`,
    { file: 'alarm.yaml' },
  )
  return ruleProcessor(rule, registry, { from: stream, to: stream })
}

test('K1 a rule whose text has changed goes on from its position with empty state, and warns', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const warnings: object[] = []
  const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) }
  await publishAll(connection, stream, [Reading({ machine: 'begun', value: 1 })])
  const old = await start(connection, alarm(stream), { log })
  await eventually('begun', () => old.run.counts.turns === 1)
  await old.run.stop()
  assert.equal(warnings, [])

  const changed = await start(connection, alarm(stream, '6s'), { log })
  assert.equal(
    warnings.map(({ ...fields }) => fields),
    [
      {
        processor: 'rule-alarm',
        from: alarm(stream).version,
        to: alarm(stream, '6s').version,
        position: 1,
        upgrade: 'cut',
      },
    ],
  )
  await publishAll(connection, stream, [
    Reading({ machine: 'begun', value: 90 }),
    Reading({ machine: 'new', value: 2 }),
    Reading({ machine: 'new', value: 91 }),
  ])
  await eventually('done', () => changed.run.counts.turns === 4)
  await changed.run.stop()
  assert.equal(
    (await stored(connection, stream, Alarm.type)).map(({ data }) => data['machine']),
    ['new'],
  )
  // and the same text again finds its own state, and nothing to warn of
  const again = await start(connection, alarm(stream, '6s'), { log })
  await again.run.stop()
  assert.is(warnings.length, 1)
})

test('K1 a rule that replays from the beginning or from a snapshot puts nothing out twice, and misses nothing', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const rule = (): Processor => ruleProcessor(alarmRule(stream.name), registry, { from: stream, to: stream })
  const all = readings(900)
  await publishAll(connection, stream, all.slice(0, 300))
  await runAndCrash(rule(), 300) // no snapshot yet
  await publishAll(connection, stream, all.slice(300, 600))
  const second = await start(connection, rule())
  await eventually('second', () => second.run.counts.turns === 600)
  await second.run.stop()
  assert.ok((await storedRecord(connection, stream, 'rule-alarm'))?.snapshot)
  await publishAll(connection, stream, all.slice(600))
  await runAndCrash(rule(), 900)

  const whole = await freshStream(connection)
  await publishAll(connection, whole, all)
  const only = await start(connection, ruleProcessor(alarmRule(whole.name), registry, { from: whole, to: whole }))
  await eventually('only', () => only.run.counts.turns === 900)
  await only.run.stop()
  const data = async (of: StreamDeclaration) => (await stored(connection, of, Alarm.type)).map(({ data }) => data)
  const expected = await data(whole)
  assert.ok(expected.length > 3, `${expected.length} alarms`)
  assert.equal(await data(stream), expected)
})

test('K1 messages that are gone between snapshot and position stop the recovery', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, readings(60))
  await runAndCrash(alarm(stream), 60)
  await connection.manager.streams.purge(stream.name, { seq: 20 })
  const error = await failure(connection, alarm(stream))
  assert.is(error.code, 'MESSAGES_GONE')
  assert.match(error.detail, 'rule-alarm replayed 41 of 60 messages')
})

/** Puts out one event for each reading, with what `value` gives. */
function remembering(stream: StreamDeclaration, value: (turn: number) => number): Processor {
  return {
    kind: 'rule',
    name: 'remembering',
    version: '1',
    from: { stream, types: [Reading.type] },
    to: { stream },
    memory: 'snapshot',
    start(memory) {
      let turns = memory.kind === 'snapshot' ? (memory.state as { turns: number }).turns : 0
      return {
        turn: (): readonly EventDraft[] => [High({ machine: 'm', value: value((turns += 1)) })],
        snapshot: () => ({ turns }),
        stop: () => undefined,
      }
    },
  }
}

test('K1 a processor with memory that gives other outputs than those stored is stopped', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, readings(50))
  await runAndCrash(
    remembering(stream, (turn) => turn),
    50,
  )
  const honest = await start(
    connection,
    remembering(stream, (turn) => turn),
  )
  await eventually('recovered', () => honest.run.state.kind === 'live')
  const error = await failure(
    connection,
    remembering(stream, (turn) => (turn === 31 ? 0 : turn)),
  )
  assert.is(error.code, 'PROCESSOR_NONDETERMINISTIC')
  assert.is((await stored(connection, stream, High.type)).length, 50)
})

test('C3 somebody else’s message on the commit subject stops a processor, at its start and at its next commit', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const subject = commitSubject(stream.name, 'rule-alarm', 'all')
  const { run, failures } = await start(connection, alarm(stream))
  for (const text of ['not JSON', '{"position":1}']) {
    await publishOnce(connection, { subject, headers: [], data: Buffer.from(text) })
    assert.is((await failure(connection, alarm(stream))).code, 'COMMIT_RECORD_INVALID')
  }
  await publishAll(connection, stream, readings(5))
  const error = await eventually('failure', () => failures[0])
  assert.is(error.code, 'COMMIT_RECORD_INVALID')
  assert.is(run.state.kind, 'failed')
})

test('K1 a snapshot of which a chunk is missing or damaged is not taken for state', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, readings(30))
  const { run } = await start(connection, alarm(stream))
  await eventually('done', () => run.counts.turns === 30)
  await run.stop()
  const bytes = (await storedRecord(connection, stream, 'rule-alarm'))?.snapshot?.bytes ?? 0
  const subject = snapshotSubject(stream.name, 'rule-alarm', 'all', 0)
  for (const data of [Buffer.alloc(bytes, 7), Buffer.alloc(bytes + 1)]) {
    await publishOnce(connection, { subject, headers: [], data })
    assert.is((await failure(connection, alarm(stream))).code, 'SNAPSHOT_INVALID')
  }
  await connection.manager.streams.purge(stream.name, { filter: subject })
  const error = await failure(connection, alarm(stream))
  assert.is(error.code, 'SNAPSHOT_INVALID')
  assert.match(error.detail, 'chunk 0 of 1 is missing')
})

test('K2 a pipeline that emits while it is subscribed does not start, and says why', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const eager = definePipeline({
    name: 'eager',
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'stateless' },
    pipeline: (readings$) =>
      readings$.pipe(
        map(({ data }) => High(data)),
        startWith(High({ machine: 'm', value: 0 })),
      ),
  })
  const error = await failure(connection, pipelineProcessor(eager, { from: stream, to: stream }))
  assert.is(error.code, 'EMITTED_OUTSIDE_TURN')
})

test.run()
