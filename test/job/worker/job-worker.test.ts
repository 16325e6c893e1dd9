// What the worker makes of every kind of answer, on a real server and with the real SDK.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JobState } from '../../../src/job/job-state.ts'
import { fixed } from '../../../src/delivery/backoff.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer, type ModelServerOptions } from '../../../src/testing/model-server/model-server.ts'
import { atEnd } from '../../support/cleanup.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { jobContext, work } from './working-jobs.ts'

const test = suite('the worker of jobs')

async function model(options: ModelServerOptions = {}) {
  const server = await startModelServer(options)
  atEnd(() => server.stop())
  return server
}

const good = modelAnswers.json({ verdict: 'fine' })

test('JW1 JW2 a job is asked, its answer billed, checked and decided, and its message is gone', async () => {
  const context = await jobContext(await sharedConnection())
  const server = await model({ answers: [good] })
  const worker = await work(context, server.url)
  await context.request('a')
  const state = await context.over('a')
  assert.equal([state.kind, state.kind === 'decided' && state.decision], ['decided', { verdict: 'fine' }])
  const { begun, billed, counted, inputTokens, outputTokens } = state.account
  assert.equal([begun, billed, counted], [1, [1], 0])
  const totals = server.totals()
  assert.equal([inputTokens, outputTokens], [totals.inputTokens, totals.outputTokens])
  await eventually('the queue is empty', async () => (await context.queued()) === 0 || undefined)
  await eventually('nothing is in hand', () => worker.status.held === 0 || undefined)
  assert.is(await context.request('a'), 'found', 'the same request again')
  assert.is(server.totals().calls, 1)
})

type Dead = Extract<JobState, { kind: 'dead' }>
const wrong = modelAnswers.json({ other: 1 })

const ENDS: readonly (readonly [
  what: string,
  options: ModelServerOptions,
  ends: readonly [kind: 'decided' | 'dead', code: string | undefined, begun: number, counted: number, calls: number],
])[] = [
  ['overloaded, then good', { answers: [modelAnswers.overloaded(), good] }, ['decided', undefined, 2, 1, 2]],
  ['a reset connection', { answers: [modelAnswers.reset(), good] }, ['decided', undefined, 2, 1, 2]],
  ['a cut stream', { answers: [modelAnswers.cut(), good] }, ['decided', undefined, 2, 1, 2]],
  ['an error in the stream', { answers: [modelAnswers.failing(), good] }, ['decided', undefined, 2, 1, 2]],
  ['a wait that is asked for', { answers: [modelAnswers.rateLimited('1'), good] }, ['decided', undefined, 2, 0, 2]],
  ['what is mended', { answers: [wrong, good] }, ['decided', undefined, 2, 0, 2]],
  ['what is wrong twice', { answers: [wrong, wrong] }, ['dead', 'JOB_OUTPUT_INVALID', 2, 0, 2]],
  ['a refusal', { answers: [modelAnswers.refusal()] }, ['dead', 'JOB_DECLINED', 1, 0, 1]],
  ['a truncated answer', { answers: [modelAnswers.truncated('{"ver')] }, ['dead', 'JOB_TRUNCATED', 1, 0, 1]],
  [
    'a refused request',
    { answers: [modelAnswers.error('invalid_request_error')] },
    ['dead', 'JOB_CALL_REFUSED', 1, 0, 1],
  ],
  ['five times overloaded', { answers: () => modelAnswers.overloaded() }, ['dead', 'JOB_EXHAUSTED', 5, 5, 5]],
]

for (const [what, options, [kind, code, begun, counted, calls]] of ENDS)
  test(`JW1 JW2 of every kind of answer: ${what}, ${kind} ${code ?? ''}`, async () => {
    const context = await jobContext(await sharedConnection())
    const server = await model(options)
    await work(context, server.url)
    await context.request('a')
    const state = await context.over('a')
    const found = [state.kind, (state as Dead).code, state.account.begun, state.account.counted, server.totals().calls]
    assert.equal(found, [kind, code, begun, counted, calls])
    assert.is(state.account.billed.length, server.totals().billed)
    await eventually('the queue is empty', async () => (await context.queued()) === 0 || undefined)
    const letter = await context.letter(1)
    assert.is(letter?.header('Millrace-Dead-Code'), code)
    assert.is(
      letter === undefined ? undefined : new TextDecoder().decode(letter.data),
      code && '{"text":"a","by":"acme"}',
    )
  })

// so long that no good answer on a busy machine is taken for one that stalls
test('what stalls is given up after the time that its job gives it', async () => {
  const context = await jobContext(await sharedConnection(), { idle: 3_000, retry: { backoff: fixed(300) } })
  const server = await model({ answers: [modelAnswers.stalled(), modelAnswers.silent(), good] })
  await work(context, server.url)
  await context.request('a')
  const state = await context.over('a')
  assert.equal([state.kind, state.account.begun, state.account.counted], ['decided', 3, 2])
  assert.is(state.account.billed.length, 2, 'what had begun is billed')
})

test('a deadline that is over ends a job before it is asked, and one that comes back dies at its deadline', async () => {
  const context = await jobContext(await sharedConnection(), { deadline: 600, retry: { backoff: fixed(400) } })
  const server = await model({ answers: () => modelAnswers.overloaded() })
  await context.request('late')
  await new Promise((resolve) => setTimeout(resolve, 700))
  await work(context, server.url)
  const late = await context.over('late')
  assert.equal([late.kind, (late as Dead).code, late.account.begun], ['dead', 'JOB_DEADLINE_OVER', 0])
  assert.is(server.totals().calls, 0)
  await context.request('soon')
  assert.is(((await context.over('soon')) as Dead).code, 'JOB_DEADLINE_OVER')
})

test('a dead job that is redriven begins anew, once for each generation, with a letter of its own', async () => {
  const context = await jobContext(await sharedConnection())
  const refused = modelAnswers.error('invalid_request_error')
  const server = await model({ answers: [refused, refused, good] })
  await work(context, server.url)
  await context.request('a')
  await context.over('a')
  await eventually('its letter', () => context.letter(1))
  assert.is(await context.request('a', 'b', { generation: 1 }), 'redriven')
  await eventually('it is dead again', async () => {
    const state = await context.state('a')
    return (state.kind === 'dead' && state.account.generation === 1) || undefined
  })
  assert.is(await context.request('a', 'b', { generation: 1 }), 'found', 'a delivery that comes late')
  const letter = await eventually('its second letter', () => context.letter(1, 'g1'))
  assert.is(letter.header('Millrace-Dead-Generation'), '1')
  assert.is(await context.request('a', 'c', { generation: 2 }), 'redriven')
  const state = await eventually('it is decided', async () => {
    const found = await context.state('a')
    return found.kind === 'decided' ? found : undefined
  })
  assert.equal(state.account.request.input, { text: 'c', by: 'acme' }, 'with what the event says now')
  assert.is(server.totals().calls, 3)
})

test.run()
