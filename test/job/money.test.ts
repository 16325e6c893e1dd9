// Prompts, tokens, prices: pure.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { costOf } from '../../src/job/cost.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import { calibrated, corrected, estimateTokens, UNCALIBRATED } from '../../src/job/estimate-tokens.ts'
import { readPrices } from '../../src/job/prices.ts'
import { renderPrompt, textsOf } from '../../src/job/render-prompt.ts'
import { inputOf, limitedInputOf, NO_USAGE, readUsage } from '../../src/job/usage.ts'

const test = suite('prompts, tokens and prices')
const runs = { numRuns: 60 }
const haiku = {
  input: 0.1,
  output: 0.5,
  cacheRead: 0.01,
  cacheWrite5m: 0.125,
  cacheWrite1h: 0.2,
  above: {
    inputTokens: 100_000,
    rates: { input: 0.5, output: 2.5, cacheRead: 0.05, cacheWrite5m: 0.625, cacheWrite1h: 1 },
  },
  serverTools: { web_search_requests: 10 },
  terms: { batch: 0.5 },
}
const table = readPrices({ version: '2026-10', currency: 'USD', models: { 'claude-haiku-5-5*': haiku } })
const MODEL = 'claude-haiku-5-5-20261001'
const usage = {
  input_tokens: 1_000,
  output_tokens: 200,
  cache_read_input_tokens: 5_000,
  cache_creation_input_tokens: 3_000,
  cache_creation: { ephemeral_5m_input_tokens: 1_000, ephemeral_1h_input_tokens: 2_000 },
  output_tokens_details: { thinking_tokens: 50 },
  server_tool_use: { web_search_requests: 3 },
  service_tier: 'standard',
  speed: 'standard',
  inference_geo: 'not_available',
}

test('every field of the usage is read, and each token counts in one place', () => {
  const read = readUsage(usage)
  assert.equal(read, {
    input: 1_000,
    output: 200,
    cacheRead: 5_000,
    cacheWrite5m: 1_000,
    cacheWrite1h: 2_000,
    thinking: 50,
    serverTools: { web_search_requests: 3 },
    terms: [],
  })
  assert.is(inputOf(read), 9_000)
  assert.is(limitedInputOf(read), 4_000)
  assert.is(readUsage({ cache_creation_input_tokens: 70, cache_creation: null }).cacheWrite5m, 70)
  assert.equal(readUsage({ service_tier: 'batch', speed: 'fast', inference_geo: 'us' }).terms, [
    'batch',
    'fast',
    'geo:us',
  ])
  for (const broken of [undefined, null, 'x', [], { input_tokens: 'many', output_tokens: NaN, server_tool_use: null }])
    assert.equal(readUsage(broken), NO_USAGE)
})

test('a cost is the sum of its parts in whole billionths; a batch costs half; long prompts cost what the table says', () => {
  const cost = costOf(readUsage(usage), MODEL, table)
  assert.equal(cost.parts, {
    input: 100_000,
    output: 100_000,
    cacheRead: 50_000,
    cacheWrite5m: 125_000,
    cacheWrite1h: 400_000,
    serverTools: 30_000_000,
  })
  assert.is(cost.nanos, 30_775_000)
  assert.equal([cost.currency, cost.prices, cost.unpriced], ['USD', '2026-10', []])
  const tokens = { ...usage, server_tool_use: null }
  assert.is(costOf(readUsage({ ...tokens, service_tier: 'batch' }), MODEL, table).nanos, 387_500)
  const long = costOf(readUsage({ input_tokens: 100_001, output_tokens: 10 }), MODEL, table)
  assert.equal(long.parts, { input: 50_000_500, output: 25_000 })
})

test('what has no price is named, and a model without one is refused', () => {
  const odd = readUsage({ input_tokens: 10, service_tier: 'priority', server_tool_use: { code_requests: 2 } })
  assert.equal(costOf(odd, MODEL, table).unpriced, ['priority', 'code_requests'])
  assert.throws(() => costOf(NO_USAGE, 'claude-opus-5-5', table), /PRICE_MISSING.*claude-opus-5-5/)
  assert.throws(() => costOf(NO_USAGE, 'constructor', table), /PRICE_MISSING/)
  assert.throws(
    () => readPrices({ version: '1', currency: 'USD', models: { m: { ...haiku, input: -1 } } }),
    /PRICES_INVALID.*\/models\/m\/input/,
  )
})

test('costs add up: two calls cost what their usage together does, within a billionth for each part', () => {
  const tokens = fc.integer({ min: 0, max: 20_000 })
  const used = fc.record({ input_tokens: tokens, output_tokens: tokens, cache_read_input_tokens: tokens })
  fc.assert(
    fc.property(used, used, (a, b) => {
      const nanos = (one: object) => costOf(readUsage(one), MODEL, table).nanos
      const both = {
        input_tokens: a.input_tokens + b.input_tokens,
        output_tokens: a.output_tokens + b.output_tokens,
        cache_read_input_tokens: a.cache_read_input_tokens + b.cache_read_input_tokens,
      }
      const [sum, together] = [nanos(a) + nanos(b), nanos(both)]
      assert.ok(Number.isSafeInteger(sum) && sum >= together && sum - together <= 3)
    }),
    runs,
  )
})

test('an estimate grows with what is said, and learns what a prompt really takes', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => assert.ok(estimateTokens([a, b]) >= estimateTokens([a]))),
    runs,
  )
  let learnt = UNCALIBRATED
  for (let i = 0; i < 40; i++) learnt = calibrated(learnt, 1_000, 1_500)
  assert.is(corrected(1_000, learnt), 1_500)
  assert.ok(calibrated(learnt, 1_000, 9_000_000).factor < 2)
  assert.is(calibrated(learnt, 0, 10).factor, learnt.factor)
})

test('a prompt is its content: any change of a text or a mark changes the hash, and nothing else does', () => {
  const make = (text: string, more: object = {}) =>
    definePrompt({ id: 'triage', version: 1, system: ['rules'], user: text, ...more })
  assert.match(make('a').hash, /^[0-9a-f]{64}$/)
  assert.is(make('a').hash, make('a', { id: 'other', version: 2 }).hash)
  const hashes = ['a', 'b'].map((text) => make(text).hash)
  const moved = definePrompt({ id: 'triage', version: 1, user: ['rules', 'a'] }).hash
  const marked = make('a', { system: [{ text: 'rules', cache: '5m' }] }).hash
  assert.is(new Set([...hashes, moved, marked]).size, 4)
})

test('values go into their places as they are, and are not read as places again', () => {
  const prompt = definePrompt({
    id: 'triage',
    version: 2,
    system: [{ text: 'rules', cache: '1h' }],
    user: '{{ name }} paid {{payment.amount}} at {{payment.places.1}}: {{payment}}',
  })
  const input = { name: '{{secret}} $& $1', secret: 'no', payment: { amount: 3, places: ['x', 'Ulm'] } }
  const rendered = renderPrompt(prompt, input)
  assert.equal(rendered.system, [{ type: 'text', text: 'rules', cache_control: { type: 'ephemeral', ttl: '1h' } }])
  assert.is(textsOf(rendered).at(-1), '{{secret}} $& $1 paid 3 at Ulm: {"amount":3,"places":["x","Ulm"]}')
  const pointer = /PROMPT_VALUE_MISSING.*triage, version 2: \/payment\/amount/
  for (const missing of [{ name: 'n' }, { name: 'n', payment: { amount: null } }, undefined, 'x'])
    assert.throws(
      () => renderPrompt(definePrompt({ id: 'triage', version: 2, user: '{{payment.amount}}' }), missing),
      pointer,
    )
  assert.throws(() => renderPrompt(definePrompt({ id: 'p', version: 1, user: '{{constructor}}' }), {}), /VALUE_MISSING/)
})

test('prompts that cannot be are refused where they are declared', () => {
  const refused = (options: object, why: RegExp) =>
    assert.throws(() => definePrompt({ id: 'p', version: 1, user: 'x', ...options }), why)
  refused({ id: 'a b' }, /id/)
  refused({ version: 0 }, /version/)
  refused({ user: '' }, /user\[0\] has no text/)
  refused({ user: [] }, /user is empty/)
  refused({ user: [{ text: 'x', cache: '2h' }] }, /cache "2h"/)
  refused({ user: Array.from({ length: 5 }, () => ({ text: 'x', cache: '5m' })) }, /at most 4/)
  refused({ system: [{ text: 'x', cache: '5m' }], user: [{ text: 'x', cache: '1h' }] }, /1h.* come before/)
})

test.run()
