import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addTallies, NO_COST, packTally, tallyOf, unpackTally } from '../../../src/job/costs/cost-tally.ts'
import { dayOf, nextDay } from '../../../src/job/costs/cost-counters.ts'
import { readPrices } from '../../../src/job/prices.ts'
import { NO_USAGE } from '../../../src/job/usage.ts'

const test = suite('cost tally')
const rates = { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2 }
const prices = readPrices({ version: '1', currency: 'USD', models: { m: { ...rates, terms: { batch: 0.5 } } } })
const amount = fc.integer({ min: 0, max: 1_000_000_000_000 })
const tally = fc.record({
  unknown: amount,
  unknownTokens: amount,
  hits: amount,
  spared: amount,
  calls: amount,
  input: amount,
  cached: amount,
  output: amount,
  nanos: amount,
  saved: amount,
  unpriced: amount,
})

test('CO1 a tally is one number: sums of the numbers are the sums of all fields', () => {
  fc.assert(
    fc.property(fc.array(tally, { maxLength: 50 }), (all) => {
      const packed = all.map(packTally).reduce((a, b) => a + b, 0n)
      assert.equal(unpackTally(packed), all.reduce(addTallies, NO_COST))
    }),
  )
})

test('what the cache of prompts and a batch have saved is counted, and a call without a price as one', () => {
  const usage = { ...NO_USAGE, input: 1_000, cacheRead: 9_000, output: 100 }
  const plain = tallyOf(usage, 'm', 'm', prices)
  assert.equal([plain.nanos, plain.saved], [2_400_000, 8_100_000])
  assert.equal([plain.calls, plain.input, plain.cached, plain.output, plain.unpriced], [1, 10_000, 9_000, 100, 0])
  const batch = tallyOf({ ...usage, terms: ['batch'] }, 'm', 'm', prices)
  assert.equal([batch.nanos, batch.saved], [1_200_000, 9_300_000])
  const written = tallyOf({ ...NO_USAGE, cacheWrite1h: 1_000 }, 'm', 'm', prices)
  assert.equal([written.nanos, written.saved], [2_000_000, 0])
  assert.is(tallyOf(usage, 'm-20261001', 'm', prices).nanos, 2_400_000, 'as it was asked for')
  assert.equal(
    { ...tallyOf(usage, 'x', 'x', prices), input: 0, cached: 0, output: 0 },
    { ...NO_COST, calls: 1, unpriced: 1 },
  )
  assert.is(tallyOf(usage, 'm', 'm', undefined).unpriced, 1)
})

test('a day is one of UTC', () => {
  const last = Date.UTC(2026, 10, 22, 23, 59, 59, 999)
  assert.equal([dayOf(last), dayOf(last + 1)], ['2026-11-22', '2026-11-23'])
  assert.equal([nextDay(last), nextDay(last + 1)], [last + 1, last + 1 + 86_400_000])
})

test.run()
