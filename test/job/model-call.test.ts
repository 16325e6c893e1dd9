// Calls of a model, by the real SDK, against the stand-in.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { anthropicClient } from '../../src/job/anthropic-client.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import { callModel, type BilledCall, type CallOutcome, type ModelCallOptions } from '../../src/job/model-call.ts'
import type { ModelAsk } from '../../src/job/model-client.ts'
import { renderPrompt } from '../../src/job/render-prompt.ts'
import { resultSchemaOf } from '../../src/job/result-schema.ts'
import { inputOf } from '../../src/job/usage.ts'
import type { ModelCall, ModelServer, ModelServerOptions } from '../../src/testing.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually } from '../support/broker.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const test = suite('calls of models')

const Triage = z.object({ fraud: z.boolean(), score: z.number().min(0).max(100), reason: z.string() })
const prompt = definePrompt({
  id: 'triage',
  version: 1,
  system: [{ text: 'Rules. '.repeat(100), cache: '5m' }],
  user: 'Payment of {{amount}}. Is it fraud?',
})
const schema = resultSchemaOf('triage', Triage)
const ask: ModelAsk = { model: 'claude-haiku-5-5', maxTokens: 500, schema, ...renderPrompt(prompt, { amount: 12 }) }

interface Calling {
  readonly server: ModelServer
  readonly bills: BilledCall[]
  call(options?: Partial<ModelCallOptions<typeof Triage>>): Promise<CallOutcome<z.output<typeof Triage>>>
}

async function calling(options: ModelServerOptions, work: (calling: Calling) => Promise<void>): Promise<void> {
  const server = await startModelServer(options)
  const client = await anthropicClient({ apiKey: undefined, baseUrl: server.url })
  const bills: BilledCall[] = []
  const call: Calling['call'] = (more = {}) =>
    callModel({
      client,
      ask,
      result: Triage,
      clock: systemClock,
      limits: { idle: 20_000, most: 60_000 },
      signal: new AbortController().signal,
      record: async (bill) => void bills.push(bill),
      ...more,
    })
  try {
    await work({ server, bills, call })
  } finally {
    await server.stop()
  }
}

/** What came of a call, in one word. */
function wordOf(outcome: CallOutcome<unknown>): string {
  return outcome.kind === 'failed' ? `${outcome.failure.kind} ${outcome.failure.reason}` : outcome.kind
}

test('MC2 an answer is read as it comes, billed as the provider says, and is what the schema says', () => {
  const said = { fraud: true, score: 88, reason: 'Geschwindigkeit, und 😀 mehr' }
  return calling({ answers: [modelAnswers.json(said)], limits: { requests: 50 } }, async ({ call, bills, server }) => {
    const texts: string[] = []
    const outcome = await call({ onText: (text) => texts.push(text) })
    if (outcome.kind !== 'valid') throw new Error(wordOf(outcome))
    assert.equal(outcome.result, said)
    assert.ok(texts.length > 1)
    assert.is(texts.join(''), JSON.stringify(said))
    assert.match(outcome.requestId ?? '', 'standin')
    assert.is(outcome.rates.requests?.remaining, 49)
    const [bill] = bills
    const { inputTokens, outputTokens } = server.totals()
    assert.equal(
      [inputOf(bill?.usage as never), bill?.usage.output, bill?.estimated],
      [inputTokens, outputTokens, false],
    )
    assert.ok((bill?.usage.cacheWrite5m ?? 0) > 100)
    const asked = server.calls[0]?.request
    assert.match(asked?.text ?? '', 'Payment of 12')
    assert.equal(Object.keys((asked as { schema: { properties: object } }).schema.properties), [
      'fraud',
      'score',
      'reason',
    ])
  })
})

test('MC1 every failure of the provider has its class, and costs what was sent', () =>
  calling(
    {
      answers: [
        modelAnswers.rateLimited('7'),
        modelAnswers.rateLimited('7', { errorCode: 'enforced_spend_limit_reached' }),
        modelAnswers.overloaded({ headers: { 'retry-after': '2' } }),
        modelAnswers.error('api_error'),
        modelAnswers.error('invalid_request_error'),
        modelAnswers.error('authentication_error'),
        modelAnswers.reset(),
        modelAnswers.failing('overloaded_error', 1),
        modelAnswers.failing('rate_limit_error', 1),
        modelAnswers.torn(1),
        modelAnswers.refusal('fraud'),
        modelAnswers.truncated('{"fraud": tr'),
        modelAnswers.json({ fraud: 'maybe' }),
        modelAnswers.text('I would say no.'),
      ],
    },
    async ({ call, bills, server }) => {
      const words: string[] = []
      const waits: unknown[] = []
      while (words.length < 14) {
        const outcome = await call()
        words.push(wordOf(outcome))
        if (outcome.kind === 'failed' && outcome.retryAfter !== undefined) waits.push(outcome.retryAfter)
        if (outcome.kind === 'refused') assert.is(outcome.category, 'fraud')
        if (outcome.kind === 'invalid') assert.ok(outcome.issues.length > 0)
        if (outcome.kind !== 'failed' || words.at(-1) === 'retry overloaded')
          assert.match(String(outcome.requestId), 'standin')
      }
      assert.equal(words, [
        'wait rate-limit',
        'spend spend-limit',
        'retry overloaded',
        'retry server-error',
        'never invalid-request',
        'credential authentication',
        'retry connection',
        'retry overloaded',
        'wait rate-limit',
        'retry stream-broken',
        'refused',
        'truncated',
        'invalid',
        'invalid',
      ])
      assert.equal(waits, [7_000, 7_000, 2_000])
      assert.equal([bills.length, server.totals().billed], [7, 7])
      const estimated = bills.map((bill) => bill.estimated)
      assert.equal(estimated, [true, true, true, false, false, false, false])
    },
  ))

test('MC1 MC3 what stalls is given up, what is cut is no answer, and pings are signs of life', () =>
  calling(
    {
      answers: [
        modelAnswers.stalled(1),
        modelAnswers.silent(),
        modelAnswers.cut(3),
        modelAnswers.json(
          { fraud: false, score: 1, reason: 'it thinks' },
          { deltaEvery: 50, pings: 30, deltaLength: 99 },
        ),
      ],
    },
    async ({ call, bills, server }) => {
      // by a clock of its own, which goes on when the first has said what it says, and the second is asked
      const clock = new VirtualClock()
      const idle = { clock, limits: { idle: 1_000, most: 60_000 } }
      let begun = false
      const stalls = call({ ...idle, onText: () => void (begun = true) })
      await eventually('it begins', () => begun)
      await clock.pass(2_000)
      assert.is(wordOf(await stalls), 'retry idle')
      const silent = call(idle)
      await eventually('it is asked', () => server.calls.length === 2)
      await clock.pass(2_000)
      assert.is(wordOf(await silent), 'retry idle')
      assert.is(wordOf(await call()), 'retry stream-cut')
      assert.is(bills.length, 2)
      assert.is(wordOf(await call({ limits: { idle: 1_000, most: 60_000 } })), 'valid')
    },
  ))

test('a call whose time is over says that the provider is ill only where no answer had begun', () =>
  calling(
    { answers: [modelAnswers.silent(), modelAnswers.json({ fraud: false }, { deltaEvery: 30, deltaLength: 1 })] },
    async ({ call }) => {
      for (const ill of [true, false]) {
        const clock = new VirtualClock()
        // its time is over when the first text comes, or before it does
        const over = (): void => void clock.pass(60_000)
        const called = call({ clock, limits: { idle: 99_000, most: 60_000 }, ...(ill ? {} : { onText: over }) })
        if (ill) over()
        const outcome = await called
        assert.equal([wordOf(outcome), outcome.kind === 'failed' && outcome.failure.ill], ['retry timeout', ill])
      }
    },
  ))

test('an aborted call ends at once, is no failure, and is billed for what had come', () =>
  calling({ answers: () => modelAnswers.text('x'.repeat(4_000), { deltaEvery: 10 }) }, async ({ call, bills }) => {
    const lease = new AbortController()
    const outcome = await call({ signal: lease.signal, onText: () => lease.abort() })
    assert.is(outcome.kind, 'aborted')
    assert.is(bills.length, 1)
    assert.ok(bills[0]?.estimated === true && bills[0].usage.output > 0)
    const before = await call({ signal: lease.signal })
    assert.is(before.kind, 'aborted')
    assert.is(bills.length, 1)
  }))

test('MC2 where the bill cannot be stored, nobody is told of an answer', () =>
  calling({}, async ({ call }) => {
    const outcome = call({ record: () => Promise.reject(new Error('the log is away')) })
    let thrown: unknown
    await outcome.catch((error: unknown) => (thrown = error))
    assert.match(String(thrown), 'the log is away')
  }))

test('a repair shows the model its answer and what is wrong with it', () =>
  calling({}, async ({ call, server }) => {
    const outcome = await call({
      ask: { ...ask, repair: { text: '{"fraud": 1}', wrong: '/fraud: a boolean is expected' } },
    })
    assert.is(outcome.kind, 'valid')
    const { messages } = (server.calls[0] as ModelCall).request.body as { messages: { role: string }[] }
    assert.equal(
      messages.map(({ role }) => role),
      ['user', 'assistant', 'user'],
    )
    assert.match(server.calls[0]?.request.text ?? '', 'a boolean is expected')
  }))

test('MC1 MC2 with all faults but silence at once: each call ends with a verdict, and the bills are the server’s', () =>
  calling(
    {
      seed: 'all',
      faults: {
        'rate-limited': 0.06,
        overloaded: 0.12,
        'server-error': 0.06,
        invalid: 0.06,
        reset: 0.06,
        cut: 0.06,
        torn: 0.06,
        'failed-in-stream': 0.06,
        refusal: 0.06,
        truncated: 0.06,
        'invalid-output': 0.06,
      },
    },
    async ({ call, bills, server }) => {
      const amounts = Array.from({ length: 60 }, (_, amount) => renderPrompt(prompt, { amount }))
      const outcomes = await Promise.all(amounts.map((rendered) => call({ ask: { ...ask, ...rendered } })))
      const words = new Set(outcomes.map(wordOf))
      assert.ok(words.size >= 8 && words.has('valid'), [...words].join(', '))
      const totals = server.totals()
      assert.is(totals.calls, 60)
      assert.is(bills.length, totals.billed)
      const input = bills.reduce((sum, { usage }) => sum + inputOf(usage), 0)
      assert.is(input, totals.inputTokens)
      const valid = outcomes.filter(({ kind }) => kind === 'valid').length
      assert.is(valid, server.calls.filter(({ fault }) => fault === undefined).length)
    },
  ))

test('what cannot be asked for is refused before anything is asked', async () => {
  assert.throws(() => resultSchemaOf('triage', z.object({ at: z.date() })), /JOB_RESULT_INVALID.*triage/)
  assert.throws(() => resultSchemaOf('triage', z.array(z.string())), /JOB_RESULT_INVALID.*an object/)
  let refused: unknown
  await anthropicClient({ apiKey: undefined, baseUrl: undefined }).catch((error: unknown) => (refused = error))
  assert.match(String(refused), 'MODEL_KEY_MISSING')
})

test('an assembled stream is the message, wherever its pieces begin', async () => {
  const texts = fc.array(
    fc.string({ minLength: 1, maxLength: 30 }).map((text) => `${text}😀ü`),
    { minLength: 1, maxLength: 3 },
  )
  const { MessageAssembly } = await import('../../src/job/message-assembly.ts')
  const { framePlan } = await import('../../src/testing/model-server/event-stream.ts')
  const { messageJson } = await import('../../src/testing/model-server/message-json.ts')
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 9 }), fc.nat(20), (said, length, cutAt) => {
      const input = { input: 3, read: 4, written5m: 0, written1h: 5 }
      const content = said.map((text) => ({ type: 'text', text }) as const)
      const message = messageJson({ kind: 'message', content }, { number: 1, model: 'm', input, batch: false })
      const whole = new MessageAssembly()
      for (const { data } of framePlan(message, { deltaLength: length }).frames) whole.add(data)
      assert.is(whole.text, said.join(''))
      assert.equal([whole.complete, whole.stopReason, whole.model], [true, 'end_turn', 'm'])
      assert.equal([inputOf(whole.usage().usage), whole.usage().estimated], [12, false])
      const part = new MessageAssembly()
      for (const { data } of framePlan(message, { deltaLength: length, breaks: { kind: 'cut', afterDeltas: cutAt } })
        .frames)
        part.add(data)
      assert.is(part.complete, false)
      assert.ok(said.join('').startsWith(part.text) && part.usage().estimated)
    }),
    { numRuns: 40 },
  )
})

test.run()
