import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatTime, isWritableTime, parseTime } from '../../src/event/rfc3339.ts'

const test = suite('RFC 3339')
const FIRST = Date.parse('0000-01-01T00:00:00.000Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')

test('every writable time comes back, written as the platform writes it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: FIRST, max: LAST }), fc.integer({ min: -5_000, max: 5_000 })), (ms) => {
      assert.is(formatTime(ms), new Date(ms).toISOString())
      assert.is(parseTime(formatTime(ms)), ms)
    }),
    { numRuns: 1_000 },
  )
  for (const ms of [FIRST, LAST, 0, -1]) assert.is(parseTime(formatTime(ms)), ms)
  assert.is(formatTime(1.9), '1970-01-01T00:00:00.001Z')
})

test('says which times can be written', () => {
  for (const ms of [FIRST, LAST]) assert.ok(isWritableTime(ms))
  for (const ms of [FIRST - 1, LAST + 1, NaN, Infinity]) assert.not(isWritableTime(ms))
})

test('reads offsets, fractions of any length, small letters and leap seconds', () => {
  const cases: [string, string][] = [
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1990-12-31T23:59:60Z', '1991-01-01T00:00:00.000Z'],
    ['1990-12-31T15:59:60-08:00', '1991-01-01T00:00:00.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
    ['2026-02-28t01:02:03.123456789z', '2026-02-28T01:02:03.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0050-06-01T00:00:00Z', '0050-06-01T00:00:00.000Z'],
  ]
  for (const [text, utc] of cases) assert.is(parseTime(text), Date.parse(utc), text)
})

test('refuses what is no RFC 3339 date-time', () => {
  const dates = ['2026-02-29T00:00:00Z', '2026-00-10T00:00:00Z', '2026-13-01T00:00:00Z', '2026-04-31T00:00:00Z']
  const times = ['2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z', '2026-01-01T00:00:61Z', '2026-01-01T00:00:00+24:00']
  const forms = ['', '2026', '2026-01-01', '2026-01-01 00:00:00Z', '2026-01-01T00:00:00', '2026-01-01T00:00Z']
  const tails = [
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00ZZ',
    '2026-01-01T00:00:00+0100',
    '2026-01-01T00:00:00+01:00x',
  ]
  for (const text of [...dates, ...times, ...forms, ...tails, 'Jan 1 2026', '+002026-01-01T00:00:00Z', '1767225600000'])
    assert.is(parseTime(text), undefined, text)
})

test('never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.is(parseTime(text), undefined)))
})

test.run()
