import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Seeded } from '../../../src/time/seeded.ts'
import { LEASE_MS } from '../../../src/delivery/limits/shared-limiter.ts'
import type { ModelGate } from '../../../src/job/limits/model-gate.ts'
import { ANSWERED, callOf, failed, gatesOf, NEVER, pass, passed } from './gates.ts'

const test = suite('model gate')
const WAIT = { from: 'status', type: 'rate_limit_error', status: 429 } as const
const RESET = { from: 'status', type: 'conflict_error', status: 409 } as const
const ILL = { from: 'status', type: 'overloaded_error', status: 529 } as const

test('MG1 in any time three processes have no more admitted, less what they gave back, than comes in it, the burst, leases and a call each', async () => {
  const [PER_MINUTE, BURST, MOST] = [60_000, 3_000, 900]
  const { clock, gates } = gatesOf(3, { perMinute: { outputTokens: PER_MINUTE, requests: 600 }, burst: BURST })
  const seeded = new Seeded('calls')
  const chance = () => seeded.random()
  const events: { readonly at: number; readonly tokens: number }[] = []
  const stop = new AbortController()
  const greedy = async (gate: ModelGate): Promise<void> => {
    while (!stop.signal.aborted) {
      const outputTokens = 100 + Math.floor(chance() * (MOST - 100))
      const answer = await gate.pass(callOf({ outputTokens }), stop.signal)
      if (answer.kind !== 'passed') {
        await clock.sleep(50, stop.signal)
        continue
      }
      events.push({ at: clock.now(), tokens: outputTokens })
      await clock.sleep(20 + chance() * 300, stop.signal)
      const used = Math.floor(chance() * outputTokens)
      events.push({ at: clock.now(), tokens: used - outputTokens })
      await answer.left(ANSWERED, { inputTokens: 100, outputTokens: used })
    }
  }
  const ends = Promise.allSettled(gates.flatMap((gate) => [greedy(gate), greedy(gate), greedy(gate)]))
  await pass(clock, 8_000)
  stop.abort(new Error('enough'))
  await pass(clock, 500)
  await ends
  const leases = (2 * LEASE_MS * PER_MINUTE) / 60_000
  for (const [first, { at: from }] of events.entries()) {
    let sum = 0
    for (const { at, tokens } of events.slice(first)) {
      sum += tokens
      const allowed = BURST + leases + 3 * MOST + ((at - from) * PER_MINUTE) / 60_000
      assert.ok(sum <= allowed, `${sum} in ${at - from} ms, allowed are ${allowed}`)
    }
  }
  const used = events.reduce((sum, { tokens }) => sum + tokens, 0)
  assert.ok(used > (8_000 / 60_000) * PER_MINUTE * 0.7, `${used}: what is given back is used by others`)
})

test('MG2 a class that one was told to leave alone is left alone by all at once, and is no sign of illness', async () => {
  const { clock, gates } = gatesOf(2, { perMinute: { requests: 6_000 }, burst: 500 })
  const [one, other] = gates as [ModelGate, ModelGate]
  for (let n = 0; n < 8; n++) await passing(clock, passed(one)).then((call) => call.left(failed(WAIT), undefined))
  assert.is(one.closed, undefined, '429 never opens the breaker')
  const call = await passing(clock, passed(one))
  const until = clock.now() + 3_000
  await call.left(failed(WAIT, { frozenUntil: until }), undefined)
  await pass(clock, 5)
  assert.is(other.closed?.at, until)
  assert.is(other.places, 0)
  const answer = await other.pass(callOf(), NEVER)
  assert.equal([answer.kind, answer.kind === 'later' && answer.at], ['later', until])
  await pass(clock, 3_000)
  assert.is(other.closed, undefined)
  await passing(clock, passed(other))
})

test('MG2 an ill provider is left alone by all, then tried with one call', async () => {
  const { clock, gates } = gatesOf(2)
  const [one, other] = gates as [ModelGate, ModelGate]
  for (let n = 0; n < 4; n++) await passing(clock, passed(one)).then((call) => call.left(failed(ILL), undefined))
  await pass(clock, 20)
  assert.match(other.closed?.why ?? '', /4 of 4 failed, the last with overloaded/)
  const waits = [one, other].map(({ closed }) => (closed?.at ?? 0) - clock.now())
  assert.ok(Math.min(...waits) > 29_000, waits.join(' '))
  await pass(clock, 30_100)
  let began = 0
  const asking = [one, other, one, other].map(async (gate) => {
    const answer = await gate.pass(callOf(), NEVER)
    if (answer.kind === 'passed') began += 1
    return answer
  })
  await pass(clock, 50)
  assert.is(began, 1, 'the probe')
  await pass(clock, 3_000)
  const answers = await Promise.race([Promise.all(asking), pass(clock, 9_000)])
  assert.ok(answers !== undefined, 'the others are told when to come again')
  for (const answer of answers) if (answer.kind === 'passed') await answer.left(ANSWERED, undefined)
  await pass(clock, 20)
  assert.equal([one.closed, other.closed], [undefined, undefined])
  await passing(clock, passed(other))
})

test('what the provider says is left only lowers what is there, for all', async () => {
  const { clock, gates } = gatesOf(2, { perMinute: { requests: 60 }, burst: 10 })
  const [one, other] = gates as [ModelGate, ModelGate]
  const [call, later] = [await passing(clock, passed(one)), await passing(clock, passed(one))]
  const rates = (remaining: number) => ({ requests: { limit: 60, remaining, resetAt: clock.now() + 60_000 } })
  await call.left({ kind: 'answered', rates: rates(5_000) }, undefined)
  await pass(clock, 20)
  for (let n = 0; n < 3; n++) await passing(clock, passed(other))
  await later.left({ kind: 'answered', rates: rates(0) }, undefined)
  await pass(clock, 20)
  const began = clock.now()
  const next = passed(other)
  await pass(clock, 1_500)
  await next
  let waited = false
  void passed(other).then(() => (waited = true))
  await pass(clock, 200)
  assert.not(waited)
  await pass(clock, 1_500)
  assert.ok(waited && clock.now() - began > 1_500)
})

test('places: one more when all were used and it went well, fewer after a bad sign; who is urgent goes first', async () => {
  const { clock, gates } = gatesOf(1, { most: 2 })
  const [gate] = gates as [ModelGate]
  const [first, second] = [await passed(gate), await passed(gate)]
  const order: string[] = []
  for (const [name, lane] of [
    ['a', 'batch'],
    ['b', 'standard'],
    ['c', 'urgent'],
  ] as const)
    void passed(gate, { lane }).then((call) => {
      order.push(name)
      return call.left(ANSWERED, undefined)
    })
  await pass(clock, 50)
  assert.equal(order, [])
  await first.left(ANSWERED, undefined)
  await pass(clock, 50)
  assert.equal(order, ['a', 'c', 'b'], 'a was at the head when it came')
  await second.left(failed(ILL), undefined)
  assert.is(gate.places, 1)
})

test('a wait that is too long is not waited for, and what was given up has taken nothing', async () => {
  const { clock, gates } = gatesOf(1, { perMinute: { outputTokens: 600, inputTokens: 60_000 }, burst: 100 })
  const [gate] = gates as [ModelGate]
  await passing(clock, passed(gate, { outputTokens: 300 }))
  const answer = await gate.pass(callOf(), NEVER)
  assert.ok(answer.kind === 'later' && answer.at - clock.now() > 20_000, JSON.stringify(answer))
  await pass(clock, 15_000, 50)
  const given = new AbortController()
  const waiting = gate.pass(callOf(), given.signal).catch((error: unknown) => error)
  await pass(clock, 100)
  given.abort(new Error('stop'))
  assert.match(String(await waiting), /stop/)
  await pass(clock, 40_000, 50)
  await passing(clock, passed(gate))
})

test('repetitions that fail are a part of the calls: what is above it waits; those that are answered take nothing', async () => {
  const { clock, gates } = gatesOf(1)
  const [gate] = gates as [ModelGate]
  const kinds: string[] = []
  for (let n = 0; n < 44; n++) {
    const answer = await gate.pass(callOf({ repeats: true }), NEVER)
    kinds.push(answer.kind)
    if (answer.kind === 'passed') await answer.left(n < 30 ? ANSWERED : failed(RESET), undefined)
    else assert.ok(answer.at > clock.now())
  }
  assert.equal(kinds.lastIndexOf('passed'), 39)
})

test('AD2 a repetition that does not begin, as its wait is ended or its class closes, is there for others', async () => {
  const { clock, gates } = gatesOf(1, { perMinute: { outputTokens: 60_000 }, burst: 100 })
  const [gate] = gates as [ModelGate]
  // more than the budget has, of each
  for (let n = 0; n < 15; n++) {
    const running = await passing(clock, passed(gate, { outputTokens: 300 }))
    const given = new AbortController()
    const waiting = gate.pass(callOf({ repeats: true }), given.signal).catch((error: unknown) => error)
    await pass(clock, 10)
    given.abort(new Error('stop'))
    assert.match(String(await waiting), /stop/)
    const waits = gate.pass(callOf({ repeats: true }), NEVER)
    await pass(clock, 10)
    const until = clock.now() + 1_000
    await running.left(failed(WAIT, { frozenUntil: until }), { inputTokens: 100, outputTokens: 300 })
    await pass(clock, 1_000)
    const answer = await waits
    assert.equal([answer.kind, answer.kind === 'later' && answer.at], ['later', until], `${n}`)
  }
  await passing(clock, passed(gate, { repeats: true }))
})

/** What comes while time passes. */
async function passing<T>(clock: Parameters<typeof pass>[0], promise: Promise<T>): Promise<T> {
  const waits = { over: false }
  const over = (): void => void (waits.over = true)
  promise.then(over, over)
  for (let n = 0; n < 400 && !waits.over; n++) await pass(clock, 5)
  return promise
}

test.run()
