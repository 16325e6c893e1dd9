import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adjusted,
  frozen,
  FULL,
  giveBack,
  lease,
  lowered,
  readTokenBucket,
} from '../../../src/delivery/limits/token-bucket.ts'

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

const use = fc.record({
  after: fc.integer({ min: 0, max: 400 }),
  cost: fc.integer({ min: 1, max: 12 }),
  wrong: fc.integer({ min: -12, max: 12 }),
})

test('DP3 what was used otherwise than taken moves what is reserved: what is admitted and not given back keeps the rate', () => {
  const rules = { limit: 20, per: 1_000, burst: 12 }
  fc.assert(
    fc.property(fc.array(use, { maxLength: 60 }), (uses) => {
      let [now, bucket] = [1_000, FULL]
      /** Where it begins, as it is known by now; below 0: given back. */
      const all: { at: number; readonly tokens: number }[] = []
      for (const { after, cost, wrong } of uses) {
        now += after
        const answer = lease(bucket, rules, now, cost, cost)
        if (answer.kind === 'wait') return assert.unreachable('nothing is frozen')
        all.push({ at: now + answer.startsIn, tokens: cost })
        bucket = adjusted(answer.bucket, rules, now, wrong)
        const by = bucket.moved - answer.bucket.moved
        for (const one of all) if (one.at > now) one.at = Math.max(now, one.at + by)
        // what was used beyond is used, whatever the rate: it only delays others
        all.push({ at: now, tokens: Math.min(0, wrong) })
      }
      const inOrder = all.toSorted((a, b) => a.at - b.at)
      for (const [first, { at: from }] of inOrder.entries()) {
        let sum = 0
        // all of one moment together: what was given back in it was there
        for (const [place, { at, tokens }] of [...inOrder.entries()].slice(first)) {
          sum += tokens
          if (inOrder[place + 1]?.at === at || inOrder[first - 1]?.at === from) continue
          assert.ok(sum <= rules.burst + ((at - from) * rules.limit) / rules.per + 1e-3, `${sum} in ${at - from} ms`)
        }
      }
    }),
  )
})

test('what was not used begins earlier for who has reserved, and what was used beyond later', () => {
  const rules = { limit: 10, per: 1_000, burst: 10 }
  const first = lease(FULL, rules, 1_000, 10, 10)
  const second = first.kind === 'granted' ? lease(first.bucket, rules, 1_000, 5, 5) : first
  assert.is(second.kind === 'granted' && second.startsIn, 500)
  const bucket = second.kind === 'granted' ? second.bucket : FULL
  assert.is(adjusted(bucket, rules, 1_000, -3).moved, -300)
  assert.is(adjusted(bucket, rules, 1_000, 4).moved, 400)
  assert.is(adjusted(bucket, rules, 1_000, -99).fullAt, 1_000, 'it is full, and not more')
})

test('what the other side says is left only lowers what is there', () => {
  const rules = { limit: 1_000, per: 1_000, burst: 100 }
  const bucket = lowered(FULL, rules, 1_000, 3) ?? FULL
  const first = lease(bucket, rules, 1_000, 1, 50)
  assert.is(first.kind === 'granted' && first.tokens, 3)
  assert.is(bucket.epoch, 1, 'what is leased counts no more')
  assert.is(lowered(bucket, rules, 1_000, 50), undefined)
  assert.is(lowered(bucket, rules, 1_000, 5_000), undefined)
  assert.is(lowered(FULL, rules, 1_000, 100), undefined)
  for (const value of [undefined, 1, {}, { fullAt: 'x' }]) assert.is(readTokenBucket(value), FULL)
})

test.run()
