// Changed code: what becomes of what the code before it has open. On a real server, with slots.
import { bufferTime, concatMap, filter, map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { ROLLUP_SUBJECT } from '../../src/broker/batch.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { processorId, WHOLE, type Processor } from '../../src/kernel/processor.ts'
import { Shadow } from '../../src/kernel/shadow.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { definePipeline, type PipelineDeclaration, type PipelineOptions } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import { faultOf } from '../support/numbered.ts'
import { eventsOf, publishPacks } from '../support/packs.ts'
import { failure, start, stored } from './running.ts'

const test = suite('changed code')

type Upgrade = PipelineOptions<[typeof Reading]>['upgrade']

/** Counts readings in windows of ten minutes, which no test waits for; `factor` tells the versions apart. */
function counting(stream: StreamDeclaration, version: number, upgrade?: Upgrade): PipelineDeclaration {
  return definePipeline({
    name: 'counting',
    version,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'slots', idle: '11m' },
    ...(upgrade === undefined ? {} : { upgrade }),
    pipeline: (readings$) =>
      readings$.pipe(
        bufferTime(600_000),
        filter((readings) => readings.length > 0),
        map((readings) => High({ machine: readings[0]?.data.machine ?? '', value: version * 1_000 + readings.length })),
      ),
  })
}

const on = (stream: StreamDeclaration, pipeline: PipelineDeclaration): Processor =>
  pipelineProcessor(pipeline, { from: stream, to: stream })

const readings = (machine: string, count: number) =>
  Array.from({ length: count }, (_, value) => Reading({ machine, value }))

/** Runs the first version over some readings and stops it: a window of each machine stays open. */
async function withOpenWindows() {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, [...readings('a', 3), ...readings('b', 2)])
  const { run } = await start(connection, on(stream, counting(stream, 1)))
  await eventually('handled', () => run.counts.turns === 5)
  await run.stop()
  assert.equal(await stored(connection, stream, High.type), [], 'nothing is due')
  return { connection, stream }
}

async function values(stream: StreamDeclaration): Promise<string[]> {
  const outputs = await stored(await sharedConnection(), stream, High.type)
  return outputs.map(({ data }) => `${String(data['machine'])} ${String(data['value'])}`).sort()
}

test('K5 without a word about it, changed code does not start, and loses nothing', async () => {
  const { connection, stream } = await withOpenWindows()
  const error = await failure(connection, on(stream, counting(stream, 2)))
  assert.is(error.code, 'VERSION_CHANGED')
  const { run } = await start(connection, on(stream, counting(stream, 1)))
  await eventually('recovered', () => run.state.kind === 'live')
  await run.stop()
})

test('K5 cut: it begins with empty state at the position', async () => {
  const { connection, stream } = await withOpenWindows()
  const cut = counting(stream, 2, 'cut')
  const first = await start(connection, on(stream, cut))
  await publishAll(connection, stream, readings('a', 4))
  await eventually('handled', () => first.run.counts.turns === 9)
  await first.run.stop()
  // what is open now is ended, to be seen, by draining it
  const { run } = await start(connection, on(stream, counting(stream, 3, { drain: cut })))
  await run.stop()
  assert.equal(await values(stream), ['a 2004'])
})

test('K5 drain: what is open ends under the former code, once, and the changed code begins after it', async () => {
  const { connection, stream } = await withOpenWindows()
  const former = counting(stream, 1)
  const second = counting(stream, 2, { drain: former })
  const drained = await start(connection, on(stream, second))
  assert.equal(await values(stream), ['a 1003', 'b 1002'])
  await publishAll(connection, stream, readings('b', 6))
  await eventually('handled', () => drained.run.counts.turns === 11)
  await drained.run.stop()
  const again = await start(connection, on(stream, second))
  await again.run.stop()
  assert.equal(await values(stream), ['a 1003', 'b 1002'], 'a restart drains nothing twice')
  const third = await start(connection, on(stream, counting(stream, 3, { drain: second })))
  await third.run.stop()
  assert.equal(await values(stream), ['a 1003', 'b 1002', 'b 2006'])
})

test('K5 rebuild: the state is made anew from the log, and takes over where the former code is', async () => {
  const { connection, stream } = await withOpenWindows()
  const former = await start(connection, on(stream, counting(stream, 1)))
  const rebuilding = on(stream, counting(stream, 2, 'rebuild'))
  const options = { connection, registry, clock: systemClock, log: silentLog, owner: 'rebuild' }
  const shadow = new Shadow(rebuilding, options)
  await shadow.caughtUp
  await publishAll(connection, stream, readings('a', 2))
  await eventually('the former code goes on beside it', () => former.run.counts.turns === 7)
  const run = await ProcessorRun.start(rebuilding, { ...options, shadow, onFailure: () => undefined })
  await eventually('fenced', () => former.failures.some((error) => isFault(error, 'PROCESSOR_FENCED')) || undefined)
  await publishAll(connection, stream, readings('a', 1))
  await eventually('handled', () => run.counts.turns === 8)
  await run.stop()
  const again = await ProcessorRun.start(rebuilding, { ...options, onFailure: () => undefined })
  await eventually('recovered', () => again.state.kind === 'live')
  await again.stop()
  const { run: last } = await start(connection, on(stream, counting(stream, 3, { drain: counting(stream, 2) })))
  await last.stop()
  assert.equal(
    await values(stream),
    ['a 2006', 'b 2002'],
    'windows of the new code hold the readings from the beginning',
  )
})

/** Counts readings in windows of a moment, which nothing but time closes here. */
function brief(stream: StreamDeclaration, version: number): Processor {
  return on(
    stream,
    definePipeline({
      name: 'counting',
      version,
      from: { stream: stream.name, events: [Reading] },
      to: { stream: stream.name, events: [High] },
      recovery: { mode: 'slots', idle: '11m' },
      upgrade: 'rebuild',
      pipeline: (readings$) =>
        readings$.pipe(
          bufferTime(100),
          filter((readings) => readings.length > 0),
          map((readings) =>
            High({ machine: readings[0]?.data.machine ?? '', value: version * 1_000 + readings.length }),
          ),
        ),
    }),
  )
}

for (const more of [0, 2])
  test(`K5 rebuild: what time alone has closed under the former code is not put out again, ${more} events later`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    // in one message each, so that they are stored at one time and no window ends between them
    await publishPacks(connection, stream, [eventsOf(readings('a', 3)), eventsOf(readings('b', 2), 4)])
    const { run: former } = await start(connection, brief(stream, 1))
    await eventually('closed', async () => (await values(stream)).length === 2)
    await former.stop()
    if (more > 0) await publishPacks(connection, stream, [eventsOf(readings('c', more), 6)])
    for (let starts = 0; starts < 3; starts++) {
      const { run, failures } = await start(connection, brief(stream, 2))
      await eventually('live', () => failures.length > 0 || run.state.kind === 'live')
      await eventually('closed by time', async () => (await values(stream)).length >= (more > 0 ? 3 : 2))
      await new Promise((resolve) => setTimeout(resolve, 400))
      await run.stop()
      assert.equal(failures, [])
    }
    assert.equal((await values(stream)).slice(0, 3), ['a 1003', 'b 1002', ...(more > 0 ? ['c 2002'] : [])])
    assert.is((await values(stream)).length, more > 0 ? 3 : 2)
  })

test('K5 rebuild: a key that waits for a step cannot be made anew, for its result was the former code’s', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const stepping = (version: number) =>
    on(
      stream,
      definePipeline({
        name: 'counting',
        version,
        from: { stream: stream.name, events: [Reading] },
        to: { stream: stream.name, events: [High] },
        recovery: { mode: 'slots', idle: '11m' },
        upgrade: 'rebuild',
        pipeline: (readings$, ctx) =>
          readings$.pipe(
            concatMap(({ data }) => ctx.step('work', () => data.value)),
            map((value) => High({ machine: ctx.key, value: value + version * 1_000 })),
          ),
      }),
    )
  await publishAll(connection, stream, readings('a', 2))
  const { run } = await start(connection, stepping(1))
  await eventually('both', async () => (await values(stream)).length === 2)
  await run.stop()
  assert.is((await failure(connection, stepping(2))).code, 'REBUILD_WITH_STEPS')
  assert.equal(await values(stream), ['a 1000', 'a 1001'])
})

test('K5 older code is told that a newer one has taken over', async () => {
  const { connection, stream } = await withOpenWindows()
  const { run } = await start(connection, on(stream, counting(stream, 2, 'cut')))
  await run.stop()
  const error = await failure(connection, on(stream, counting(stream, 1)))
  assert.is(error.code, 'VERSION_OLDER')
})

test('what was made anew and cannot take over follows the log no more', async () => {
  const { connection, stream } = await withOpenWindows()
  const { run } = await start(connection, on(stream, counting(stream, 3, 'cut')))
  await run.stop()
  const older = on(stream, counting(stream, 2, 'rebuild'))
  const options = { connection, registry, clock: systemClock, log: silentLog, owner: 'rebuild' }
  const shadow = new Shadow(older, options)
  const started = ProcessorRun.start(older, { ...options, shadow, onFailure: () => undefined })
  const code = await started.then(
    () => 'none',
    (error: unknown) => (isFault(error) ? error.code : String(error)),
  )
  assert.is(code, 'VERSION_OLDER')
  const before = shadow.sequence
  await publishAll(connection, stream, readings('a', 2))
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.is(shadow.sequence, before)
})

test('what is made anew does not wait for ever beside a commit record that nobody can read', async () => {
  const { connection, stream } = await withOpenWindows()
  const rebuilding = on(stream, counting(stream, 2, 'rebuild'))
  const subject = commitSubject(stream.name, processorId(rebuilding), WHOLE)
  await publishOnce(connection, { subject, headers: [ROLLUP_SUBJECT], data: Buffer.from('somebody else’s') })
  const options = { connection, registry, clock: systemClock, log: silentLog, owner: 'rebuild' }
  const shadow = new Shadow(rebuilding, options)
  const waiting = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('it waits')), 30_000).unref())
  const { code } = await faultOf(Promise.race([shadow.caughtUp, waiting]))
  assert.is(code, 'COMMIT_RECORD_INVALID')
  assert.throws(() => shadow.take(), /COMMIT_RECORD_INVALID/)
  shadow.stop()
})

test.run()
