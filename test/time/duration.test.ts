import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatDuration, parseDuration } from '../../src/time/duration.ts'
import { isFault } from '../../src/error/millrace-error.ts'

const test = suite('duration')

test('reads plain, Go and ISO 8601 durations', () => {
  const cases: [string, number][] = [
    ['250ms', 250],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['PT5M', 300_000],
    ['P1DT2H', 93_600_000],
    ['2w', 1_209_600_000],
  ]
  for (const [text, ms] of cases) assert.is(parseDuration(text), ms, text)
})

test('refuses what it cannot read, with a code', () => {
  for (const text of ['', '10', '5 minutes', 'P', 'PT', '1h30', '-5s', 'ms'])
    assert.throws(
      () => parseDuration(text),
      (error: unknown) => isFault(error, 'DURATION_INVALID'),
      text,
    )
  assert.throws(
    () => parseDuration(-1),
    (error: unknown) => isFault(error, 'DURATION_INVALID'),
  )
})

test('writes durations for a person', () => {
  assert.equal([850, 12_340, 250_000, 7_500_000].map(formatDuration), ['850ms', '12.3s', '4m 10s', '2h 5m'])
})

test.run()
