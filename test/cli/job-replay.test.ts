// `millrace job replay`: recorded answers decided again, and models asked again, on a real server and the stand-in.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { resumedAnswers } from '../../src/cli/job/answers-file.ts'
import { replayCommand } from '../../src/cli/job/replay-command.ts'
import type { ReplayFlags } from '../../src/cli/job/replay-flags.ts'
import { sampled } from '../../src/cli/job/recorded-jobs.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import { defineJob } from '../../src/job/define-job.ts'
import type { JobEvent, JobRequest } from '../../src/job/job-event.ts'
import { readModels } from '../../src/job/models-config.ts'
import { NO_USAGE } from '../../src/job/usage.ts'
import { discover } from '../../src/runtime/discover.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import type { DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { jobPorts, readJob } from '../../src/runtime/open-job.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'

const test = suite('cli: job replay')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))
const rates = { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2 }
const models = { 'claude-haiku-5-5': rates, 'claude-sonnet-5-5': rates }
const prompt = { id: 'triage', version: 2, hash: 'abcdef' }

function story(id: string, text: string, decision: unknown, more: readonly JobEvent[] = []): readonly JobEvent[] {
  const input = { orderId: id, amount: 12, note: `note of ${id}` }
  const request: JobRequest = {
    id,
    name: 'triage',
    lane: 'urgent',
    tenant: 'acme',
    input,
    inputEvents: [id],
    deadline: undefined,
  }
  const billed = { usage: { ...NO_USAGE, input: 1_000, output: 200 }, nanos: 2_000_000, estimated: false }
  const at = 1_000
  return [
    { type: 'job.requested', at, request },
    { type: 'job.admitted', at, attempt: 1, estimatedTokens: 1 },
    { type: 'job.attempt-started', at, attempt: 1, owner: 'w', model: 'claude-haiku-5-5', prompt },
    { type: 'job.completed', at, attempt: 1, requestId: 'r', stopReason: 'end_turn', text, billed },
    { type: 'job.validated', at, attempt: 1, result: decision },
    { type: 'job.decided', at, attempt: 1, decision },
    ...more,
  ]
}

/** The job with another version of its prompt, and the result that it has now. */
function withJob(deployment: Deployment, result: z.ZodType): Deployment {
  const jobs = deployment.jobs?.map((job): DeployedJob => {
    const { declaration: old } = job
    if (old.name !== 'triage') return job
    const { name, on, model, maxTokens, prompt: two } = old
    const three = definePrompt({ id: 'triage', version: 3, user: 'Judge {{note}}: fraud or not?' })
    return { ...job, declaration: defineJob({ name, on, model, maxTokens, prompt: two, prompts: [three], result }) }
  })
  const known = readModels({ prices: { version: '1', currency: 'USD', models } })
  return { ...deployment, jobs: jobs ?? [], models: known }
}

const world = (async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const found = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, found.streams))
  const job = found.jobs?.find(({ declaration }) => declaration.name === 'triage') as DeployedJob
  const { log } = jobPorts(job, { connection, clock: systemClock })
  const cause = { correlationId: undefined, causationId: 'e' }
  const override: JobEvent = { type: 'job.overridden', at: 9, by: 'ann', why: 'seen', decision: { fraud: true } }
  for (let at = 0; at < 10; at++) {
    const fraud = at % 2 === 0
    await log.append(
      `j${at}`,
      0,
      story(`j${at}`, JSON.stringify({ fraud }), { fraud }, at === 1 ? [override] : []),
      cause,
    )
  }
  await log.append('gone', 0, story('gone', '{}', {}).map(renamed), cause)
  const server = await startModelServer({
    // the model of now finds fraud in all but j3
    answers: ({ text }) => modelAnswers.json({ fraud: !text.includes('note of j3') }),
  })
  atEnd(() => server.stop())
  const context = (result: z.ZodType, { json = true, keyed = true } = {}): TestContext => ({
    ...cliContext({ json }),
    env: keyed ? { MILLRACE_MODEL_URL: server.url } : {},
    deployment: async () => withJob(found, result),
    connect: async () => connection,
  })
  const events = (id: string) => readJob(job.records, { connection, clock: systemClock }, id)
  return { server, context, events, folder: await temporaryDirectory() }
})()

function renamed(event: JobEvent): JobEvent {
  return event.type === 'job.requested' ? { ...event, request: { ...event.request, name: 'former' } } : event
}

const Result = z.object({ fraud: z.boolean() })
type Line = Record<string, unknown> & { readonly kind: string }

async function replayed(context: TestContext, flags: Partial<ReplayFlags>): Promise<readonly Line[]> {
  await replayCommand(context, { concurrency: 4, ...flags })
  return context.out
    .text()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

async function codeOf(running: Promise<unknown>): Promise<string> {
  const error = await running.catch((thrown: unknown) => thrown)
  return isFault(error) ? error.code : String(error)
}

test('recorded answers are decided again: no key, no call; what a schema or a human makes different is shown', async () => {
  const { context, server } = await world
  const same = context(Result, { keyed: false })
  const lines = await replayed(same, { check: true })
  const { jobs, same: number, human, otherText } = lines.at(-1) as Line
  assert.equal([jobs, number, human, otherText], [10, 10, { jobs: 1, old: 0, now: 0 }, 10])
  assert.is(same.exit.code, undefined)
  assert.match(same.err.text(), /1 job left out: nothing declares them now/)
  const narrow = context(z.object({ fraud: z.literal(true) }), { keyed: false, json: false })
  await replayCommand(narrow, { concurrency: 1, check: true })
  assert.is(narrow.exit.code, 5)
  const text = narrow.out.text()
  assert.match(text, /j3 +triage +open +\{"fraud":false\} +would be asked\n/)
  assert.match(text, /j1 +triage +open +\{"fraud":false\} +would be asked +\{"fraud":true\} ann: seen\n/)
  assert.not.match(text, /j2 /)
  assert.match(text, /\n10 jobs decided again from recorded answers\n5 same, 0 changed, 0 failed, 5 open\n/)
  const position = lines[4]?.['position'] as number
  const part = await replayed(context(Result), { fromSeq: position, toSeq: position })
  assert.equal(
    part.slice(0, -1).map(({ id }) => id),
    ['j4'],
  )
  assert.is(server.totals().calls, 0)
})

test('asked with another prompt: old beside new decisions, their cost, and the log of the jobs as it was', async () => {
  const { context, server, events, folder } = await world
  const output = join(folder, 'prompt.ndjson')
  const before = await events('j1')
  const lines = await replayed(context(Result), { job: 'triage', promptVersion: 3, output })
  const { same, changed, human, spent, comparison, currency, ended } = lines.at(-1) as Line
  assert.equal([ended, same, changed, human, currency], ['complete', 6, 4, { jobs: 1, old: 0, now: 1 }, 'USD'])
  assert.match(server.calls[0]?.request.text ?? '', /^Judge note of j\d: fraud or not\?$/)
  const paid = comparison as { calls: number; nanos: number }
  assert.equal([paid.calls, (spent as { old: { nanos: number } }).old.nanos], [10, 20_000_000])
  // the stand-in counts a call when it has ended there
  await eventually('10 calls', () => server.totals().billed === 10 || undefined)
  const { inputTokens, outputTokens } = server.totals()
  assert.is(paid.nanos, inputTokens * 1_000 + outputTokens * 5_000)
  assert.equal(await events('j1'), before, 'nothing was written to it')
  const file = (await readFile(output, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  const { toSeq, ...selection } = (file[0]?.['selection'] ?? {}) as { toSeq?: unknown }
  assert.equal([typeof toSeq, selection], ['number', { job: 'triage', promptVersion: 3 }])
  assert.is(file.filter(({ result }) => result !== undefined).length, 10)
  assert.is(await codeOf(replayed(context(Result), { job: 'triage', promptVersion: 3, output })), 'OUTPUT_UNWRITABLE')
})

test('stops at --max-cost and goes on with --resume: paid once, also behind a line that was cut off', async () => {
  const { context, server, folder } = await world
  const output = join(folder, 'cost.ndjson')
  const before = server.totals().billed
  // the stand-in counts a call when it has ended there
  const billed = (calls: number): Promise<true> =>
    eventually(`${calls} calls`, () => server.totals().billed - before === calls || undefined)
  const first = context(Result, { json: false })
  const maxCost = 0.0009
  await replayCommand(first, { concurrency: 2, model: 'claude-sonnet-5-5', job: 'triage', output, maxCost })
  const part = Number(/\n(\d+) of 10 jobs asked again: claude-sonnet-5-5\n/.exec(first.out.text())?.[1])
  assert.ok(part > 0 && part < 10, `${part} calls`)
  await billed(part)
  assert.match(first.err.text(), /stopped: [^]*go on with: millrace job replay --resume /)
  await writeFile(output, `${await readFile(output, 'utf8')}{"id":"j9","eve`)
  const refused = replayed(context(Result), { resume: output, model: 'other' })
  assert.is(await codeOf(refused), 'USAGE')
  const lines = await replayed(context(Result), { resume: output })
  const { ended, jobs, comparison } = lines.at(-1) as Line
  assert.equal([ended, jobs, (comparison as { calls: number }).calls], ['complete', 10, 10])
  await billed(10)
  await replayed(context(Result), { resume: output })
  await billed(10)
})

test('JOB_REPLAY_BUSY of two who go on with a comparison at a time one is told who has it, and nothing is paid twice', async () => {
  const { context, server, folder } = await world
  const output = join(folder, 'twice.ndjson')
  const paid = (): number => server.totals().billed
  const before = paid()
  const maxCost = 0.0009
  await replayed(context(Result), { concurrency: 2, model: 'claude-sonnet-5-5', job: 'triage', output, maxCost })
  const other = await resumedAnswers(output)
  const refused = await replayed(context(Result), { resume: output }).catch((error: unknown) => error)
  assert.ok(isFault(refused, 'JOB_REPLAY_BUSY'), String(refused))
  assert.match(refused.detail, `twice.ndjson: process ${process.pid} on `)
  await other.close()
  await replayed(context(Result), { resume: output })
  await eventually('each is paid once', () => paid() - before === 10 || undefined)
})

test('what cannot be asked is said before anything is: no key, no such version, no price, a file that is none', async () => {
  const { context, server, folder } = await world
  const output = join(folder, 'none.ndjson')
  const calls = server.totals().calls
  const code = (flags: Partial<ReplayFlags>, options = {}) => codeOf(replayed(context(Result, options), flags))
  assert.is(await code({ job: 'triage', promptVersion: 3, output }, { keyed: false }), 'MODEL_KEY_MISSING')
  assert.is(await code({ job: 'triage', promptVersion: 4, output }), 'PROMPT_VERSION_UNKNOWN')
  assert.is(await code({ model: 'claude-opus-5-5', output }), 'PRICE_MISSING')
  assert.is(await code({ job: 'triaje' }), 'DECLARATION_UNKNOWN')
  assert.is(await code({ maxCost: 1 }), 'USAGE')
  assert.is(await code({ promptVersion: 3 }), 'USAGE')
  assert.is(await code({ resume: fileURLToPath(import.meta.url) }), 'INPUT_UNREADABLE')
  assert.is(await code({ resume: join(folder, 'missing') }), 'INPUT_UNREADABLE')
  assert.is(server.totals().calls, calls)
})

test('a sample is the same each time, in the order of the log, and another part of another range', () => {
  const ids = Array.from({ length: 100 }, (_, at) => ({ id: `j${at}` }))
  const some = sampled(ids, 10)
  assert.is(some.length, 10)
  assert.equal(some, sampled(ids.toReversed(), 10).toReversed())
  assert.equal(
    some,
    ids.filter((one) => some.includes(one)),
  )
  assert.is(sampled(ids, 200), ids)
})

test.run()
