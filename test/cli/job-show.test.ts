import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { showCommand } from '../../src/cli/job/show-command.ts'
import { costText, priceText, saidBy } from '../../src/cli/job/job-story.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { JobEvent, JobRequest } from '../../src/job/job-event.ts'
import { NO_USAGE } from '../../src/job/usage.ts'
import { discover } from '../../src/runtime/discover.ts'
import type { DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { jobPorts } from '../../src/runtime/open-job.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo } from '../support/broker.ts'
import { cliContext } from '../support/cli-context.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('cli: job show')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))

const request: JobRequest = {
  id: 'e1',
  name: 'triage',
  lane: 'urgent',
  tenant: 'acme',
  input: { orderId: 'a1', amount: 5_000 },
  inputEvents: ['e1'],
  deadline: 601_000,
}
const prompt = { id: 'triage', version: 2, hash: 'abcdef0123456789' }
const billed = { usage: { ...NO_USAGE, input: 1_000, output: 200 }, nanos: 1_500_000, estimated: false }
const STORY: readonly JobEvent[] = [
  { type: 'job.requested', at: 1_000, request },
  { type: 'job.admitted', at: 2_000, attempt: 1, estimatedTokens: 1_234 },
  { type: 'job.attempt-started', at: 2_000, attempt: 1, owner: 'w1', model: 'claude-haiku-5-5', prompt },
  {
    type: 'job.attempt-failed',
    at: 3_000,
    attempt: 1,
    reason: 'overloaded',
    counts: true,
    again: 4_000,
    requestId: 'req_1',
    billed: undefined,
  },
  { type: 'job.admitted', at: 4_000, attempt: 2, estimatedTokens: 1_234 },
  { type: 'job.attempt-started', at: 4_000, attempt: 2, owner: 'w2', model: 'claude-haiku-5-5', prompt },
  { type: 'job.completed', at: 5_000, attempt: 2, requestId: 'req_2', stopReason: 'end_turn', text: '{}', billed },
  { type: 'job.validated', at: 5_000, attempt: 2, result: { fraud: true } },
  { type: 'job.decided', at: 5_000, attempt: 2, decision: { fraud: true } },
  { type: 'job.overridden', at: 9_000, by: 'ann', why: 'the customer called', decision: { fraud: false } },
]

test('tells the whole story of a job from its events, for people and as JSON; what is not there has a code', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const [job] = deployment.jobs as [DeployedJob]
  const { log } = jobPorts(job, { connection, clock: systemClock })
  const cause = { correlationId: undefined, causationId: 'e1' }
  assert.ok(await log.append('e1', 0, STORY, cause))
  assert.not.ok(await log.append('e1', 3, STORY.slice(-1), cause), 'it has another version')
  const contextOf = (json: boolean) => ({
    ...cliContext({ json }),
    deployment: async () => deployment,
    connect: async () => connection,
  })
  const context = contextOf(false)
  await showCommand(context, 'e1')
  const lines = context.out.text().split('\n')
  assert.is(lines[0], 'job e1: triage, urgent, tenant acme')
  for (const line of [
    'state:     decided by ann',
    'decision:  {"fraud":false}',
    'input:     {"orderId":"a1","amount":5000}',
    'deadline:  1970-01-01 00:10:01.000',
    'attempts:  2 begun, 1 failed that count, 1 billed',
    'billed:    1,000 tokens in, 200 out, 0.0015',
  ])
    assert.ok(lines.includes(line), `${line}\n${context.out.text()}`)
  const table = lines.slice(lines.indexOf('') + 2, -1)
  assert.is(table.length, STORY.length)
  assert.match(
    table[3] ?? '',
    /job\.attempt-failed +1 +overloaded, again from 1970-01-01 00:00:04\.000, req_1, not billed$/,
  )
  assert.match(table[5] ?? '', /2 +claude-haiku-5-5, prompt triage 2 \(abcdef01\), by w2$/)
  assert.match(table[6] ?? '', /end_turn, req_2, 1,000 tokens in, 200 out, 0\.0015$/)
  assert.match(table[9] ?? '', /by ann, the customer called, \{"fraud":false\}$/)

  const json = contextOf(true)
  await showCommand(json, 'e1')
  const [told] = (JSON.parse(json.out.text()) as { jobs: Record<string, unknown>[] }).jobs
  assert.equal([told?.['id'], told?.['state'], told?.['nanos'], told?.['begun']], ['e1', 'decided', 1_500_000, 2])
  assert.equal([told?.['stream'], told?.['decision']], ['SHOP_JOBS', { fraud: false }])
  assert.equal(told?.['events'], JSON.parse(JSON.stringify(STORY)))

  const [requested, admitted, started] = STORY as [JobEvent, JobEvent, JobEvent]
  const second = [admitted, started].map((event) => ({ ...event, attempt: 2 }) as JobEvent)
  assert.ok(await log.append('e3', 0, [requested, admitted, started, ...second], cause))
  const lost = contextOf(false)
  await showCommand(lost, 'e3')
  assert.match(lost.out.text(), /\nnot known: +the bills of 1 call without an answer, 1,234 tokens at most\n/)

  const error = await showCommand(contextOf(false), 'e2').catch((thrown: unknown) => thrown)
  assert.ok(isFault(error, 'JOB_NOT_FOUND'))
})

test('why a job changed its lane is told', () => {
  const until = (at: number): string => `the end of ${at}`
  assert.is(
    saidBy({ type: 'job.promoted', at: 1, usual: 3_600_000 }, until),
    'to the lane standard: batches take 1h 0m, and its deadline is nearer',
  )
  assert.match(saidBy({ type: 'job.demoted', at: 1, until: 7 }, until), /to the lane batch: .* until the end of 7/)
})

test('a price is written with two digits or as many as it has', () => {
  assert.equal([0, 1, 1_500_000, 2_500_000_000].map(priceText), ['0.00', '0.000000001', '0.0015', '2.50'])
})

test('what had no price is not said to have cost nothing', () => {
  assert.equal([costText(0, 0, 0), costText(0, 2, 2), costText(1_500_000, 3, 1)], ['0.00', 'no price', '0.0015 + ?'])
})

test.run()
