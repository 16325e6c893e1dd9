// What a stream's retention, a purge, a deleted consumer or a replaced stream does to processors that have run before.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { readLast } from '../../src/broker/last-message.ts'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import { processorId, unitId, type Logic, type Memory, type Processor } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { High, processors, readings, registry } from '../support/kill-fixture.ts'
import { failure, runAndCrash, start, stored } from './running.ts'

const test = suite('retention')

/** Puts out one event for each it reads, and counts them: state that must survive. */
function counting(base: Processor): Processor {
  const begin = (memory: Memory): Logic => {
    let count = memory.kind === 'snapshot' ? (memory.state as number) : 0
    return {
      turn: (event) => {
        count += 1
        return [High({ machine: String(event.key), value: count })]
      },
      snapshot: () => count,
      stop: () => undefined,
    }
  }
  return { ...base, kind: 'rule', name: 'counting', memory: 'snapshot', start: begin }
}

/** A clock on which everything comes sooner; waiting for a snapshot of an idle processor takes a second. */
function hurried(times: number): Clock {
  return {
    now: systemClock.now,
    monotonic: () => systemClock.monotonic() * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
    after: (ms, fn) => systemClock.after(ms / times, fn),
    every: (ms, fn) => systemClock.every(ms / times, fn),
  }
}

async function recordOf(stream: string, processor: Processor) {
  const subject = commitSubject(stream, processorId(processor), 'all')
  const last = await readLast(await sharedConnection(), stream, subject)
  return last === undefined ? undefined : decodeCommitRecord(last.data, subject)
}

test('C2 a commit record outlives the age at which events are deleted: nothing is put out twice', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { retention: { maxAge: '1h' }, duplicateWindow: '1s' })
  // not before the events are handled, however long that takes
  const maxAge = (seconds: number) =>
    connection.manager.streams.update(stream.name, { max_age: seconds * 1_000_000_000 })
  const processor = counting((processors(stream) as [Processor, Processor])[0])
  await publishAll(connection, stream, readings(20))
  await runAndCrash({ ...processor, memory: 'none' }, 20)
  await maxAge(1)
  await eventually('events deleted by age', async () => {
    const { state } = await connection.manager.streams.info(stream.name)
    return state.messages <= 2
  })
  await maxAge(3_600)
  const { run } = await start(connection, { ...processor, memory: 'none' })
  assert.is(run.position > 0, true)
  await publishAll(connection, stream, readings(5))
  await eventually('the new ones', () => run.counts.turns === 25)
  await run.stop()
  assert.is((await stored(connection, stream, High.type)).length, 5)
})

test('C3 a processor whose record was purged is refused, not begun anew', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const [processor] = processors(stream) as [Processor, Processor]
  await publishAll(connection, stream, readings(20))
  await runAndCrash(processor, 20)
  const filter = commitSubject(stream.name, processorId(processor), 'all')
  await connection.manager.streams.purge(stream.name, { filter })
  assert.is((await failure(connection, processor)).code, 'COMMIT_RECORD_GONE')
})

test('F4 K1 a consumer that was deleted and made again by the feed can still be taken back to the snapshot', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = counting((processors(stream) as [Processor, Processor])[0])
  await publishAll(connection, stream, readings(50))
  const { run } = await start(connection, processor)
  await eventually('half', () => run.counts.turns === 50)
  await connection.manager.consumers.delete(stream.name, unitId(processor, 'all'))
  await publishAll(connection, stream, readings(50))
  await eventually('all', () => run.counts.turns === 100, 60_000)
  const { run: heir } = await start(connection, processor)
  await publishAll(connection, stream, readings(1))
  await eventually('the heir goes on', () => heir.counts.turns === 101)
  await heir.stop()
  const values = (await stored(connection, stream, High.type)).map(({ data }) => data['value'])
  assert.equal(
    values,
    Array.from({ length: 101 }, (_, at) => at + 1),
  )
})

test('K1 an idle processor gets its snapshot, so that old events are not needed any more', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = counting((processors(stream) as [Processor, Processor])[0])
  await publishAll(connection, stream, readings(7))
  const run = await ProcessorRun.start(processor, {
    connection,
    registry,
    clock: hurried(20),
    log: silentLog,
    owner: 'idle',
    onFailure: (error) => assert.unreachable(error.message),
  })
  const record = await eventually('a snapshot without a stop', async () => {
    const found = await recordOf(stream.name, processor)
    // on this clock a pause of the process looks like idleness, in the midst of the seven
    return found?.snapshot?.position === 7 ? found : undefined
  })
  assert.equal([record.position, record.turnsToReplay], [7, 0])
  await run.stop()
})

test('K1 K3 a backlog does not keep a processor from its snapshots', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = counting((processors(stream) as [Processor, Processor])[0])
  await publishAll(connection, stream, readings(60_000))
  const { run } = await start(connection, processor)
  let most = 0
  await eventually(
    'the backlog is done',
    async () => {
      most = Math.max(most, (await recordOf(stream.name, processor))?.turnsToReplay ?? 0)
      return run.counts.turns === 60_000
    },
    240_000,
  )
  await run.stop()
  assert.ok(most < 50_000, `${most} turns to replay`)
})

test('a stream that was made again under the same name is refused', async () => {
  const connection = await sharedConnection()
  const input = await freshStream(connection)
  const output = await freshStream(connection)
  const [base] = processors(input) as [Processor, Processor]
  const processor = { ...base, to: { stream: output } }
  await publishAll(connection, input, readings(20))
  await runAndCrash(processor, 20)
  const { config } = await connection.manager.streams.info(input.name)
  await connection.manager.streams.delete(input.name)
  await connection.manager.streams.add(config)
  await publishAll(connection, input, readings(30))
  assert.is((await failure(connection, processor)).code, 'STREAM_REPLACED')
})

test.run()
