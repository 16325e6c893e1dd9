import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { encodeHeaders } from '../../src/broker/headers.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { parseEventLine } from '../../src/cli/input/event-line.ts'
import { eventMessage } from '../../src/cli/publish/event-message.ts'
import { replayCommand } from '../../src/cli/replay/replay-command.ts'
import type { ReplayFlags } from '../../src/cli/replay/replay-flags.ts'
import { paceOf, startOf } from '../../src/cli/replay/replay-flags.ts'
import { stopText } from '../../src/cli/replay/replay-texts.ts'
import type { ReplayJob } from '../../src/cli/replay/replay-job.ts'
import { resumeLine } from '../../src/cli/replay/resume-line.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { discover } from '../../src/runtime/discover.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll, readAll } from '../support/events.ts'
import { sharedServer, temporaryDirectory } from '../support/nats.ts'
import { Paid, Sent } from '../support/replays.ts'
import { startCli } from './support.ts'

const USUAL = { speed: 'max', speedBy: 'stored' } as const

const test = suite('millrace replay')

async function filled(count: number): Promise<StreamDeclaration> {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(
    connection,
    stream,
    Array.from({ length: count }, (_, n) => Paid({ order: `o${n % 7}`, amount: n }, { time: 1_000_000 + n * 1_000 })),
  )
  return stream
}

async function run(flags: Partial<ReplayFlags>, context: TestContext = cliContext()): Promise<TestContext> {
  await replayCommand(context, { ...USUAL, ...flags })
  return context
}

async function refusal(flags: Partial<ReplayFlags>): Promise<string> {
  try {
    await run(flags)
  } catch (error) {
    if (isFault(error)) return `${error.code} ${error.detail}`
    throw error
  }
  throw new Error('it was taken')
}

test('events go to stdout as NDJSON, and what became of it to stderr', async () => {
  const stream = await filled(30)
  const { out, err } = await run({ stream: stream.name, fromSeq: 11 })
  assert.is(out.text().trimEnd().split('\n').length, 20)
  assert.match(err.text(), /^replayed 20 events of \S+ from sequence 11 to 30 in /)
})

test('what it writes can be published again: every line is the event that it was', async () => {
  const stream = await filled(50)
  const connection = await sharedConnection()
  const { out } = await run({ stream: stream.name, fromSeq: 1 })
  const registry = createRegistry([Paid, Sent])
  const stored = await readAll(connection, stream.name)
  for (const [at, line] of out.text().trimEnd().split('\n').entries()) {
    const parsed = parseEventLine(line, registry, { id: () => 'x', source: '/x', time: 0 })
    if (parsed.kind === 'rejected') throw new Error(parsed.detail)
    const again = eventMessage(parsed.event, stream, 1_000_000)
    const original = stored[at]
    assert.is(Buffer.from(again.data).toString(), Buffer.from(original?.data ?? []).toString())
    for (const [name, value] of again.headers)
      if (!/^ce-(?:streamname|streamsequence|storedtime)$/.test(name))
        assert.is(original?.headers.get(name), value, name)
  }
})

test('Ctrl-C says after which sequence it stopped and how to go on; doing so gives the rest', async () => {
  const stream = await filled(4_000)
  const file = join(await temporaryDirectory(), 'events.ndjson')
  const context = cliContext()
  const flags = { stream: stream.name, fromSeq: 1, out: file, speed: '0.05x', speedBy: 'event' } as const
  // it may not be there yet
  const written = () => readFile(file, 'utf8').catch(() => '')
  const stopper = setInterval(() => void written().then((text) => text !== '' && context.interrupt()), 5)
  await run(flags, context).finally(() => clearInterval(stopper))
  const said = /Stopped after sequence (\d+)\. Resume with: (millrace replay .*)\n/.exec(context.err.text())
  const last = Number(said?.[1])
  assert.ok(last > 0 && last < 4_000, context.err.text())
  assert.is(
    said?.[2],
    `millrace replay --stream ${stream.name} --from-seq ${last + 1} --speed 0.05x --speed-by event --out ${file} --append`,
  )
  await run({ stream: stream.name, fromSeq: last + 1, out: file, append: true })
  const sequences = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => Number((JSON.parse(line) as { streamsequence: string }).streamsequence))
  assert.equal(
    sequences,
    Array.from({ length: 4_000 }, (_, i) => i + 1),
  )
})

test('nobody reads any more: it stops without a word', async () => {
  const stream = await filled(5)
  const context = cliContext()
  context.out.onWrite = () => {
    Object.assign(context.out, { isGone: true })
    context.interrupt()
  }
  await run({ stream: stream.name, fromSeq: 1 }, context)
  assert.is(context.err.text(), '')
})

test('--json: one document with what became of it, on the output that has no events', async () => {
  const stream = await filled(12)
  const { err } = await run({ stream: stream.name, fromSeq: 3, limit: 4 }, cliContext({ json: true }))
  const { seconds, ...summary } = JSON.parse(err.text()) as { seconds: number }
  assert.type(seconds, 'number')
  assert.equal(summary, {
    stream: stream.name,
    delivered: 4,
    rejected: 0,
    firstSequence: 3,
    lastSequence: 6,
    nextSequence: 7,
    repeated: 0,
    ended: 'complete',
  })
  const { out } = await run(
    { stream: stream.name, fromSeq: 1, toSubject: `sandbox-${process.pid}.>` },
    cliContext({ json: true }),
  )
  assert.is((JSON.parse(out.text()) as { delivered: number }).delivered, 12)
})

test('where no stream takes the subject it says that nothing is stored', async () => {
  const stream = await filled(3)
  const { err } = await run({ stream: stream.name, fromSeq: 1, toSubject: `nobody-${process.pid}.>` })
  assert.match(err.text(), 'nothing is stored')
})

test('messages that are no events are named and counted, and the rest is replayed', async () => {
  const stream = await filled(2)
  const connection = await sharedConnection()
  connection.nats.publish(`${stream.root}.k.order.paid`, 'no event')
  await connection.nats.flush()
  await publishAll(connection, stream, [Paid({ order: 'z', amount: 1 })])
  const { out, err } = await run({ stream: stream.name, fromSeq: 1 })
  assert.is(out.text().trimEnd().split('\n').length, 3)
  assert.match(err.text(), `${stream.name}:3: EVENT_ENVELOPE_INVALID`)
  assert.match(err.text(), '1 messages are no events')
})

test('options that do not go together are refused with the reason', async () => {
  const cases: readonly [Partial<ReplayFlags>, RegExp][] = [
    [{ fromSeq: 1 }, /^USAGE name the --stream/],
    [{ stream: 'S' }, /^REPLAY_RANGE_INVALID where to begin is missing/],
    [{ stream: 'S', fromSeq: 1, fromTime: '1h' }, /^USAGE begin at/],
    [{ stream: 'S', fromTime: 'yesterday' }, /^REPLAY_RANGE_INVALID --from-time "yesterday"/],
    [{ stream: 'S', fromSeq: 1, speed: 'fast' }, /^USAGE --speed "fast"/],
    [{ stream: 'S', fromSeq: 1, speed: '0x' }, /^USAGE --speed/],
    [{ stream: 'S', fromSeq: 1, compare: true }, /^USAGE --compare needs/],
    [{ fromSeq: 1, pipeline: 'a', rule: 'b' }, /^USAGE run --pipeline or --rule/],
    [{ fromSeq: 1, rule: 'b', toSubject: 'x' }, /^USAGE a dry run publishes nothing/],
    [{ stream: 'S', fromSeq: 1, out: 'f', toSubject: 'x' }, /^USAGE replay to a file or to a subject/],
    [{ stream: 'S', fromSeq: 1, append: true }, /^USAGE --append/],
    [{ stream: 'S', fromSeq: 1, toSeq: 9, follow: true }, /^USAGE a replay that follows/],
    [{ stream: 'MISSING', fromSeq: 1 }, /^STREAM_NOT_FOUND MISSING/],
    [{ fromSeq: 1, pipeline: 'no-such' }, /^DECLARATION_UNKNOWN pipeline "no-such"; there are: /],
    [{ fromSeq: 1, pipeline: 'overload', stream: 'OTHER' }, /^USAGE pipeline-overload reads MACHINES, not OTHER/],
  ]
  for (const [flags, expected] of cases) assert.match(await refusal(flags), expected)
})

test('a file that cannot be written is said to be so', async () => {
  const stream = await filled(1)
  const out = join(await temporaryDirectory(), 'missing', 'x.ndjson')
  assert.match(await refusal({ stream: stream.name, fromSeq: 1, out }), /^OUTPUT_UNWRITABLE/)
})

test('times and speeds are read as people write them', () => {
  const now = Date.UTC(2026, 0, 31, 12)
  const start = (fromTime: string) => startOf({ ...USUAL, fromTime }, now)
  assert.equal(start('2026-01-31T10:00:00+02:00'), { kind: 'time', time: Date.UTC(2026, 0, 31, 8) })
  assert.equal(start('2026-01-30'), { kind: 'time', time: Date.UTC(2026, 0, 30) })
  assert.equal(start('90m'), { kind: 'time', time: Date.UTC(2026, 0, 31, 10, 30) })
  const pace = (speed: string) => paceOf({ ...USUAL, speed })
  assert.equal(pace('max'), { kind: 'max' })
  assert.equal(pace('0.5x'), { kind: 'factor', factor: 0.5, by: 'stored' })
  assert.equal(pace('10'), { kind: 'factor', factor: 10, by: 'stored' })
})

test('the line to go on with keeps what was asked for, is safe to paste, and repeats no password', () => {
  const flags = {
    ...USUAL,
    stream: 'S',
    fromTime: '1h',
    toSeq: 90,
    type: ['a.b', 'c.>'],
    limit: 50,
    out: `it's here.ndjson`,
  } as const
  const options = { server: 'nats://me:secret@host', context: 'prod', streams: 'other' }
  assert.is(
    resumeLine({ flags, options, stream: 'S', next: 41, taken: 20 }),
    `millrace replay --stream S --from-seq 41 --to-seq 90 --type 'a.b,c.>' --limit 30 --out 'it'\\''s here.ndjson' --append --context prod --streams other`,
  )
})

test('who is stopped inside of a pack is told that its first events come again', () => {
  const at = { firstSequence: 1, lastSequence: 12, nextSequence: 12, repeated: 3, ended: 'interrupted' } as const
  const job = { kind: 'lines', stream: 'S', sink: undefined } as unknown as ReplayJob
  const flags = { ...USUAL, stream: 'S', fromSeq: 1, limit: 50 }
  const subject = { context: { options: { streams: './streams' } }, flags, job } as Parameters<typeof stopText>[0]
  assert.is(
    stopText(subject, { ...at, delivered: 20, rejected: 0 }),
    'Stopped inside of sequence 12, which holds many events: its first 3 will come again. Resume with: ' +
      'millrace replay --stream S --from-seq 12 --limit 33',
  )
})

test('a rule that starts in the middle of the log, or is stopped, says that it needs its history', async () => {
  const connection = await sharedConnection()
  const { streams } = await discover('./streams')
  await applyStreams(connection, await planStreams(connection, streams))
  const lines = (await readFile('streams/machines/recordings/cpu-april-2014.ndjson', 'utf8')).split('\n').slice(0, 50)
  for (const line of lines) {
    const { partitionkey, type } = JSON.parse(line) as { partitionkey: string; type: string }
    const headers = encodeHeaders([['Content-Type', 'application/cloudevents+json']])
    connection.nats.publish(`machines.${partitionkey}.${type}`, line, { headers })
  }
  await eventually('they are stored', async () => {
    const { state } = await connection.manager.streams.info('MACHINES')
    return state.messages >= lines.length || undefined
  })
  const whole = await run({ rule: 'sustained-overload', fromSeq: 1 })
  assert.not.match(whole.err.text(), 'remember')
  assert.match(whole.err.text(), /ran rule-sustained-overload over [\d,]+ events of MACHINES/)
  const part = await run({ rule: 'sustained-overload', fromSeq: 20 })
  assert.match(part.err.text(), 'starts at sequence 20 without what it would remember from before')
  const context = cliContext()
  context.err.onWrite = () => context.interrupt()
  await run({ rule: 'sustained-overload', fromSeq: 20, speed: '0.001x', speedBy: 'event' }, context)
  assert.match(context.err.text(), 'A rule needs its history')
})

test('--compare prints the comparison to stdout; where there is nothing to compare with, exit code 5', async () => {
  const connection = await sharedConnection()
  const { streams } = await discover('./streams')
  await applyStreams(connection, await planStreams(connection, streams))
  const { out, exit } = await run({ pipeline: 'large-payments', fromSeq: 1, compare: true })
  assert.match(out.text(), 'nothing to compare with')
  assert.is(exit.code, 5)
})

test('a process of its own: Ctrl-C ends with 130, and the line that it prints goes on', async () => {
  const stream = await filled(200)
  const { url } = await sharedServer()
  const cwd = await temporaryDirectory()
  const args = ['replay', '--stream', stream.name, '--from-seq', '1', '--speed', '10x', '--speed-by', 'event']
  const first = startCli([...args, '--server', url], { cwd })
  await eventually('the first events', () => first.stdout().includes('"streamsequence":"5"') || undefined, 30_000)
  first.signal('SIGINT')
  const { code, stdout, stderr } = await first.done
  assert.is(code, 130, stderr)
  const resume = /Resume with: millrace (.*)/.exec(stderr)?.[1] ?? ''
  assert.match(resume, `--server ${url}`)
  const second = await startCli(resume.replace('10x', 'max').split(' '), { cwd }).done
  assert.is(second.code, 0, second.stderr)
  assert.is((stdout + second.stdout).trimEnd().split('\n').length, 200)
})

test.run()
