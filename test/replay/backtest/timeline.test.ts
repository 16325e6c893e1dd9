import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Timeline } from '../../../src/replay/backtest/timeline.ts'

const test = suite('the timeline of a backtest')
const T0 = Date.UTC(2026, 0, 1)

test('nothing is lost: whatever the range, every event and match is in a bucket or said to be outside', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 10 ** 11 }), fc.boolean()), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 3, max: 200 }),
      (times, most) => {
        const timeline = new Timeline()
        for (const [time, isMatch] of times) {
          timeline.event(T0 + time)
          if (isMatch) timeline.match(T0 + time)
        }
        const { buckets, outside } = timeline.report(most)
        assert.ok(buckets.length <= most, `${buckets.length} buckets`)
        assert.is(buckets.reduce((sum, { events }) => sum + events, 0) + outside, times.length)
        assert.is(
          buckets.reduce((sum, { matches }) => sum + matches, 0),
          times.filter(([, isMatch]) => isMatch).length,
        )
      },
    ),
  )
})

test('an event is in the bucket that its time lies in', () => {
  const timeline = new Timeline()
  for (let minute = 0; minute < 600; minute++) timeline.event(T0 + minute * 60_000)
  timeline.match(T0 + 61 * 60_000)
  const { buckets, width } = timeline.report(60)
  const [hit] = buckets.filter(({ matches }) => matches > 0)
  assert.ok(hit !== undefined && hit.time <= T0 + 61 * 60_000 && hit.time + width > T0 + 61 * 60_000)
})

test('one event with a wrong date does not press all others into one bucket', () => {
  const timeline = new Timeline()
  for (let n = 0; n < 10_000; n++) timeline.event(T0 + n * 1_000)
  timeline.event(0)
  const { buckets, outside } = timeline.report(100)
  assert.is(outside, 1)
  assert.ok(buckets.length > 10)
})

test('memory is bounded: a year of events in ms steps has few buckets', () => {
  const timeline = new Timeline()
  for (let n = 0; n < 50_000; n++) timeline.event(T0 + n * 631_000)
  assert.is(
    timeline.report(52).buckets.reduce((sum, { events }) => sum + events, 0),
    50_000,
  )
})

test.run()
