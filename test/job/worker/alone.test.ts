// What one job, or one model, meets for itself does not hold up the others.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixed, fullJitter, type Backoff } from '../../../src/delivery/backoff.ts'
import { classifyFailure } from '../../../src/job/classify-failure.ts'
import { decideJob } from '../../../src/job/decide-job.ts'
import type { JobRequest } from '../../../src/job/job-event.ts'
import { evolveJob, NO_JOB, type JobState } from '../../../src/job/job-state.ts'
import { afterCall, type AfterCall } from '../../../src/job/worker/after-call.ts'
import { MOST_WAITS, nextStep } from '../../../src/job/worker/next-step.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { atEnd } from '../../support/cleanup.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { jobContext, work } from './working-jobs.ts'

const test = suite('what is for one alone')
const RATE_LIMITED = classifyFailure({ from: 'status', type: 'rate_limit_error', status: 429 })
const request: JobRequest = {
  id: 'a',
  name: 'judge',
  lane: 'standard',
  tenant: 'acme',
  input: {},
  inputEvents: ['a'],
  deadline: undefined,
}

/** A job that is told to wait each time it asks. @returns where it stands, and what followed from the last call */
function toldToWait(times: number): { readonly state: JobState; readonly after: AfterCall } {
  const retry = { attempts: 2, backoff: fullJitter('1s', '60s'), wait: 1_000 }
  let state: JobState = evolveJob(NO_JOB, { type: 'job.requested', at: 0, request })
  let after: AfterCall | undefined
  for (let time = 0; time < times; time++) {
    const now = (after?.again ?? 0) + 1
    state = told(state, { kind: 'start', owner: 'w', model: 'm', prompt, estimatedTokens: 1 }, now)
    if (state.kind !== 'running') throw new Error(state.kind)
    const outcome = { kind: 'failed', failure: RATE_LIMITED, message: '', retryAfter: 1_000, ...NOTHING } as const
    const { account, attempt } = state
    const made = { job: { retry }, account, attempt, outcome, billed: undefined, aborted: '', now, chance: () => 0.999 }
    after = afterCall(made)
    for (const command of after.commands) state = told(state, command, now)
  }
  if (after === undefined) throw new Error('never')
  return { state, after }
}

const prompt = { id: 'p', version: 1, hash: 'h' }
const NOTHING = { requestId: undefined, billed: undefined, rates: {} }

function told(state: JobState, command: Parameters<typeof decideJob>[1], now: number): JobState {
  const verdict = decideJob(state, command, now)
  if (verdict.kind === 'refused') throw new Error(verdict.why)
  return verdict.state
}

test('who is told to wait has all wait, three times; then it waits alone, and longer each time', () => {
  for (const times of [1, 2, 3, 4, 10, 20]) {
    const { state, after } = toldToWait(times)
    assert.is(after.end.kind === 'failed' && after.end.frozenUntil !== undefined, times <= 3, String(times))
    assert.is(state.kind === 'waiting' && state.account.counted, 0, 'it is no attempt')
  }
  const waitOf = (times: number): number =>
    (toldToWait(times).after.again ?? 0) - (toldToWait(times - 1).after.again ?? 0)
  assert.ok(waitOf(10) > waitOf(2) + 30_000, `${waitOf(2)} ms, then ${waitOf(10)} ms`)
})

/** What follows from the first call of a job, which the provider tells to wait for a second. */
function onceTold(backoff: Backoff, deadline?: number): AfterCall {
  const retry = { attempts: 2, backoff, wait: 5_000 }
  const requested = { ...request, deadline }
  const begin = evolveJob(NO_JOB, { type: 'job.requested', at: 0, request: requested })
  const state = told(begin, { kind: 'start', owner: 'w', model: 'm', prompt, estimatedTokens: 1 }, 1)
  if (state.kind !== 'running') throw new Error(state.kind)
  const outcome = { kind: 'failed', failure: RATE_LIMITED, message: '', retryAfter: 1_000, ...NOTHING } as const
  const made = { job: { retry }, account: state.account, attempt: 1, outcome, billed: undefined, aborted: '' }
  return afterCall({ ...made, now: 10, chance: () => 0.5 })
}

test('MG2 others wait for as long as the provider asks them to, however long a job waits by itself', () => {
  const { end, again } = onceTold(fixed('30m'))
  assert.is(again, 10 + 1_000 + 30 * 60_000)
  assert.is(end.kind === 'failed' && end.frozenUntil, 10 + 1_000)
})

test('MG2 a job that has no time to wait dies, and others wait all the same', () => {
  const { end, commands } = onceTold(fixed(1), 500)
  assert.ok(commands.some((command) => command.kind === 'dead-letter' && command.code === 'JOB_DEADLINE_OVER'))
  assert.is(end.kind === 'failed' && end.frozenUntil, 10 + 1_000)
})

test('JW1 a job that is told to wait for ever ends', () => {
  const step = (times: number) => nextStep(toldToWait(times).state, { message: 1, now: Number.MAX_SAFE_INTEGER })
  assert.is(step(MOST_WAITS - 1).kind, 'ask')
  const last = step(MOST_WAITS)
  assert.equal([last.kind, last.kind === 'give-up' && last.code], ['give-up', 'JOB_EXHAUSTED'])
})

test('a model that the key may not ask keeps its own jobs waiting, and no others', async () => {
  const connection = await sharedConnection()
  const server = await startModelServer({
    answers: ({ model }) =>
      model === 'forbidden' ? modelAnswers.error('permission_error') : modelAnswers.json({ verdict: 'fine' }),
  })
  atEnd(() => server.stop())
  const retry = { backoff: fixed(300) }
  const forbidden = await jobContext(connection, { model: 'forbidden', retry })
  const allowed = await jobContext(connection, { retry })
  const worker = await work(allowed, server.url, { queues: [...forbidden.places, ...allowed.places] })
  for (const id of ['x', 'y', 'z']) await forbidden.request(id)
  await eventually('one was refused', () => server.totals().calls > 0)
  const ids = ['a', 'b', 'c', 'd', 'e']
  for (const id of ids) await allowed.request(id)
  for (const id of ids) assert.is((await allowed.over(id)).kind, 'decided')
  assert.is(worker.status.stall, undefined)
  for (const id of ['x', 'y', 'z']) {
    const state = await eventually('it waits', async () => {
      const found = await forbidden.state(id)
      return found.kind === 'waiting' ? found : undefined
    })
    assert.is(state.account.counted, 0)
  }
})

test.run()
