// Nominal times: the library against what the calendar of each zone says, minute by minute, around changes of its clock.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { cronCalendar } from '../../src/schedule/cron.ts'
import { countTicks, lastTicks, nextTick, type TickRule } from '../../src/schedule/tick-rule.ts'
import { DAY, HOUR, MINUTE, MONDAY } from './world.ts'

const test = suite('times of a schedule')

const iso = (ms: number): string => new Date(ms).toISOString().replace(':00.000Z', 'Z')

function times(expression: string, zone: string, after: string, count: number): string {
  const found: string[] = []
  let at: number | undefined = Date.parse(after)
  for (let n = 0; n < count; n += 1) {
    at = cronCalendar(expression, zone).next(at)
    if (at === undefined) break
    found.push(iso(at))
  }
  return found.join(' ')
}

test('SC6 a skipped time is due when the gap is over, a doubled one the first time', () => {
  assert.is(
    times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', 3),
    '2026-03-29T01:00Z 2026-03-30T00:30Z 2026-03-31T00:30Z',
  )
  assert.is(
    times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 3),
    '2026-10-25T00:30Z 2026-10-26T01:30Z 2026-10-27T01:30Z',
  )
  assert.is(
    times('0 9,21 * * *', 'America/New_York', '2026-03-08T00:00Z', 3),
    '2026-03-08T02:00Z 2026-03-08T13:00Z 2026-03-09T01:00Z',
  )
})

test('SC6 what steps follows elapsed time: nothing in a skipped hour, twice in a doubled one', () => {
  assert.is(
    times('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:00Z', 4),
    '2026-03-29T00:30Z 2026-03-29T01:00Z 2026-03-29T01:30Z 2026-03-29T02:00Z',
  )
  assert.is(
    times('0 * * * *', 'Europe/Berlin', '2026-10-24T23:30Z', 4),
    '2026-10-25T00:00Z 2026-10-25T01:00Z 2026-10-25T02:00Z 2026-10-25T03:00Z',
  )
})

/** Places of the changes: an hour, half an hour, at midnight, a whole day; and zones without any. */
const CHANGES: readonly (readonly [zone: string, around: string])[] = [
  ['Europe/Berlin', '2026-03-29T01:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['America/Santiago', '2026-04-05T03:00Z'],
  ['America/Santiago', '2026-09-06T04:00Z'],
  ['America/St_Johns', '2026-03-08T05:30Z'],
  ['Asia/Kolkata', '2026-03-29T01:00Z'],
  ['UTC', '2026-03-29T01:00Z'],
]

interface Local {
  readonly at: number
  readonly date: string
  readonly minutes: number
}

const walks = new Map<string, readonly Local[]>()

/** Every minute of a day before and after, as the zone’s clocks say. */
function walk(zone: string, around: number): readonly Local[] {
  const key = `${zone} ${around}`
  const known = walks.get(key)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
  const all: Local[] = []
  for (let at = around - 1.5 * DAY; at <= around + 1.5 * DAY; at += MINUTE) {
    const [date = '', clock = ''] = format.format(at).split(' ')
    const [hours, minutes] = clock.split(':').map(Number)
    all.push({ at, date, minutes: (hours ?? 0) * 60 + (minutes ?? 0) })
  }
  walks.set(key, all)
  return all
}

/** When a time of day is due, by its definition. */
function daily(all: readonly Local[], due: number): number[] {
  const found: number[] = []
  for (const date of new Set(all.map((one) => one.date))) {
    const first = all.findIndex((one) => one.date === date && one.minutes >= due)
    // days that are cut off at the ends are left out below
    if (first >= 0) found.push((all[first] as Local).at)
  }
  return found
}

test('SC6 around every change, times of day are due once a day and steps as often as the clock shows them', () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...CHANGES),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      fc.constantFrom(1, 5, 15, 20, 30),
      ([zone, text], hour, minute, step) => {
        const around = Date.parse(text)
        const all = walk(zone, around)
        const [from, to] = [around - DAY / 2, around + DAY / 2]
        const within = (at: number): boolean => at > from && at <= to
        const ours = (expression: string): number[] => [
          ...lastTicks({ kind: 'cron', cron: expression, timeZone: zone }, from, to, 100_000),
        ]
        assert.equal(
          ours(`${minute} ${hour} * * *`).map(iso),
          daily(all, hour * 60 + minute)
            .filter(within)
            .map(iso),
        )
        if (step >= 15)
          assert.equal(
            ours(`*/${step} * * * *`).map(iso),
            all.filter(({ at, minutes }) => within(at) && minutes % step === 0).map(({ at }) => iso(at)),
          )
      },
    ),
    { numRuns: 60 },
  ))

test('SC6 times come one after the other, whatever is asked from where', () =>
  fc.assert(
    fc.property(
      fc.constantFrom<TickRule>(
        { kind: 'cron', cron: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin' },
        { kind: 'cron', cron: '*/20 1-3 * * *', timeZone: 'America/New_York' },
        { kind: 'cron', cron: '30 0 L * *', timeZone: 'America/Santiago' },
        { kind: 'every', every: 7 * MINUTE, anchor: MONDAY + 3 },
        { kind: 'at', at: MONDAY + HOUR },
      ),
      fc.integer({ min: 0, max: 400 * DAY }),
      fc.integer({ min: 0, max: 3 * DAY }),
      fc.integer({ min: 1, max: 12 }),
      (rule, offset, length, most) => {
        const after = MONDAY - 100 * DAY + offset
        const until = after + length
        const all: number[] = []
        for (let at = nextTick(rule, after); at !== undefined && at <= until; at = nextTick(rule, at)) {
          assert.ok(at > (all.at(-1) ?? after))
          // no time is left out because it is asked for in the middle
          assert.is(nextTick(rule, at - 1), at)
          all.push(at)
        }
        assert.equal(lastTicks(rule, after, until, most), all.slice(-most))
        assert.is(countTicks(rule, after, until), all.length)
      },
    ),
    { numRuns: 150 },
  ))

test('SC6 intervals are anchored: a restart shifts nothing', () => {
  const rule: TickRule = { kind: 'every', every: 5 * MINUTE, anchor: 0 }
  assert.is(nextTick(rule, Date.parse('2026-03-02T10:03:27Z')), Date.parse('2026-03-02T10:05:00Z'))
  assert.is(nextTick(rule, Date.parse('2026-03-02T10:05:00Z')), Date.parse('2026-03-02T10:10:00Z'))
  assert.is(
    nextTick({ ...rule, anchor: Date.parse('2026-03-02T00:02:00Z') }, Date.parse('2026-03-01T10:03:27Z')),
    Date.parse('2026-03-01T10:07:00Z'),
  )
})

test('SCHEDULE_INVALID for what is no expression, no zone, or never due', () => {
  for (const [expression, zone] of [
    ['61 * * * *', 'UTC'],
    ['* * *', 'UTC'],
    ['0 0 31 2 *', 'UTC'],
    ['0 9 * * *', 'Mars/Base'],
    ['', 'UTC'],
  ] as const)
    try {
      cronCalendar(expression, zone)
      assert.unreachable(expression)
    } catch (error) {
      assert.ok(isFault(error, 'SCHEDULE_INVALID'), `${expression} ${String(error)}`)
    }
})

test.run()
