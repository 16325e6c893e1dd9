import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diffCommand } from '../../src/cli/rules/diff-command.ts'
import { explainCommand, type ExplainFlags } from '../../src/cli/rules/explain-command.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { reading, surgeText } from '../support/backtests.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { registry } from '../support/kill-fixture.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { jsonOf } from './support.ts'

const test = suite('millrace rules explain and diff')

/** A stream in which machine a is low, then high too late, and b is low. */
async function setting(
  options: { json?: boolean } = {},
): Promise<{ context: TestContext; file: string; draft: string }> {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const events = [reading('a', 10, 0), reading('a', 40, 1_000), reading('a', 95, 12_000), reading('b', 5, 13_000)]
  await publishAll(connection, stream, events)
  const folder = join(await temporaryDirectory(), 'streams')
  await mkdir(folder)
  const [file, draft] = [join(folder, 'surge.yaml'), join(folder, 'draft.yaml')]
  await writeFile(file, surgeText(stream.name))
  await writeFile(draft, surgeText(stream.name).replace('within: 10s', 'within: 20s'))
  const deployment = async (): Promise<Deployment> => ({ registry, folder, streams: [stream] }) as unknown as Deployment
  return { context: { ...cliContext(options), deployment }, file, draft }
}

async function explained(flags: Partial<ExplainFlags>): Promise<string> {
  const { context, file } = await setting()
  await explainCommand(context, file, { key: 'a', show: 10, ...flags })
  return context.out.text()
}

test('what is under way now: stage, events, what it waits for, until when', async () => {
  const text = await explained({ key: 'b' })
  assert.match(
    text,
    /under way now: 1\n {2}at low, waits for high, until 2026-01-05T00:00:23\.000Z\n {4}low: reading\.taken \(sequence 4,/,
  )
})

test('of a range: what died and why, and which events began nothing', async () => {
  const text = await explained({ from: '1' })
  assert.match(
    text,
    /came to nothing: 1\n {2}at low: the window closed at 2026-01-05T00:00:10\.000Z, 2\.0s before reading\.taken \(sequence 3\), which could have been high/,
  )
  assert.match(
    text,
    /sequence 2, .*\): no high for what began at sequence 1: data\.value > 60 is false: data\.value is 40/,
  )
  assert.match(text, /sequence 3, .*\): no low: data\.value < 30 is false: data\.value is 95/)
})

test('--json: one document of a stable shape', async () => {
  const { context, file } = await setting({ json: true })
  await explainCommand(context, file, { key: 'a', show: 1, from: '1' })
  const report = jsonOf(context.out.text())
  assert.equal(Object.keys(report), [
    'format',
    'rule',
    'key',
    'stream',
    'range',
    'complete',
    'clock',
    'partials',
    'ended',
    'matches',
    'nothing',
    'events',
    'known',
    'nearest',
  ])
  assert.is(report['ended'][0].reason, 'window')
  assert.is(report['nothing'].length, 2)
})

test('a key of which nothing is known: it says so', async () => {
  assert.match(
    await explained({ key: 'nobody', from: '1' }),
    /^surge, key nobody, .*\n.*\nno event that the rule reads has this key\n$/,
  )
})

test('a key that was mistyped: the nearest one that was read is named', async () => {
  const { context, file } = await setting()
  const connection = await sharedConnection()
  const { streams } = await context.deployment()
  await publishAll(connection, streams[0] as never, [reading('press-17', 5, 14_000)])
  await explainCommand(context, file, { key: 'pres-17', show: 10, from: '1' })
  assert.match(context.out.text(), /has this key; did you mean press-17\?/)
})

const HOT = (stream: string): string => `rule: hot
on: ${stream}
key: data.machine
detect:
  event: reading.taken
  value: data.value
  detector: { threshold: { above: 60, clearAbove: 50 } }
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: value } }
`

async function hot(flags: Partial<ExplainFlags>, options: { json?: boolean } = {}): Promise<TestContext> {
  const { context, file } = await setting(options)
  const [stream] = (await context.deployment()).streams
  await writeFile(file, HOT(stream?.name ?? ''))
  await explainCommand(context, file, { key: 'a', show: 10, ...flags })
  return context
}

test('a detector: its alarms, and of the other values why they were none, those nearest to one', async () => {
  const text = (await hot({ from: '1' })).out.text()
  assert.match(text, /3 values, 1 alarm\n {2}alarm: reading\.taken \(sequence 3, .*\) 95 scored 1 of 0\.4/)
  assert.match(
    text,
    /no alarm:\n {2}reading\.taken \(sequence 1, .*\) 10 scored 0 of 0\.4.*: in line with what was expected/,
  )
  const { readings } = jsonOf((await hot({ from: '1' }, { json: true })).out.text())
  assert.equal(
    (readings as { value: number; alarm: boolean }[]).map(({ value, alarm }) => [value, alarm]),
    [
      [10, false],
      [40, false],
      [95, true],
    ],
  )
})

test('a detector without a range: what it made of the last value', async () => {
  assert.match((await hot({ key: 'b' })).out.text(), /1 value, 0 alarms\nno alarm:\n.*sequence 4, .*\) 5 scored 0/)
})

test('diff: lines, fields, whether what was begun can be kept, and what both find', async () => {
  const { context, file, draft } = await setting()
  await diffCommand(context, [file, draft], { from: '1' })
  const text = context.out.text()
  assert.match(text, /^- within: 10s\n\+ within: 20s$/m)
  assert.match(text, /^within: 10s -> 20s$/m)
  assert.match(text, /what was begun cannot be kept: within: 10s -> 20s$/m)
  assert.match(text, /over sequences 1 to 4: 1 match in 4 events, before 0 matches/)
  assert.match(text, /only here +1\n.*the window closed at .*2\.0s before/)
})

test('diff with a revision that was never deployed says so', async () => {
  const { context, file } = await setting()
  try {
    await diffCommand(context, [file, 'nothing-deployed@7'], {})
    assert.unreachable()
  } catch (error) {
    assert.ok(isFault(error, 'DECLARATION_UNKNOWN'), String(error))
    assert.match(error.detail, /revision 7; none was deployed/)
  }
})

test.run()
