import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { corrected, frozen, FULL, giveBack, lease, readTokenBucket } from '../../../src/delivery/limits/token-bucket.ts'

const test = suite('token bucket')

const ask = fc.record({
  after: fc.integer({ min: 0, max: 400 }),
  least: fc.integer({ min: 1, max: 5 }),
  more: fc.integer({ min: 0, max: 40 }),
  unused: fc.integer({ min: 0, max: 10 }),
})

test('DP3 in any time, what is leased and not given back is at most what comes in it and the burst', () => {
  fc.assert(
    fc.property(
      fc.record({
        limit: fc.integer({ min: 1, max: 200 }),
        per: fc.constant(1_000),
        burst: fc.integer({ min: 5, max: 50 }),
      }),
      fc.array(ask, { maxLength: 60 }),
      (rules, asks) => {
        let [now, bucket] = [1_000, FULL]
        const given: { readonly at: number; readonly tokens: number }[] = []
        for (const { after, least, more, unused } of asks) {
          now += after
          const answer = lease(bucket, rules, now, least, least + more)
          if (answer.kind === 'wait') return assert.unreachable('nothing is frozen')
          assert.ok(answer.tokens >= least && answer.tokens <= least + more)
          const back = Math.min(unused, answer.tokens)
          const returned = giveBack(answer.bucket, rules, now, { tokens: back, epoch: answer.bucket.epoch })
          bucket = returned ?? answer.bucket
          given.push({ at: now + answer.startsIn, tokens: answer.tokens - (returned === undefined ? 0 : back) })
        }
        for (const [first, { at: from }] of given.entries()) {
          let sum = 0
          for (const { at, tokens } of given.slice(first)) {
            sum += tokens
            assert.ok(sum <= rules.burst + ((at - from) * rules.limit) / rules.per + 1e-3, `${sum} in ${at - from} ms`)
          }
        }
      },
    ),
  )
})

test('what costs more than the burst is given when the bucket is full, and the next one waits for it', () => {
  const rules = { limit: 10, per: 1_000, burst: 5 }
  const answer = lease(FULL, rules, 1_000, 20, 20)
  assert.is(answer.kind === 'granted' && answer.tokens, 20)
  const next = answer.kind === 'granted' ? lease(answer.bucket, rules, 1_000, 1, 1) : undefined
  assert.is(next?.kind === 'granted' && next.startsIn, 1_600)
})

test('what is frozen gives nothing until then, and leases of before count no more', () => {
  const rules = { limit: 10, per: 1_000, burst: 5 }
  const bucket = frozen(FULL, 5_000) ?? FULL
  assert.equal(lease(bucket, rules, 1_000, 1, 1), { kind: 'wait', ms: 4_000 })
  assert.is(lease(bucket, rules, 5_000, 1, 1).kind, 'granted')
  assert.is(giveBack(bucket, rules, 1_000, { tokens: 3, epoch: 0 }), undefined)
  assert.is(frozen(bucket, 4_000), undefined)
})

test('what the other side says is left only lowers what is given, until it counts anew', () => {
  const rules = { limit: 1_000, per: 1_000, burst: 100 }
  const bucket = corrected(FULL, 3, 9_000, 1_000) ?? FULL
  const first = lease(bucket, rules, 1_000, 1, 50)
  assert.is(first.kind === 'granted' && first.tokens, 3)
  const spent = first.kind === 'granted' ? first.bucket : FULL
  assert.equal(lease(spent, rules, 2_000, 1, 1), { kind: 'wait', ms: 7_000 })
  assert.is(lease(spent, rules, 9_000, 1, 50).kind, 'granted')
  assert.is(corrected(bucket, 50, 9_000, 1_000), undefined)
  assert.is(corrected(bucket, 1, 900, 1_000), undefined)
  for (const value of [undefined, 1, {}, { fullAt: 'x' }]) assert.is(readTokenBucket(value), FULL)
})

test.run()
