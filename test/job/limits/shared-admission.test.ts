import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../../src/error/millrace-error.ts'
import type { CacheLife } from '../../../src/job/define-prompt.ts'
import { dayOf, readCosts } from '../../../src/job/costs/cost-counters.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { sharedServer } from '../../support/nats.ts'
import { timeBeforeMidnight } from '../../support/same-day.ts'
import { admissionOf, admitted, billed, PRICES } from './admissions.ts'
import { ANSWERED, callOf, failed, NEVER } from './gates.ts'

const test = suite('shared admission')
const WAIT = { from: 'status', type: 'rate_limit_error', status: 429 } as const
// costs and budgets are those of a day
test.before.each(() => timeBeforeMidnight(60_000))

let count = 0
/** Tenants of no other test. */
const tenantOf = (name: string): string => `${name}-${process.pid}-${count++}`

test('AD1 what a call has cost is counted once, however often it is told, by tenant, job and day', async () => {
  const connection = await sharedConnection()
  const admission = await admissionOf({ connection, models: { prices: PRICES } })
  const tenant = tenantOf('a')
  const call = { job: `${tenant}-1`, tenant, attempt: 3 }
  const permit = await admitted(admission, call)
  const bill = billed({ input: 1_000, output: 100, cacheRead: 1_000 })
  assert.equal([await permit.settle(bill), await permit.settle(bill)], [1_600_000, 1_600_000])
  await permit.end(ANSWERED)
  // the message comes again: the same attempt of the same job
  const again = await admitted(admission, call)
  assert.is(await again.settle(bill), 1_600_000)
  await again.end(ANSWERED)
  const next = await admitted(admission, { ...call, attempt: 4 })
  await next.settle(bill)
  await next.end(ANSWERED)
  const [costs, ...more] = await readCosts(connection, systemClock, { tenant })
  assert.equal([costs?.day, costs?.name, more.length], [dayOf(Date.now()), 'triage', 0])
  const { calls, input, cached, output, nanos, saved } = costs?.tally ?? ({} as never)
  assert.equal([calls, input, cached, output, nanos, saved], [2, 4_000, 2_000, 200, 3_200_000, 1_800_000])
})

test('AD1 BU1 a budget demotes, then rejects until the next day; what calls may cost is held while they run', async () => {
  const connection = await sharedConnection()
  let now = Date.UTC(2026, 10, 22, 23, 0, 0) + count * 864e5 * 400
  const models = { prices: PRICES, budgets: { default: { soft: 0.01, hard: 0.02 } } }
  const shared = { connection, models, now: () => now, credential: tenantOf('key') }
  const [one, other] = [await admissionOf(shared), await admissionOf(shared)]
  const tenant = tenantOf('b')
  // 2,000 in and 1,000 out: it may cost 0.007
  const call = { tenant, inputTokens: 2_000, outputTokens: 1_000 }
  const verdict = async (admission = other, more: object = {}) =>
    admission.admit(callOf({ ...call, name: 'triage', ...more }), NEVER)
  const [first, second] = [await admitted(one, call), await admitted(other, call)]
  const third = await verdict(one)
  assert.is(third.kind, 'later', 'two calls hold 0.014')
  await first.settle(billed({ input: 2_000, output: 1_000 }))
  await first.end(ANSWERED)
  await second.end({ kind: 'aborted' })
  const fourth = await verdict()
  assert.is(fourth.kind, 'admitted', 'what was given up holds nothing')
  if (fourth.kind === 'admitted') {
    await fourth.permit.settle(billed({ input: 2_000, output: 800 }))
    await fourth.permit.end(ANSWERED)
  }
  const resetAt = Math.ceil(now / 864e5) * 864e5
  assert.equal(await verdict(one), { kind: 'demoted', resetAt }, '0.013 is spent')
  assert.equal(await verdict(), { kind: 'demoted', resetAt }, 'the other process knows')
  const batch = await verdict(one, { lane: 'batch' })
  assert.is(batch.kind, 'admitted', 'what waits in batch is not demoted again')
  if (batch.kind === 'admitted') {
    await batch.permit.settle(billed({ input: 2_000, output: 1_000 }))
    await batch.permit.end(ANSWERED)
  }
  assert.equal(await verdict(other, { lane: 'batch' }), { kind: 'rejected', resetAt }, '0.020 is spent')
  assert.equal(await verdict(one, { outputTokens: 1, inputTokens: 1 }), { kind: 'rejected', resetAt })
  // a process that begins reads what was spent
  assert.is((await verdict(await admissionOf(shared))).kind, 'rejected')
  assert.is((await verdict(one, { tenant: tenantOf('c') })).kind, 'admitted', 'another tenant')
  now = resetAt + 1
  assert.is((await verdict(one)).kind, 'admitted', 'another day')
})

test('AD1 a call of a batch is counted at half the price, once; a budget that is used up lets none into one', async () => {
  const connection = await sharedConnection()
  const now = Date.UTC(2026, 10, 22, 12) + count * 864e5 * 400
  const models = { prices: PRICES, budgets: { default: { soft: 0.001, hard: 0.01 } } }
  const { batched } = await admissionOf({ connection, models, now: () => now })
  const tenant = tenantOf('e')
  const call = callOf({ tenant, name: 'triage', lane: 'batch', inputTokens: 2_000, outputTokens: 1_000 })
  assert.is(await batched.admit(call, NEVER), undefined)
  const bill = billed({ input: 2_000, output: 1_000, terms: ['batch'] })
  const own = { job: call.job, context: 'SHOP', name: 'triage', attempt: 1, tenant, model: 'm' }
  assert.equal([await batched.settle(own, bill), await batched.settle(own, bill)], [3_500_000, 3_500_000])
  const [costs] = await readCosts(connection, systemClock, { tenant })
  assert.equal([costs?.tally.calls, costs?.tally.nanos, costs?.tally.saved], [1, 3_500_000, 3_500_000])
  assert.is(await batched.admit({ ...call, attempt: 2 }, NEVER), undefined, 'above soft: it is where it would be sent')
  await batched.settle({ ...own, attempt: 2 }, bill)
  const resetAt = Math.ceil(now / 864e5) * 864e5
  assert.equal(await batched.admit({ ...call, attempt: 3 }, NEVER), { kind: 'rejected', resetAt })
  const unknown = batched.admit({ ...call, model: 'other' }, NEVER)
  assert.ok(isFault(await unknown.catch((error: unknown) => error), 'PRICE_MISSING'))
})

test('CO1 jobs of two contexts that have one name and one id are counted both', async () => {
  const connection = await sharedConnection()
  const admission = await admissionOf({ connection, models: { prices: PRICES } })
  const tenant = tenantOf('both')
  const call = callOf({ tenant, name: 'triage' })
  for (const context of ['SHOP', 'BANK', 'SHOP']) {
    const permit = await admitted(admission, { ...call, context })
    await permit.settle(billed({ input: 100 }))
    await permit.end(ANSWERED)
    await admission.batched.settle({ ...call, job: `batched-${call.job}`, context }, billed({ input: 100 }))
  }
  assert.is((await readCosts(connection, systemClock, { tenant }))[0]?.tally.calls, 4)
})

test('AD1 a call whose prompt is to be kept by the provider may cost twice its input: so much is held for it', async () => {
  const connection = await sharedConnection()
  const models = { prices: PRICES, budgets: { default: { hard: 0.01 } } }
  const admission = await admissionOf({ connection, models })
  const kindOf = async (cacheLives: readonly CacheLife[], inputTokens: number) => {
    const call = callOf({ tenant: tenantOf('w'), name: 'triage', inputTokens, outputTokens: 0, cacheLives })
    const verdicts = [await admission.admit(call, NEVER), await admission.batched.admit(call, NEVER)]
    return verdicts.map((verdict) => verdict?.kind)
  }
  assert.equal(await kindOf([], 6_000), ['admitted', undefined])
  assert.equal(await kindOf(['5m'], 6_000), ['admitted', undefined], '0.0075')
  assert.equal(await kindOf(['5m', '1h'], 6_000), ['rejected', undefined], '0.012, in a batch the half')
  assert.equal(await kindOf(['1h'], 11_000), ['rejected', 'rejected'])
})

test('a call of before midnight counts for the day in which it was admitted', async () => {
  const connection = await sharedConnection()
  const midnight = Date.UTC(2027, 0, 1)
  let now = midnight - 1_000
  const models = { prices: PRICES, budgets: { default: { hard: 0.01 } } }
  const admission = await admissionOf({ connection, models, now: () => now })
  const tenant = tenantOf('d')
  const permit = await admitted(admission, { tenant, outputTokens: 1_500 })
  now = midnight + 1_000
  await permit.settle(billed({ output: 1_500 }))
  await permit.end(ANSWERED)
  assert.equal(
    (await readCosts(connection, systemClock, { tenant })).map(({ day, tally }) => [day, tally.nanos]),
    [['2026-12-31', 7_500_000]],
  )
  await admitted(admission, { tenant, outputTokens: 1_500 })
})

test('AD1 a call in a batch has a budget, half the price, and no limits by the minute; what it cost is counted by whoever is told', async () => {
  const connection = await sharedConnection()
  const classes = { m: { models: ['m*'], perMinute: { requests: 1 } } }
  const shared = { connection, models: { prices: PRICES, classes, budgets: { default: { hard: 0.01 } } } }
  const [one, other] = [await admissionOf(shared), await admissionOf(shared)]
  const tenant = tenantOf('g')
  const call = (job: string) => ({
    ...callOf({ tenant, outputTokens: 1_200, inputTokens: 0 }),
    job: `${tenant}-${job}`,
  })
  for (const job of ['1', '2', '3']) assert.is(await one.batched.admit(call(job), NEVER), undefined, 'it holds 0.003')
  assert.is((await other.batched.admit(call('4'), NEVER))?.kind, 'later')
  const bill = billed({ output: 1_200, terms: ['batch'] })
  assert.equal([await other.batched.settle(call('1'), bill), await one.batched.settle(call('1'), bill)], [3e6, 3e6])
  await other.batched.settle(call('2'), billed({ output: 100, terms: ['batch'] }))
  assert.is(await other.batched.admit(call('4'), NEVER), undefined)
  assert.is((await other.batched.admit(call('5'), NEVER))?.kind, 'later')
  assert.is(await one.batched.settle(call('4'), undefined), undefined, 'it failed, and was not billed')
  assert.is(await other.batched.admit(call('5'), NEVER), undefined, 'what was held for it is free')
  await one.batched.settle(call('5'), undefined)
  await other.batched.settle(call('3'), bill)
  await other.batched.settle(call('4'), bill)
  assert.is((await one.batched.admit(call('5'), NEVER))?.kind, 'rejected')
  const [costs] = await readCosts(connection, systemClock, { tenant })
  assert.equal([costs?.tally.calls, costs?.tally.nanos, costs?.tally.saved], [4, 9_250_000, 9_250_000])
})

test('a model without a price or a class is refused before anything is taken', async () => {
  const connection = await sharedConnection()
  const classes = { small: { models: ['m-small'] } }
  const admission = await admissionOf({ connection, models: { prices: PRICES, classes } })
  const refused = (model: string) => admission.admit(callOf({ model }), NEVER).catch((error: unknown) => error)
  assert.ok(isFault(await refused('x'), 'PRICE_MISSING'))
  assert.ok(isFault(await refused('m-large'), 'MODEL_CLASS_UNKNOWN'))
  const permit = await admitted(admission, { model: 'm-small' })
  await permit.end({ kind: 'aborted' })
})

test('without models.yaml all are admitted, and what they cost is not known', async () => {
  const admission = await admissionOf({ connection: await sharedConnection() })
  assert.is(admission.places, 8)
  const tenant = tenantOf('e')
  const permits = await Promise.all([1, 2, 3].map(() => admitted(admission, { tenant, outputTokens: 1e9 })))
  for (const permit of permits) {
    assert.is(await permit.settle(billed({ input: 5 })), undefined)
    await permit.end(ANSWERED)
  }
  assert.is(admission.places, 8)
  const [costs] = await readCosts(await sharedConnection(), systemClock, { tenant })
  assert.equal([costs?.tally.calls, costs?.tally.unpriced, costs?.tally.input], [3, 3, 15])
})

test('MG2 what one process is told to leave alone, all with the same key do, and nobody else', async () => {
  const { url } = await sharedServer()
  const shared = { models: { classes: { small: { models: ['m*'] } } }, credential: tenantOf('key') }
  const one = await admissionOf({ ...shared, connection: await connectTo(url) })
  const other = await admissionOf({ ...shared, connection: await connectTo(url) })
  const third = await admissionOf({ ...shared, connection: await connectTo(url), credential: 'another' })
  await (await admitted(other)).end(ANSWERED)
  let changes = 0
  other.onChange(() => changes++)
  const until = Date.now() + 600_000
  await (await admitted(one)).end(failed(WAIT, { frozenUntil: until }))
  await eventually('the other has heard of it', () => other.places === 0)
  assert.ok(changes > 0)
  assert.match(other.closed.map(({ why }) => why).join(), /^the provider asks to leave small alone until \d{4}-/)
  const verdict = await other.admit(callOf({ model: 'm-2' }), NEVER)
  assert.equal([verdict.kind, verdict.kind === 'later' && verdict.at], ['later', until])
  await (await admitted(third)).end(ANSWERED)
})

test('AD2 what is given up while it waits has held nothing', async () => {
  const connection = await sharedConnection()
  const models = {
    prices: PRICES,
    budgets: { default: { hard: 1 } },
    classes: { m: { models: ['m*'], perMinute: { requests: 6 } } },
  }
  const admission = await admissionOf({ connection, models })
  const tenant = tenantOf('f')
  await (await admitted(admission, { tenant })).end({ kind: 'aborted' })
  const stop = new AbortController()
  // nearly all of the budget
  const call = callOf({ tenant, outputTokens: 190_000 })
  const waiting = admission.admit(call, stop.signal).catch((error: unknown) => error)
  await eventually('it is held', async () => {
    const verdict = await admission
      .admit(callOf({ tenant, outputTokens: 190_000 }), AbortSignal.abort(new Error('x')))
      .catch(() => undefined)
    return verdict?.kind === 'later'
  })
  stop.abort(new Error('stop'))
  assert.match(String(await waiting), /stop/)
  const other = await admission
    .admit(callOf({ tenant, outputTokens: 190_000 }), AbortSignal.abort(new Error('gone')))
    .catch(String)
  assert.match(String(other), /gone/, 'it had the budget, and was given up')
})

test('the place of a call that is over is free at once, and does not wait until its budget is', async () => {
  const connection = await sharedConnection()
  const models = { prices: PRICES, budgets: { default: { hard: 1 } }, classes: { m: { models: ['m*'] } } }
  const admission = await admissionOf({ connection, models })
  const [first, second] = [await admitted(admission), await admitted(admission)]
  await first.end(failed(WAIT, { frozenUntil: Date.now() + 600_000 }))
  await eventually('only what runs has places', () => admission.places === 1)
  const ending = second.end({ kind: 'aborted' })
  assert.is(admission.places, 0)
  await ending
})

test.run()
