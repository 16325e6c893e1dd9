// The stand-in, asked by the real SDK: everything that goes wrong with the real one.
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  ContentTooLargeError,
  GatewayTimeoutError,
  InternalServerError,
  NotFoundError,
  OverloadedError,
  PaymentRequiredError,
  PermissionDeniedError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ModelAnswer } from '../../../src/testing.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { eventually } from '../../support/broker.ts'
import { asking, clientOf, MODEL, rejection } from './asking.ts'

const test = suite('faults of the stand-in')

test('each type of error comes with its status, class and retry-after', async () => {
  const cases: [ModelAnswer, number, string, unknown][] = [
    [modelAnswers.rateLimited('7'), 429, 'rate_limit_error', RateLimitError],
    [modelAnswers.overloaded(), 529, 'overloaded_error', OverloadedError],
    [modelAnswers.error('invalid_request_error'), 400, 'invalid_request_error', BadRequestError],
    [modelAnswers.error('authentication_error'), 401, 'authentication_error', AuthenticationError],
    [modelAnswers.error('billing_error'), 402, 'billing_error', PaymentRequiredError],
    [modelAnswers.error('permission_error'), 403, 'permission_error', PermissionDeniedError],
    [modelAnswers.error('not_found_error'), 404, 'not_found_error', NotFoundError],
    [modelAnswers.error('conflict_error'), 409, 'conflict_error', ConflictError],
    [modelAnswers.error('request_too_large'), 413, 'request_too_large', ContentTooLargeError],
    [modelAnswers.error('api_error'), 500, 'api_error', InternalServerError],
    [modelAnswers.error('timeout_error'), 504, 'timeout_error', GatewayTimeoutError],
  ]
  await asking({ answers: cases.map(([answer]) => answer) }, async ({ ask, server }) => {
    for (const [, status, type, Class] of cases) {
      const error = await rejection(ask())
      assert.is(error['status'], status)
      assert.is(error['type'], type)
      assert.instance(error, Class as never)
      if (status === 429) assert.is((error['headers'] as Headers).get('retry-after'), '7')
    }
    assert.is(server.totals().billed, 0)
    assert.equal(server.totals().ended, { refused: cases.length })
  })
  assert.throws(() => modelAnswers.error('none_such'), /TEST_INVALID/)
})

test('a spend limit is told by its error code', () =>
  asking(
    { answers: [modelAnswers.rateLimited(undefined, { errorCode: 'enforced_spend_limit_reached' })] },
    async ({ ask }) => {
      const error = await rejection(ask())
      assert.is(error['errorCode'], 'enforced_spend_limit_reached')
      assert.is(error.constructor.name, 'EnforcedSpendLimitReachedError')
    },
  ))

test('MS3 an error in a stream has its type and no status, and what was sent is billed', () =>
  asking({ answers: [modelAnswers.failing('overloaded_error', 2, 'x'.repeat(100))] }, async ({ stream, server }) => {
    const error = await rejection(stream().finalMessage())
    assert.is(error['status'], undefined)
    assert.is(error['type'], 'overloaded_error')
    // 25 tokens in five deltas, two of which were sent
    assert.is(server.calls[0]?.billed?.outputTokens, 10)
    assert.is(server.calls[0]?.ended, 'error')
  }))

test('MS3 a stream that is cut ends without message_stop, one that is torn with an error of the connection', () =>
  asking({ answers: [modelAnswers.cut(1), modelAnswers.torn(1), modelAnswers.cut(0)] }, async ({ client, server }) => {
    const events = async () => {
      const seen: string[] = []
      const stream = await client.messages.create({
        model: MODEL,
        max_tokens: 9,
        stream: true,
        messages: [{ role: 'user', content: 'x' }],
      })
      for await (const { type } of stream) seen.push(type)
      return seen
    }
    assert.equal(await events(), ['message_start', 'content_block_start', 'content_block_delta'])
    assert.match((await rejection(events())).message, 'terminated')
    assert.equal(await events(), ['message_start', 'content_block_start'])
    assert.equal(server.totals().ended, { cut: 2, torn: 1 })
    assert.is(server.totals().billed, 3)
  }))

test('a body that stalls hangs until its client gives up, in a stream and in one piece; so does one without headers', () =>
  asking({ answers: () => modelAnswers.stalled(2) }, async ({ client, server }) => {
    const params = { model: MODEL, max_tokens: 9, messages: [{ role: 'user' as const, content: 'x' }] }
    for (const asked of [
      (signal: AbortSignal) => client.messages.create(params, { signal }),
      (signal: AbortSignal) => client.messages.stream(params, { signal }).finalMessage(),
    ]) {
      const patience = new AbortController()
      const seen = server.calls.length
      const refused = rejection(asked(patience.signal))
      while (server.calls.length === seen) await new Promise((resolve) => setTimeout(resolve, 5))
      patience.abort()
      await refused
    }
    assert.equal(server.totals().ended, { stalled: 2 })
    const silent = await startModelServer({ answers: [modelAnswers.silent(), modelAnswers.reset()] })
    const other = clientOf(silent).messages
    assert.instance(await rejection(other.create(params, { timeout: 1_000 })), APIConnectionTimeoutError)
    assert.instance(await rejection(other.create(params)), APIConnectionError)
    assert.is(silent.totals().billed, 0)
    await silent.stop()
  }))

test('a client that goes away amid a slow stream is seen', () =>
  asking({ answers: () => modelAnswers.text('x'.repeat(2_000), { deltaEvery: 20 }) }, async ({ stream, server }) => {
    const asked = stream()
    await new Promise<void>((resolve) => asked.once('text', () => resolve()))
    asked.abort()
    await rejection(asked.finalMessage())
    await eventually('it is seen', () => server.calls.length > 0)
    assert.is(server.calls[0]?.ended, 'aborted')
  }))

test('MS2 faults follow from the seed, the body and the attempt, in whatever order the requests come', async () => {
  const faults = { overloaded: 0.2, 'rate-limited': 0.2, refusal: 0.1 }
  const questions = Array.from({ length: 40 }, (_, at) => `question ${at}`)
  const met = async (order: readonly string[], seed: string) => {
    const found = new Map<string, string>()
    await asking({ faults, seed }, async ({ ask, server }) => {
      await Promise.all(order.map((text) => ask(text).catch(() => undefined)))
      for (const { request, fault } of server.calls) found.set(request.text, fault ?? 'none')
    })
    return questions.map((text) => found.get(text))
  }
  const forth = await met(questions, 'a')
  assert.equal(await met([...questions].reverse(), 'a'), forth)
  assert.not.equal(await met(questions, 'b'), forth)
  assert.ok(new Set(forth).size >= 3)
  let refused: unknown
  await startModelServer({ faults: { overloaded: 0.8, cut: 0.3 } }).catch((error: unknown) => (refused = error))
  assert.match(String(refused), 'TEST_INVALID')
})

test('a script that throws is seen by who asks', () =>
  asking(
    {
      answers: () => {
        throw new Error('no answer to that')
      },
    },
    async ({ ask }) => {
      assert.match((await rejection(ask())).message, 'no answer to that')
    },
  ))

test.run()
