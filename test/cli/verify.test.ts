// `millrace verify` as users run it: over a stream of a real server, over a recording without one, and what it says when
// a pipeline is not the same after a crash.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { verifyCommand, type VerifyFlags } from '../../src/cli/verify/verify-command.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { sharedServer, temporaryDirectory } from '../support/nats.ts'
import { TOP } from '../support/repository.ts'
import { cli, jsonOf } from './support.ts'

const test = suite('millrace verify')
const COUNT = 240

let prepared: Promise<string> | undefined

/** A folder with the declarations, whose stream has measurements in it. */
function folder(): Promise<string> {
  return (prepared ??= prepare())
}

async function prepare(): Promise<string> {
  const place = await temporaryDirectory()
  await cp(join(TOP, 'test/fixtures/streams-verify'), join(place, 'streams'), { recursive: true })
  const connection = await sharedConnection()
  const deployment = await discover(join(place, 'streams'))
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const [alarms, stream] = deployment.streams
  const [raised, measured] = ['alarm.raised', 'meter.measured'].map((type) => deployment.registry.get(type))
  assert.ok(alarms && stream && raised && measured)
  await publishAll(connection, alarms, [raised({ meter: 'm1' }), raised({ meter: 'm2' })])
  const drafts = Array.from({ length: COUNT }, (_, n) => measured({ meter: `m${n % 6}`, value: (n * 7) % 10 }))
  await publishAll(connection, stream, drafts)
  return place
}

async function run(name: string, flags: VerifyFlags = {}, options: { json?: boolean } = {}): Promise<TestContext> {
  const context = cliContext({ streams: join(await folder(), 'streams'), ...options })
  await verifyCommand(context, name, flags)
  return context
}

async function refusal(name: string, flags: VerifyFlags = {}): Promise<MillraceError> {
  try {
    await run(name, flags)
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('it passed')
}

for (const [name, kind] of [
  ['doubled', 'pipeline'],
  ['windowed', 'pipeline'],
  ['rising', 'rule'],
] as const)
  test(`${kind} ${name} passes over its stream, and the report says what was done`, async () => {
    const { out } = await run(name)
    assert.match(out.text(), `${kind}-${name} over METERS, sequences 1 to ${COUNT}: ${COUNT} messages in`)
    assert.match(out.text(), /crashed after each of \d+ items: \d+ times by itself/)
    assert.match(out.text(), 'the same every time')
  })

test('a pipeline of several inputs is verified over the stream that merges them', async () => {
  await folder()
  const connection = await sharedConnection()
  const merged = async (): Promise<boolean> =>
    (await connection.manager.streams.info('PIPELINE_joined_INPUT')).state.messages >= COUNT + 2
  await eventually('both are merged', async () => (await merged()) || undefined)
  const { out } = await run('joined')
  assert.match(
    out.text(),
    `pipeline-joined over PIPELINE_joined_INPUT, sequences 1 to ${COUNT + 2}: ${COUNT + 2} messages`,
  )
})

/** Runs a pipeline live until it has handled everything and put out so much. */
async function runLive(name: string, outputs: number): Promise<void> {
  const connection = await sharedConnection()
  const deployment = await discover(join(await folder(), 'streams'))
  const processor = processorsOf(deployment).find((one) => one.name === name)
  assert.ok(processor)
  const { registry } = deployment
  const options = {
    connection,
    registry,
    clock: systemClock,
    log: silentLog,
    owner: 'test',
    onFailure: () => undefined,
  }
  const runs = await Promise.all(
    ['0', '1', '2', '3'].map((partition) => ProcessorRun.start(processor, { ...options, partition })),
  )
  const sum = (of: 'turns' | 'outputs'): number => runs.reduce((all, { counts }) => all + counts[of], 0)
  await eventually('everything is handled', () => sum('turns') >= COUNT && sum('outputs') >= outputs)
  await Promise.all(runs.map((one) => one.stop()))
}

test('time that has passed live without an event passes at the same places', async () => {
  await runLive('windowed', 6) // every window is closed by time alone
  const { out } = await run('windowed', { toSeq: COUNT }, { json: true })
  const { ticks, same } = jsonOf(out.text())
  assert.is(same, true)
  assert.ok(ticks.recorded > 0, JSON.stringify(ticks))
})

test('steps are not run again: their results are those of the journal, and without one they count as failed', async () => {
  const before = jsonOf((await run('scored', { toSeq: COUNT }, { json: true })).out.text())
  assert.equal([before['steps'].recorded, before['steps'].ran, before['outputs']], [0, 0, 0])
  assert.ok(before['steps'].pending > 0)
  await runLive('scored', COUNT * 0.3)
  const after = jsonOf((await run('scored', { toSeq: COUNT }, { json: true })).out.text())
  assert.is(after['same'], true)
  assert.equal(after['steps'], { recorded: after['outputs'], ran: 0, failed: 0, pending: 0 })
  assert.ok(after['outputs'] >= COUNT * 0.3)
  const ran = jsonOf((await run('scored', { toSeq: 50, runSteps: true }, { json: true })).out.text())
  assert.is(ran['same'], true)
})

test('a pipeline that asks for the time of the machine is found, with the place in its file', async () => {
  const error = await refusal('dated')
  assert.is(error.code, 'VERIFY_FAILED')
  assert.match(error.detail, /likely cause: .*Date\.now\(\) at .*dated\.ts:\d+/)
  assert.match(error.detail, 'use ctx.now()')
})

test('a pipeline with state in its module is found, with both outputs and the sequence', async () => {
  const error = await refusal('counted')
  assert.match(
    error.detail,
    /run twice over the same input.*\n.*of sequence \d+:\n.*\n- data\.value 1\n\+ data\.value \d+/,
  )
  assert.match(error.detail, 'a variable of its module')
})

test('a process ends with 5 when it is not the same, with the report on stdout and the error on stderr', async () => {
  const cwd = await folder()
  const { url } = await sharedServer()
  const { code, stdout, stderr } = await cli(['verify', 'counted', '--json', '--server', url], { cwd })
  assert.is(code, 5, stderr)
  const report = jsonOf(stdout)
  assert.equal([report['same'], report['processor']], [false, 'pipeline-counted'])
  assert.match(report['failure'].likelyCause, 'a variable of its module')
  assert.is(jsonOf(stderr.trim().split('\n').at(-1) ?? '')['code'], 'VERIFY_FAILED')
})

test('a recording is as good as the stream, and needs no server', async () => {
  const cwd = await folder()
  const { url } = await sharedServer()
  const recording = join(cwd, 'day.ndjson')
  const types = ['--type', 'meter.measured', '--from-seq', '1', '--to-seq', String(COUNT)]
  const replayed = await cli(['replay', '--stream', 'METERS', ...types, '--out', recording, '--server', url], { cwd })
  assert.is(replayed.code, 0, replayed.stderr)
  const nobody = { NATS_URL: 'nats://127.0.0.1:1' }
  const good = await cli(['verify', 'windowed', '--file', recording], { cwd, env: nobody })
  assert.is(good.code, 0, good.stderr)
  assert.match(good.stdout, `over ${recording}: ${COUNT} messages`)
  const bad = await cli(['verify', 'counted', '--file', recording, '--from-seq', '11'], { cwd, env: nobody })
  assert.is(bad.code, 5)
  assert.match(bad.stderr, 'error VERIFY_FAILED')
})

test('a recording is not touched, and its broken lines are named', async () => {
  const file = join(await temporaryDirectory(), 'broken.ndjson')
  const text = '{"type":"meter.measured","data":{"meter":"a","value":1}}\nno event\n'
  await writeFile(file, text)
  const error = await refusal('doubled', { file })
  assert.is(error.code, 'INPUT_REJECTED')
  assert.equal([error.issues[0]?.line, error.issues[0]?.file], [2, file])
  assert.is(await readFile(file, 'utf8'), text)
})

test('fewer places are tried when that is asked for, and it says which', async () => {
  const { out } = await run('doubled', { points: 20 })
  assert.match(out.text(), /crashed after every \d+th of \d+ items \(--points tries more\): (1\d|20) times/)
})

test('what does not exist, and a range with nothing in it, are said to be so', async () => {
  assert.match((await refusal('windowd')).detail, /pipeline "windowd"; there are: .*windowed/)
  assert.is((await refusal('doubled', { fromSeq: 1_000_000 })).code, 'REPLAY_RANGE_INVALID')
  const file = join(await temporaryDirectory(), 'others.ndjson')
  await writeFile(file, '{"type":"meter.summed","data":{"meter":"a","value":1}}\n')
  assert.is((await refusal('doubled', { file })).code, 'VERIFY_NOTHING')
})

test('Ctrl-C ends it', async () => {
  const context = cliContext({ streams: join(await folder(), 'streams') })
  const running = verifyCommand(context, 'windowed', {})
  setTimeout(() => context.interrupt(), 20)
  try {
    await running
    assert.unreachable()
  } catch (error) {
    assert.ok(isFault(error, 'INTERRUPTED'))
  }
})

test.run()
