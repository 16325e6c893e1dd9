import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CLOSED,
  nextMove,
  probed,
  probing,
  readBreakerState,
  renewed,
  tripped,
  type BreakerState,
} from '../../../src/delivery/limits/breaker.ts'
import { defineDependency } from '../../../src/delivery/limits/define-dependency.ts'
import { OutcomeWindow } from '../../../src/delivery/limits/outcome-window.ts'
import { isFault } from '../../../src/error/millrace-error.ts'

const test = suite('breaker')
const RULES = { failures: 0.5, of: 4, within: 1_000, open: 100, most: 500, probes: 1 }
const LEASE = 50

test('DP1 it opens, is tried once when its time is over, and closes or opens for twice as long', () => {
  const open = tripped(CLOSED, RULES, 10_000, 'why') as BreakerState
  assert.equal(open, { kind: 'open', until: 10_100, trips: 1, cause: 'why' })
  assert.is(probing(open, 'a', 10_099, LEASE), undefined)
  const tried = probing(open, 'a', 10_100, LEASE) as BreakerState
  assert.is(probing(tried, 'b', 10_149, LEASE), undefined)
  assert.is(probed(tried, RULES, { owner: 'b', now: 10_120, outcome: 'ok' }), undefined)
  const again = probed(tried, RULES, { owner: 'a', now: 10_120, outcome: 'failed' })
  assert.equal(again, { kind: 'open', until: 10_320, trips: 2, cause: 'why' })
  assert.is(probed(tried, RULES, { owner: 'a', now: 10_120, outcome: 'ok' })?.kind, 'closed')
})

test('DP1 who has the probe and is silent loses it; who renews it keeps it', () => {
  const open = tripped(CLOSED, RULES, 0, '') as BreakerState
  const tried = probing(open, 'a', 100, LEASE) as BreakerState
  const kept = renewed(tried, 'a', 140, LEASE) as BreakerState
  assert.is(probing(kept, 'b', 160, LEASE), undefined)
  const taken = probing(kept, 'b', 190, LEASE) as BreakerState
  assert.is(probed(taken, RULES, { owner: 'a', now: 191, outcome: 'failed' }), undefined)
  assert.is(nextMove(taken), 240)
})

const move = fc.record({
  who: fc.constantFrom('a', 'b', 'c'),
  what: fc.constantFrom('trip', 'probe', 'renew', 'ok', 'failed', 'ignored'),
  after: fc.integer({ min: 0, max: 200 }),
})

test('DP1 whatever happens, nobody probes while somebody else does or its time is not over, and it is never open for too long', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (moves, probes) => {
      const rules = { ...RULES, probes }
      let now = 0
      let state: BreakerState = CLOSED
      for (const { who, what, after } of moves) {
        now += after
        const next = apply(state, rules, now, who, what)
        if (next === undefined) continue
        if (next.kind === 'half-open' && next.probe !== undefined && next.probe.owner === who && what === 'probe') {
          assert.ok(state.kind !== 'closed')
          assert.ok((nextMove(state) ?? 0) <= now)
        }
        if (next.kind === 'open') assert.ok(next.until > now && next.until - now <= rules.most)
        if (next.kind === 'closed' && state.kind !== 'closed') assert.is(what, 'ok')
        assert.equal(readBreakerState(JSON.parse(JSON.stringify(next))), JSON.parse(JSON.stringify(next)))
        state = next
      }
    }),
  )
})

test('what is no state counts as closed', () => {
  for (const value of [undefined, null, 1, 'x', {}, { kind: 'open' }, { kind: 'open', trips: 1 }])
    assert.is(readBreakerState(value).kind, 'closed')
})

test('the last runs count: so many at most, and none from long ago', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 40 })), { maxLength: 40 }),
      (of, runs) => {
        const window = new OutcomeWindow(of, 100)
        const all: { failed: boolean; at: number }[] = []
        let now = 0
        for (const [failed, after] of runs) {
          now += after
          window.add(failed, now)
          all.push({ failed, at: now })
          const last = all.slice(-of)
          const enough = last.length === of && last.every(({ at }) => now - at <= 100)
          assert.is(window.failures(now), enough ? last.filter((one) => one.failed).length : undefined)
        }
      },
    ),
  )
})

test('a dependency that cannot work is refused with what is wrong', () => {
  const wrong = (make: () => unknown, part: string): void => {
    try {
      make()
      assert.unreachable()
    } catch (error) {
      assert.ok(isFault(error, 'DEPENDENCY_INVALID'), String(error))
      assert.ok(String(error).includes(part), String(error))
    }
  }
  wrong(() => defineDependency('a b'), 'name')
  wrong(() => defineDependency('a', { concurrency: 0 }), 'concurrency')
  wrong(() => defineDependency('a', { breaker: { failures: 0 } }), 'failures')
  wrong(() => defineDependency('a', { breaker: { open: '10m', most: '5m' } }), 'most')
  wrong(() => defineDependency('a', { rate: { limit: 0.5, per: '1s' } }), 'limit')
})

function apply(state: BreakerState, rules: typeof RULES, now: number, who: string, what: string) {
  if (what === 'trip') return tripped(state, rules, now, 'x')
  if (what === 'probe') return probing(state, who, now, LEASE)
  if (what === 'renew') return renewed(state, who, now, LEASE)
  return probed(state, rules, { owner: who, now, outcome: what as 'ok' })
}

test.run()
