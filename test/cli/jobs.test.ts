// Jobs on the command line: request, list, watch, override. What works on them is played here, event by event.
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { listCommand, type ListFlags } from '../../src/cli/job/list-command.ts'
import { overrideCommand } from '../../src/cli/job/override-command.ts'
import { showCommand } from '../../src/cli/job/show-command.ts'
import { submitCommand } from '../../src/cli/job/submit-command.ts'
import { watchCommand } from '../../src/cli/job/watch-command.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { JobEvent, JobRequest } from '../../src/job/job-event.ts'
import { ProgressSender } from '../../src/job/progress/progress-sender.ts'
import { NO_USAGE } from '../../src/job/usage.ts'
import { silentLog } from '../../src/observe/log.ts'
import { discover } from '../../src/runtime/discover.ts'
import type { DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { jobPorts, readJob } from '../../src/runtime/open-job.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('cli: jobs')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))

const prompt = { id: 'triage', version: 2, hash: 'abcdef0123456789' }
const billed = { usage: { ...NO_USAGE, input: 1_000, output: 200 }, nanos: 1_500_000, estimated: false }

function requested(id: string, at: number, more: Partial<JobRequest> = {}): JobEvent {
  const input = { orderId: 'a1', amount: 12, note: 'hello' }
  const request = { id, name: 'triage', lane: 'urgent' as const, tenant: 'acme', input, inputEvents: [id] }
  return { type: 'job.requested', at, request: { ...request, deadline: undefined, ...more } }
}
const started = (at: number): readonly JobEvent[] => [
  { type: 'job.admitted', at, attempt: 1, estimatedTokens: 1_234 },
  { type: 'job.attempt-started', at, attempt: 1, owner: 'w1', model: 'claude-haiku-5-5', prompt },
]
const decided = (at: number): readonly JobEvent[] => [
  { type: 'job.completed', at, attempt: 1, requestId: 'r', stopReason: 'end_turn', text: '{"fraud":true}', billed },
  { type: 'job.validated', at, attempt: 1, result: { fraud: true } },
  { type: 'job.decided', at, attempt: 1, decision: { fraud: true } },
]
const cause = { correlationId: undefined, causationId: 'e' }

const world = (async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const job = deployment.jobs?.find(({ declaration }) => declaration.name === 'triage') as DeployedJob
  const { log } = jobPorts(job, { connection, clock: systemClock })
  const context = (json = false): TestContext => ({
    ...cliContext({ json }),
    deployment: async () => deployment,
    connect: async () => connection,
  })
  const events = (id: string) => readJob(job.records, { connection, clock: systemClock }, id)
  return { connection, log, context, events, job }
})()

async function codeOf(running: Promise<unknown>): Promise<string> {
  const error = await running.catch((thrown: unknown) => thrown)
  return isFault(error) ? error.code : String(error)
}

test('lists the newest jobs by where they stand, whose they are and since when', async () => {
  const { log, context } = await world
  await log.append('l1', 0, [requested('l1', 1_000)], cause)
  await log.append('l2', 0, [requested('l2', 2_000), ...started(3_000)], cause)
  await log.append('l3', 0, [requested('l3', 3_000, { tenant: 'beta' }), ...started(3_000), ...decided(4_000)], cause)
  await log.append('l4', 0, [requested('l4', 4_000), { type: 'job.dead-lettered', at: 5_000, reason: 'never' }], cause)
  const override: JobEvent = { type: 'job.overridden', at: 9_000, by: 'ann', why: 'seen', decision: { fraud: false } }
  await log.append('l5', 0, [requested('l5', 5_000), ...started(3_000), ...decided(4_000), override], cause)
  const listed = async (flags: Partial<ListFlags>): Promise<readonly Record<string, unknown>[]> => {
    const asked = context(true)
    await listCommand(asked, { limit: 50, ...flags })
    return (JSON.parse(asked.out.text()) as { jobs: Record<string, unknown>[] }).jobs
  }
  const ids = async (flags: Partial<ListFlags>) => (await listed(flags)).map(({ id }) => id)
  assert.equal(await ids({}), ['l1', 'l2', 'l3', 'l4', 'l5'])
  for (const [at, state] of (['waiting', 'running', 'decided', 'dead', 'overridden'] as const).entries())
    assert.equal(await ids({ state }), [`l${at + 1}`], state)
  assert.equal(await ids({ tenant: 'beta' }), ['l3'])
  assert.equal(await ids({ job: 'summary' }), [])
  assert.equal(await ids({ limit: 2 }), ['l4', 'l5'])
  assert.equal(await ids({ since: '1h', stream: 'SHOP' }), ['l1', 'l2', 'l3', 'l4', 'l5'])
  assert.equal(await ids({ since: new Date(Date.now() + 3_600_000).toISOString() }), [])
  assert.is(await codeOf(listed({ stream: 'NONE' })), 'USAGE')
  assert.is(await codeOf(listed({ since: 'soon' })), 'USAGE')
  const [, , row] = await listed({})
  assert.equal([row?.['begun'], row?.['nanos'], row?.['decision']], [1, 1_500_000, { fraud: true }])
  const people = context()
  await listCommand(people, { limit: 1 })
  assert.match(
    people.out.text(),
    /^REQUESTED +ID +JOB[^\n]*\n1970-01-01 00:00:05\.000 +l5 +triage[^\n]* decided by ann\n$/,
  )
  assert.match(people.err.text(), /the newest 1 job; there may be more/)
})

test('an id is submitted once; what cannot be asked is refused before it is published', async () => {
  const { log, context } = await world
  const data = '{"orderId":"a1","amount":5000,"note":"hello"}'
  const first = context(true)
  await submitCommand(first, 'triage', { data, id: 's1' })
  assert.equal(
    Object.entries(JSON.parse(first.out.text()) as object)
      .slice(0, 4)
      .flat()
      .slice(1),
    ['s1', 'job', 'triage', 'stream', 'SHOP', 'submitted', true],
  )
  const again = context()
  await submitCommand(again, 'triage', { data, id: 's1' })
  assert.match(again.out.text(), /^job triage s1 was submitted before: SHOP \d+\n$/)
  // long after: its stream has forgotten the message, the log knows the job
  await log.append('s2', 0, [requested('s2', 1_000), ...started(2_000), ...decided(3_000)], cause)
  const late = context()
  await submitCommand(late, 'triage', { data, id: 's2' })
  assert.is(late.out.text(), 'job triage s2 was requested before: decided\n')
  await log.append('s3', 0, [requested('s3', 1_000, { name: 'summary' })], cause)
  const refused = (id: string, given: string, name = 'triage') =>
    codeOf(submitCommand(context(), name, { data: given, id }))
  assert.is(await refused('s3', data), 'JOB_ID_TAKEN')
  assert.is(await refused('s4', '{"orderId":"a1","amount":1}'), 'PROMPT_VALUE_MISSING')
  assert.is(await refused('s4', '{"amount":"much"}'), 'EVENT_DATA_INVALID')
  assert.is(await refused('s4', '{'), 'USAGE')
  assert.is(await refused('s4', data, 'triaje'), 'DECLARATION_UNKNOWN')
})

test('an override is what the result of the job says, names who and why, and needs a job that is over', async () => {
  const { log, context, events } = await world
  const flags = { decision: '{"fraud":false}', by: 'ann', why: 'the customer called' }
  await log.append('o1', 0, [requested('o1', 1_000), ...started(2_000)], cause)
  assert.is(await codeOf(overrideCommand(context(), 'o1', flags)), 'JOB_NOT_OVER')
  await log.append('o1', 3, decided(3_000), cause)
  const refused = (more: Partial<typeof flags>, id = 'o1') =>
    codeOf(overrideCommand(context(), id, { ...flags, ...more }))
  assert.is(await refused({ decision: '{"fraud":"no"}' }), 'JOB_DECISION_INVALID')
  assert.is(await refused({ decision: 'no' }), 'USAGE')
  assert.is(await refused({ why: ' ' }), 'USAGE')
  assert.is(await refused({}, 'o0'), 'JOB_NOT_FOUND')
  assert.is((await events('o1')).length, 6, 'nothing was changed')
  const asked = context()
  await overrideCommand(asked, 'o1', flags)
  assert.is(asked.out.text(), 'job o1 is decided by ann: {"fraud":false}; it was {"fraud":true}\n')
  const last = (await events('o1')).at(-1)
  assert.equal({ ...last, at: 0 }, { type: 'job.overridden', at: 0, ...flags, decision: { fraud: false } })
  await log.append('o2', 0, [requested('o2', 1), { type: 'job.dead-lettered', at: 2, reason: 'never' }], cause)
  const dead = context(true)
  await overrideCommand(dead, 'o2', flags)
  assert.is((JSON.parse(dead.out.text()) as { before: unknown }).before, null)
})

test('watch waits for a job that was just submitted, prints what becomes of it, and its exit code says how it ended', async () => {
  const { log, context } = await world
  const watching = context()
  const running = watchCommand(watching, 'w1', { wait: 60_000 })
  await log.append('w1', 0, [requested('w1', 1_000)], cause)
  await eventually('it is seen', () => watching.out.text().includes('job.requested'))
  await log.append('w1', 1, started(2_000), cause)
  await eventually('it is seen', () => watching.out.text().includes('job.attempt-started 1'))
  await log.append('w1', 3, decided(3_000), cause)
  await running
  assert.is(watching.exit.code, 0)
  assert.match(watching.out.text(), /job\.decided 1 {2}\{"fraud":true\}\n$/)
  await log.append('w2', 0, [requested('w2', 1_000), { type: 'job.dead-lettered', at: 2, reason: 'never' }], cause)
  const dead = context(true)
  await watchCommand(dead, 'w2', { wait: 1 })
  assert.is(dead.exit.code, 7)
  const types = dead.out
    .text()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as JobEvent).type)
  assert.equal(types, ['job.requested', 'job.dead-lettered'])
  assert.is(await codeOf(watchCommand(context(), 'w0', { wait: 1 })), 'JOB_NOT_FOUND')
  const stopped = context()
  await log.append('w3', 0, [requested('w3', 1_000)], cause)
  const waits = codeOf(watchCommand(stopped, 'w3', { wait: 1 }))
  await eventually('it is seen', () => stopped.out.text().includes('job.requested'))
  stopped.interrupt()
  assert.is(await waits, 'INTERRUPTED')
})

test('watch goes on behind an end that was none: a dead letter that was redriven, or decided by somebody since', async () => {
  const { log, context } = await world
  const dead: JobEvent = { type: 'job.dead-lettered', at: 2, reason: 'never' }
  await log.append('r1', 0, [requested('r1', 1_000), dead], cause)
  await log.append('r1', 2, [{ type: 'job.redriven', at: 3, by: 'ann' }], cause)
  const watching = context()
  const running = watchCommand(watching, 'r1', { wait: 1 })
  await eventually('it is seen', () => watching.out.text().includes('job.redriven') || undefined)
  await log.append('r1', 3, [...started(4_000), ...decided(5_000)], cause)
  await running
  assert.is(watching.exit.code, 0)
  assert.match(watching.out.text(), /job\.decided 1/)
  await log.append('r2', 0, [requested('r2', 1_000), dead], cause)
  const override: JobEvent = { type: 'job.overridden', at: 9_000, by: 'ann', why: 'seen', decision: { fraud: false } }
  await log.append('r2', 2, [override], cause)
  const decidedSince = context()
  await watchCommand(decidedSince, 'r2', { wait: 1 })
  assert.is(decidedSince.exit.code, 0)
  assert.match(decidedSince.out.text(), /job\.overridden {2}by ann/)
})

test('who waits for a job that nothing does is told so, by watch and by show', async () => {
  const { log, context } = await world
  await log.append('n1', 0, [requested('n1', 1_000)], cause)
  const watching = context()
  const waits = codeOf(watchCommand(watching, 'n1', { wait: 1 }))
  await eventually('it is said', () => /it waits for: .*none is at work/.test(watching.err.text()) || undefined)
  watching.interrupt()
  assert.is(await waits, 'INTERRUPTED')
  const shown = context()
  await showCommand(shown, 'n1')
  assert.match(shown.out.text(), /^waits for: a process that does jobs: none is at work/m)
})

test('watch --text prints answers while they come, each event on a line of its own', async () => {
  const { log, context, connection, job } = await world
  const sender = new ProgressSender({ connection, clock: systemClock, log: silentLog, stream: job.progress.name })
  await log.append('t1', 0, [requested('t1', 1_000), ...started(2_000)], cause)
  const watching = context()
  const running = watchCommand(watching, 't1', { wait: 1, text: true })
  await eventually('it is seen', () => watching.out.text().includes('job.attempt-started 1') || undefined)
  const call = sender.progress.started({ job: 't1', attempt: 1, model: 'm', maxTokens: 10 })
  call.text('{"fraud":')
  await eventually('it is seen', () => watching.out.text().includes('{"fraud":') || undefined)
  call.text('true}')
  await eventually('it is seen', () => watching.out.text().includes('{"fraud":true}') || undefined)
  await log.append('t1', 3, decided(3_000), cause)
  await running
  assert.match(watching.out.text(), /attempt-started 1 .*\n\{"fraud":true\}\n.*job\.completed/)
  assert.is(watching.exit.code, 0)
  const lines = context(true)
  await watchCommand(lines, 't1', { wait: 1, text: true })
  const texts = lines.out
    .text()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; text?: string })
  assert.is(
    texts
      .filter(({ type }) => type === 'job.text')
      .map(({ text }) => text)
      .join(''),
    '{"fraud":true}',
  )
  sender.stop()
})

test.run()
