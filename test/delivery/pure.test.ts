// The pure core: what follows from arguments alone.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  afterFailure,
  attemptHeaders,
  FIRST_ATTEMPT,
  MOST_TOLD,
  readAttempt,
} from '../../src/delivery/attempt-headers.ts'
import { delayOf, exponential, fixed, fullJitter } from '../../src/delivery/backoff.ts'
import { BatchFormer } from '../../src/delivery/batch-former.ts'
import { decideRecovery } from '../../src/delivery/decide-recovery.ts'
import { fingerprint } from '../../src/delivery/fingerprint.ts'
import { LaneWheel } from '../../src/delivery/lane-wheel.ts'
import { readOrigin, writeOrigin } from '../../src/delivery/origin.ts'
import { crash, deadLetter, permanent, retry, retryAfter } from '../../src/delivery/recovery.ts'
import { shareCredit } from '../../src/delivery/share-credit.ts'
import { fault } from '../../src/error/millrace-error.ts'

const test = suite('the pure core of handlers')
const chance = fc.double({ min: 0, max: 0.999_999, noNaN: true })

test('a backoff never leaves its limits, and full jitter fills them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), chance, (nth, luck) => {
      const limit = Math.min(300_000, 200 * 2 ** Math.min(1_000, nth - 1))
      const jitter = delayOf(fullJitter('200ms', '5m'), nth, () => luck)
      assert.ok(jitter >= 0 && jitter < limit)
      assert.is(
        delayOf(exponential('200ms', '5m'), nth, () => luck),
        limit,
      )
      assert.is(
        delayOf(fixed('1s'), nth, () => luck),
        1_000,
      )
    }),
  )
  const half = delayOf(fullJitter(100, 1_000), 3, () => 0.5)
  assert.is(half, 200)
  assert.throws(() => fullJitter('5m', '200ms'), /HANDLER_INVALID/)
})

test('a decision follows from policy, attempt and error: at once, later, never again', () => {
  const policy = retry({ attempts: 4, immediate: 1, backoff: fixed('10s') })
  const decide = (attempt: number, error: unknown = new Error('x')) =>
    decideRecovery(policy, { attempt, error, chance: () => 0, now: 1_000 })
  assert.equal(decide(1), { kind: 'now' })
  assert.equal(decide(2), { kind: 'later', at: 11_000 })
  assert.equal(decide(4), { kind: 'dead-letter', reason: 'exhausted' })
  assert.equal(decide(1, permanent('no')), { kind: 'dead-letter', reason: 'refused' })
  assert.equal(decide(1, retryAfter('30s', 'slow down')), { kind: 'later', at: 31_000 })
  assert.equal(decide(1, fault('BROKER_TIMEOUT', '')), { kind: 'now' })
  assert.equal(decide(1, fault('EVENT_DATA_INVALID', '')), { kind: 'dead-letter', reason: 'refused' })
  assert.equal(decide(2, 'a string'), { kind: 'later', at: 11_000 })
  const last = { attempt: 1, error: new Error('x'), chance: () => 0, now: 0 }
  assert.equal(decideRecovery(crash(), last), { kind: 'crash' })
  assert.equal(decideRecovery(deadLetter(), last), { kind: 'dead-letter', reason: 'policy' })
  assert.equal(decideRecovery(retry({ attempts: 1, last: crash() }), last), { kind: 'crash' })
})

test('a policy makes as many attempts as it says, whatever the errors and chance', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(40), chance, (attempts, immediate, luck) => {
      const policy = retry({ attempts, immediate })
      let made = 1
      let at = 0
      for (;;) {
        const decision = decideRecovery(policy, { attempt: made, error: new Error('x'), chance: () => luck, now: at })
        if (decision.kind === 'dead-letter') break
        if (decision.kind === 'later') {
          assert.ok(decision.at > at && decision.at <= at + 300_000)
          at = decision.at
        }
        made += 1
      }
      assert.is(made, attempts)
    }),
  )
})

test('attempts go through headers and come back, the last ones at least', () => {
  const failed = fc.record(
    { at: fc.nat(2 ** 31 - 1), code: fc.constantFrom('HANDLER_FAILED', 'BROKER_TIMEOUT') },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(failed, { minLength: 1, maxLength: 80 }), (failures) => {
      let record = FIRST_ATTEMPT
      for (const one of failures) record = afterFailure(record, one)
      const entries = attemptHeaders(record)
      const back = readAttempt({
        get: (name) => entries.find(([other]) => other === name)?.[1],
        entries: () => entries,
      })
      assert.equal(back, record)
      assert.is(back.attempt, failures.length + 1)
      assert.equal(back.attempts, failures.slice(-MOST_TOLD))
    }),
  )
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (attempt, attempts, generation) => {
      const values: Record<string, string> = {
        'Millrace-Attempt': attempt,
        'Millrace-Attempts': attempts,
        'Millrace-Generation': generation,
      }
      const read = readAttempt({ get: (name) => values[name], entries: () => [] })
      assert.ok(read.attempt >= 1 && read.generation >= 0 && read.attempts.length <= MOST_TOLD)
    }),
  )
})

test('an origin goes through a header and comes back', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' })
  fc.assert(
    fc.property(
      text,
      fc.nat(),
      fc.option(fc.nat(1_000), { nil: undefined }),
      text,
      fc.nat(),
      (stream, sequence, member, subject, storedAt) => {
        const origin = { stream, sequence, member, subject, storedAt }
        assert.equal(readOrigin(writeOrigin(origin)), origin)
      },
    ),
  )
  assert.is(readOrigin('nonsense'), undefined)
})

test('lanes that are busy come as often as their weights say, spread out; who is idle is passed over', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }), (weights) => {
      const wheel = new LaneWheel(weights)
      const sum = weights.reduce((all, weight) => all + weight, 0)
      const turns = Array.from({ length: sum * 3 }, () => wheel.next(() => true))
      for (const [place, weight] of weights.entries())
        assert.is(turns.filter((one) => one === place).length, weight * 3)
    }),
  )
  const wheel = new LaneWheel([8, 1])
  assert.equal(
    Array.from({ length: 5 }, () => wheel.next((place) => place === 1)),
    [1, 1, 1, 1, 1],
  )
  assert.is(
    wheel.next(() => false),
    -1,
  )
})

test('DL6 credit that is shared is never more than there is, but one question of each source with nothing in hand', () => {
  const load = fc.record({ held: fc.nat(40), asked: fc.nat(40), backlog: fc.nat(500) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.array(load, { minLength: 1, maxLength: 5 }), (total, loads) => {
      const wheel = new LaneWheel(loads.map((_, at) => at + 1))
      const credits = shareCredit(total, loads, (wants) => wheel.next(wants))
      const before = loads.reduce((sum, { held, asked }) => sum + held + asked, 0)
      const after = credits.reduce((sum, one) => sum + one, 0)
      assert.ok(after <= Math.max(total, before) + loads.length)
      for (const [at, { held, asked }] of loads.entries()) {
        const credit = credits[at] ?? 0
        assert.ok(credit >= held + asked)
        if (held === 0) assert.ok(credit >= 1, 'who has nothing in hand hears of the next one')
      }
      const waits = loads.some(({ backlog, asked }) => backlog > asked)
      if (waits && before < total) assert.ok(after > before, 'what is free goes to who has something')
    }),
  )
})

test('a batch is never larger than allowed nor later than `within`; where few come nobody waits', () => {
  const gaps = fc.array(fc.double({ min: 0, max: 80, noNaN: true }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100 }), (all, most, within) => {
      const former = new BatchFormer({ most, within, adaptive: true })
      let [now, since, waiting] = [0, 0, 0]
      for (const gap of all) {
        const move = waiting === 0 ? undefined : former.decide(waiting, since, now)
        if (move?.kind === 'wait' && move.until <= now + gap) {
          const late = former.decide(waiting, since, move.until)
          assert.is(late.kind, 'take')
        }
        if (move?.kind === 'wait') assert.ok(move.until <= since + within)
        if (move?.kind === 'take') {
          assert.ok(move.count <= most && move.count <= waiting)
          waiting -= move.count
          since = now
        }
        now += gap
        former.arrived(1, now)
        if (waiting === 0) since = now
        waiting += 1
      }
    }),
  )
  const rare = new BatchFormer({ most: 100, within: 50, adaptive: true })
  rare.arrived(1, 10_000)
  assert.equal(rare.decide(1, 10_000, 10_000), { kind: 'take', count: 1 })
  const busy = new BatchFormer({ most: 100, within: 50, adaptive: true })
  for (let at = 0; at < 1_000; at++) busy.arrived(1, at / 10)
  assert.is(busy.decide(5, 99, 99.9).kind, 'wait')
  assert.equal(busy.decide(100, 99, 99.9), { kind: 'take', count: 100 })
  assert.equal(new BatchFormer({ most: 10, within: 50, adaptive: false }).decide(1, 0, 0), { kind: 'wait', until: 50 })
})

test('failures of one kind have one fingerprint, whatever event they met; others have another', () => {
  const stack = (line: number): string =>
    `Error: x\n    at charge (file:///app/pay.ts:${line}:3)\n    at run (file:///app/run.ts:1:1)`
  const one = fingerprint('HANDLER_FAILED', 'account 4711 of "Eve" is closed', stack(10))
  assert.is(fingerprint('HANDLER_FAILED', 'account 9 of "Adam" is closed', stack(12)), one)
  assert.is.not(fingerprint('HANDLER_TIMEOUT', 'account 4711 of "Eve" is closed', stack(10)), one)
  assert.is.not(fingerprint('HANDLER_FAILED', 'account 4711 of "Eve" is frozen', stack(10)), one)
})

test.run()
