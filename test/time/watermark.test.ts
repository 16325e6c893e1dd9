import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromStoredTime, IngestionTime, toStoredTime } from '../../src/time/watermark.ts'

const test = suite('watermark')

test('ingestion time is the running maximum of stored times, wherever it was continued from', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 1_000 }), { minLength: 1 }), fc.nat(20), (times, cut) => {
      let time = new IngestionTime()
      for (const [at, stored] of times.entries()) {
        if (at === cut)
          time = new IngestionTime(JSON.parse(JSON.stringify(toStoredTime(time.watermark))) as number | null)
        assert.is(time.advance(stored), Math.max(...times.slice(0, at + 1)))
        assert.is(time.behind, time.watermark - stored)
      }
    }),
    { numRuns: 200 },
  )
})

test('a clock that steps back changes nothing, and how far is told until it has caught up', () => {
  const time = new IngestionTime()
  time.advance(1_000)
  assert.equal([time.advance(400), time.behind], [1_000, 600])
  assert.equal([time.advance(1_000), time.behind], [1_000, 0])
  assert.equal([time.advance(1_001), time.behind], [1_001, 0])
})

test('a time that is not known yet survives JSON', () => {
  const stored = JSON.parse(JSON.stringify({ time: toStoredTime(new IngestionTime().watermark) })) as {
    time: number | null
  }
  assert.is(fromStoredTime(stored.time), -Infinity)
  assert.is(fromStoredTime(0), 0)
})

test.run()
