// What failures mean and what follows: pure.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fullJitter } from '../../src/delivery/backoff.ts'
import { classifyFailure, type FailureFacts } from '../../src/job/classify-failure.ts'
import { decideRetry } from '../../src/job/decide-retry.ts'
import { readRateHeaders } from '../../src/job/rate-headers.ts'
import { readRetryAfter } from '../../src/job/retry-after.ts'
import { RetryBudget } from '../../src/job/retry-budget.ts'

const test = suite('failures of calls')
const runs = { numRuns: 60 }
const kindOf = (facts: Partial<FailureFacts>) => {
  const { kind, reason } = classifyFailure({ from: 'status', ...facts })
  return `${kind} ${reason}`
}

test('an error code goes before the type, the type before the status, the status before how it showed', () => {
  assert.is(kindOf({ type: 'rate_limit_error', status: 429 }), 'wait rate-limit')
  assert.is(kindOf({ type: 'rate_limit_error', status: 429, errorCode: 'ramp_limit_exceeded' }), 'wait ramp-limit')
  for (const errorCode of ['enforced_spend_limit_reached', 'contract_spend_limit_reached'])
    assert.is(kindOf({ type: 'rate_limit_error', status: 429, errorCode }), 'spend spend-limit')
  assert.is(kindOf({ type: 'rate_limit_error', errorCode: 'a code of next year' }), 'wait rate-limit')
  assert.is(kindOf({ from: 'stream', type: 'overloaded_error' }), 'retry overloaded')
  assert.is(kindOf({ type: 'invalid_request_error', status: 500 }), 'never invalid-request')
  assert.is(kindOf({ status: 529 }), 'retry overloaded')
  for (const status of [400, 413, 422, 404]) assert.is(classifyFailure({ from: 'status', status }).kind, 'never')
  for (const status of [401, 402, 403]) assert.is(classifyFailure({ from: 'status', status }).kind, 'credential')
  for (const status of [408, 409, 500, 502, 503, 504])
    assert.is(classifyFailure({ from: 'status', status }).kind, 'retry')
  for (const from of ['connection', 'timeout', 'idle', 'cut', 'stream'] as const)
    assert.equal([classifyFailure({ from }).kind, classifyFailure({ from }).ill], ['retry', true])
  assert.equal(classifyFailure({ from: 'slow' }), { kind: 'retry', reason: 'timeout', ill: false })
})

test('every failure has a class; a limit never says that the provider is ill', () => {
  const facts = fc.record({
    from: fc.constantFrom<FailureFacts['from']>('status', 'stream', 'connection', 'timeout', 'slow', 'idle', 'cut'),
    type: fc.option(fc.oneof(fc.string(), fc.constant('rate_limit_error')), { nil: undefined }),
    status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
    errorCode: fc.option(fc.string(), { nil: undefined }),
  })
  fc.assert(
    fc.property(facts, (one) => {
      const { kind, ill } = classifyFailure(one)
      assert.ok(['wait', 'retry', 'never', 'credential', 'spend'].includes(kind))
      if (kind !== 'retry') assert.is(ill, false)
    }),
    runs,
  )
})

const policy = { attempts: 4, backoff: fullJitter('1s', '60s'), wait: 5_000 }
const overloaded = classifyFailure({ from: 'status', status: 529 })
const limited = classifyFailure({ from: 'status', status: 429 })

test('nothing comes back before retry-after, nor later than it and the backoff; what is asked to wait uses up no attempt', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(overloaded, limited),
      fc.integer({ min: 1, max: 3 }),
      fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failure, attempts, retryAfter, luck) => {
        const failed = { failure, attempts, retryAfter, deadline: undefined, now: 1_000, chance: () => luck }
        const decided = decideRetry(policy, failed)
        if (decided.kind !== 'again') throw new Error(decided.kind)
        const floor = retryAfter ?? (failure === limited ? policy.wait : 0)
        assert.ok(decided.at >= 1_000 + floor)
        assert.ok(decided.at <= 1_000 + floor + 1_000 * 2 ** (attempts - 1) + 1)
        assert.is(decided.counts, failure === overloaded)
      },
    ),
    runs,
  )
})

test('attempts end, deadlines end, and what no repetition heals is not repeated', () => {
  const failed = { attempts: 4, retryAfter: undefined, deadline: undefined, now: 0, chance: () => 0.5 }
  assert.equal(decideRetry(policy, { ...failed, failure: overloaded }), { kind: 'dead-letter', reason: 'exhausted' })
  assert.is(decideRetry(policy, { ...failed, failure: limited }).kind, 'again')
  assert.equal(decideRetry(policy, { ...failed, failure: limited, retryAfter: 9_000, deadline: 9_000 }), {
    kind: 'dead-letter',
    reason: 'deadline',
  })
  const kinds = [400, 401].map((status) =>
    decideRetry(policy, { ...failed, failure: classifyFailure({ from: 'status', status }) }),
  )
  assert.equal(kinds, [
    { kind: 'dead-letter', reason: 'never' },
    { kind: 'park', what: 'credential' },
  ])
  const spend = classifyFailure({ from: 'status', errorCode: 'enforced_spend_limit_reached' })
  assert.equal(decideRetry(policy, { ...failed, failure: spend }), { kind: 'park', what: 'lane' })
})

test('retry-after: milliseconds go first, dates are read, what is absurd counts as not said', () => {
  const read = (headers: Record<string, string>) =>
    readRetryAfter((name) => headers[name], Date.parse('2026-11-20T10:00:00Z'))
  assert.is(read({ 'retry-after': '7' }), 7_000)
  assert.is(read({ 'retry-after': '7', 'retry-after-ms': '250.5' }), 251)
  assert.is(read({ 'retry-after': 'Fri, 20 Nov 2026 10:00:30 GMT' }), 30_000)
  for (const value of ['', '0', '-3', 'soon', '99999999999', 'Fri, 20 Nov 2020 10:00:30 GMT'])
    assert.is(read({ 'retry-after': value }), undefined, value)
  assert.is(read({}), undefined)
})

test('rate headers are read as they are sent, and half of one is none', () => {
  const headers: Record<string, string> = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': '2026-11-20T10:00:01Z',
    'anthropic-ratelimit-input-tokens-limit': '30000',
    'anthropic-ratelimit-output-tokens-limit': '8000',
    'anthropic-ratelimit-output-tokens-remaining': '',
    'anthropic-ratelimit-output-tokens-reset': '2026-11-20T10:00:01Z',
  }
  assert.equal(
    readRateHeaders((name) => headers[name]),
    { requests: { limit: 50, remaining: 49, resetAt: Date.parse('2026-11-20T10:00:01Z') } },
  )
})

test('in any window repetitions stay below the part that they may be, and who waits as told is let through', () => {
  const rules = { part: 0.1, least: 3, window: 60_000 }
  const step = fc.record({ wait: fc.integer({ min: 0, max: 9_000 }), calls: fc.integer({ min: 0, max: 20 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new RetryBudget(rules)
      const calls: number[] = []
      const repeats: number[] = []
      let now = 0
      for (const { wait, calls: count } of steps) {
        now += wait
        for (let i = 0; i < count; i++) calls.push((budget.called(now), now))
        if (budget.take(now) === 0) repeats.push(now)
        // a slice longer than the window: slices are whole
        const inWindow = (times: number[], ms: number) => times.filter((at) => at > now - ms).length
        assert.ok(inWindow(repeats, 60_000) <= 3 + 0.1 * inWindow(calls, 70_000))
      }
      // what it is told to wait may not be enough, as calls are forgotten as well; each time something is
      let tries = 0
      for (let wait = budget.take(now); wait > 0; wait = budget.take(now)) {
        assert.ok(wait <= 66_000 && ++tries <= 13)
        now += wait
      }
    }),
    runs,
  )
  const spent = new RetryBudget(rules)
  for (let i = 0; i < 3; i++) assert.is(spent.take(0), 0)
  const wait = spent.take(0)
  assert.ok(wait > 0)
  assert.is(spent.take(wait), 0)
})

test('repetitions that are answered take nothing from the budget, whatever their number', () => {
  const budget = new RetryBudget({ part: 0.1, least: 3, window: 60_000 })
  for (let at = 0; at < 300; at++) {
    assert.is(budget.take(at * 500), 0)
    budget.answered()
  }
  for (let i = 0; i < 3; i++) assert.is(budget.take(150_000), 0)
  assert.ok(budget.take(150_000) > 0, 'those that are not do')
})

test('AD2 a repetition that is not made is given back as of when it was taken', () => {
  const budget = new RetryBudget({ part: 0.1, least: 3, window: 60_000 })
  for (const at of [0, 30_000, 30_000]) assert.is(budget.take(at), 0)
  budget.giveBack(0)
  assert.is(budget.take(30_000), 0)
  assert.ok(budget.take(70_000) > 0, 'three of 30 s are not forgotten yet')
  budget.giveBack(0)
  assert.ok(budget.take(70_000) > 0, 'what is forgotten is given back once')
})

test.run()
