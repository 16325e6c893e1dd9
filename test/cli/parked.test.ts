import { map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { RedriveFlags } from '../../src/cli/parked/redrive-command.ts'
import { listCommand } from '../../src/cli/parked/list-command.ts'
import { redriveCommand } from '../../src/cli/parked/redrive-command.ts'
import { showCommand } from '../../src/cli/dead-letters/show-command.ts'
import { statusCommand } from '../../src/cli/status/status-command.ts'
import { deadLetterSubject } from '../../src/broker/system-subject.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { partitionOf } from '../../src/event/partition.ts'
import type { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { Alarm, Reading, registry } from '../support/kill-fixture.ts'
import { numbersOf, startUnit } from '../kernel/parking/redriving.ts'
import { work } from '../kernel/parking/tally.ts'
import { cli, deploymentFolder } from './support.ts'

const test = suite('cli: parked')

/** A deployment of one pipeline, which fails at hard work until it is mended, with its units at work. */
interface World {
  readonly stream: StreamDeclaration
  readonly name: string
  readonly mended: { yet: boolean }
  readonly runs: ProcessorRun[]
  context(json?: boolean): TestContext
  run(command: (context: TestContext) => Promise<void>, json?: boolean): Promise<TestContext & { problem?: unknown }>
  redrive(key: string | undefined, flags?: RedriveFlags, json?: boolean): Promise<TestContext & { problem?: unknown }>
  untilWaiting(count: number): Promise<Record<string, any>[]>
  stop(): Promise<void>
}

let serial = 0

async function world(connection: Connection): Promise<World> {
  const stream = await freshStream(connection)
  const mended = { yet: false }
  const name = `hard-${process.pid}-${(serial += 1)}`
  const pipeline = definePipeline({
    name,
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [Alarm] },
    recovery: { mode: 'stateless' },
    onError: 'park',
    pipeline: (readings$) =>
      readings$.pipe(
        map(({ data: { machine, value } }) => {
          if (!mended.yet && Math.floor(value / 10) % 10 > 0) throw new Error('too hard\nfor now')
          return Alarm({ machine, count: 1, sum: value })
        }),
      ),
  })
  const deployment: Deployment = {
    folder: '',
    streams: [stream],
    registry,
    pipelines: [pipeline],
    rules: [],
    actors: [],
    homes: new Map(),
  }
  const processor = processorsOf(deployment).find((one) => one.name === name)
  assert.ok(processor)
  const partitions = [...new Set(['a', 'b', 'c'].map((key) => String(partitionOf(key, stream.partitions))))]
  const runs = (await Promise.all(partitions.map((partition) => startUnit(processor, partition)))).map(({ run }) => run)
  const context = (json = false): TestContext => ({
    ...cliContext(json ? { json } : {}),
    deployment: async () => deployment,
  })
  const run: World['run'] = async (command, json) => {
    const own = context(json)
    try {
      await command(own)
      return own
    } catch (problem) {
      return { ...own, problem }
    }
  }
  const waiting = (parked: Record<string, any>[]): number =>
    parked.reduce((sum, one) => sum + (one['waiting'] as number), 0)
  return {
    stream,
    name,
    mended,
    runs,
    context,
    run,
    redrive: (key, flags = {}, json) => run((own) => redriveCommand(own, name, key, flags), json),
    untilWaiting: (count) =>
      eventually(`${count} events wait`, async () => {
        const { out } = await run((own) => listCommand(own, {}), true)
        const parked = JSON.parse(out.text()).parked as Record<string, any>[]
        return waiting(parked) === count ? parked : undefined
      }),
    stop: async () => void (await Promise.all(runs.map((one) => one.stop()))),
  }
}

const code = (problem: unknown): string => (isFault(problem) ? problem.code : String(problem))

test('parked keys are listed with their reason, and are in status and in their dead letters', async () => {
  const connection = await sharedConnection()
  const { stream, name, run, untilWaiting, stop } = await world(connection)
  assert.is((await run((own) => listCommand(own, {}))).out.text(), 'no parked keys\n')
  await publishAll(connection, stream, [
    work('a', 1),
    work('a', 2, { hard: 1 }),
    work('b', 1, { hard: 1 }),
    work('c', 1),
    work('a', 3),
  ])
  const parked = await untilWaiting(3)
  assert.equal(
    parked.map((one) => [one['processor'], one['key'], one['waiting'], one['redriven'], one['code'], one['reason']]),
    [
      [`pipeline-${name}`, 'a', 2, 0, 'TURN_FAILED', 'too hard\nfor now'],
      [`pipeline-${name}`, 'b', 1, 0, 'TURN_FAILED', 'too hard\nfor now'],
    ],
  )
  const list = await run((own) => listCommand(own, { processor: name }))
  assert.match(list.out.text(), /^PROCESSOR +PARTITION +KEY +SINCE +SEQUENCE +WAITING +REDRIVEN +CODE +REASON\n/)
  assert.match(list.out.text(), / a +\d{4}-\d\d-\d\d [:\d]{8} +\d+ +2 +0 +TURN_FAILED +too hard for now\n/)
  assert.is(
    list.err.text(),
    `2 parked keys, 3 events waiting; once the cause is mended: millrace parked redrive pipeline-${name} --all\n`,
  )
  const status = (await run((own) => statusCommand(own, undefined))).out.text()
  assert.match(status, `pipeline-${name}: 2 parked keys: millrace parked list\n`)
  const { out } = await run((own) => statusCommand(own, undefined), true)
  const processors = JSON.parse(out.text()).processors as Record<string, any>[]
  assert.is(processors.find(({ processor }) => processor === `pipeline-${name}`)?.['parked'], 2)
  const subject = deadLetterSubject(stream.name, parked[0]?.['failedSequence'], `pipeline-${name}`)
  const letter = await connection.manager.streams.getMessage('DEAD_LETTERS', { last_by_subj: subject })
  const shown = await run((own) => showCommand(own, letter?.seq ?? 0))
  assert.match(shown.out.text(), /parked +key "a" and its later events; see millrace parked list\n/)
  await stop()
})

test('a redrive that fails again says at what; mended, the keys come back with their events in order', async () => {
  const connection = await sharedConnection()
  const { stream, name, mended, redrive, run, untilWaiting, stop } = await world(connection)
  await publishAll(connection, stream, [work('a', 1, { hard: 1 }), work('a', 2), work('b', 1, { hard: 1 })])
  await untilWaiting(3)
  const dry = await redrive(undefined, { all: true, dryRun: true })
  assert.is(
    dry.out.text(),
    `pipeline-${name}: key "a": would redrive 2 events, beginning with the one that failed with TURN_FAILED\n` +
      `pipeline-${name}: key "b": would redrive 1 event, beginning with the one that failed with TURN_FAILED\n`,
  )
  assert.is(dry.err.text(), '2 keys, 3 events; nothing was published\n')
  assert.is(
    (await redrive('a', { dryRun: true, skip: true })).out.text(),
    `pipeline-${name}: key "a": would redrive 1 event, without the one that failed\n`,
  )

  const one = await redrive('b')
  assert.is(code(one.problem), 'PARKED_KEY_FAILED')
  assert.match(String(one.problem), /key "b", TURN_FAILED at sequence \d+ of .*; 0 events redriven, 1 event waiting/)
  const all = await redrive(undefined, { all: true })
  assert.equal([all.problem, all.exit.code], [undefined, 5])
  assert.equal((all.err.text().match(/PARKED_KEY_FAILED: .*key "[ab]"/g) ?? []).length, 2)

  mended.yet = true
  const back = await redrive(undefined, { all: true }, true)
  assert.is(back.exit.code, undefined)
  const results = JSON.parse(back.out.text()).redriven as Record<string, any>[]
  assert.equal(results.map(({ key, outcome, redriven, waiting }) => [key, outcome, redriven, waiting]).sort(), [
    ['a', 'back', 2, 0],
    ['b', 'back', 1, 0],
  ])
  assert.equal(await numbersOf(connection, stream, 'a'), [1, 2])
  assert.is((await run((own) => listCommand(own, {}))).out.text(), 'no parked keys\n')
  assert.is((await redrive(undefined, { all: true })).out.text(), 'no parked keys\n')
  await stop()
})

test('an event that will never succeed is left out with --skip, and its key is back', async () => {
  const connection = await sharedConnection()
  const { stream, name, redrive, untilWaiting, stop } = await world(connection)
  await publishAll(connection, stream, [work('c', 1, { hard: 1 }), work('c', 2)])
  await untilWaiting(2)
  const skipped = await redrive('c', { skip: true })
  assert.is(skipped.out.text(), `pipeline-${name}: key "c" is back: 1 event redriven, 1 left out\n`)
  assert.equal(await numbersOf(connection, stream, 'c'), [2])
  await stop()
})

test('what is not parked, not declared or not clear is said', async () => {
  const { redrive, run, name, stop } = await world(await sharedConnection())
  assert.is(code((await redrive('x')).problem), 'PARKED_KEY_NOT_FOUND')
  assert.is(code((await redrive(undefined)).problem), 'USAGE')
  assert.is(code((await redrive('x', { all: true })).problem), 'USAGE')
  const { problem } = await run((own) => redriveCommand(own, 'pipeline-nobody', 'x', {}))
  assert.is(code(problem), 'DECLARATION_UNKNOWN')
  assert.match(String(problem), `pipeline-${name}`)
  await stop()
})

test('the command line knows both commands', async () => {
  const { stdout, code: exit } = await cli(['parked', 'redrive', '--help'], { cwd: await deploymentFolder() })
  assert.is(exit, 0)
  assert.match(stdout, /redrive \[options\] <processor> \[key\][^]*--all[^]*--skip[^]*--dry-run[^]*Mend first/)
})

test.run()
