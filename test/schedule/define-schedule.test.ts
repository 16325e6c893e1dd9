import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineSchedule } from '../../src/schedule/define-schedule.ts'
import { decodeRecord, encodeRecord, startingRecord } from '../../src/schedule/schedule-record.ts'
import { deploySchedules, SchedulesAtWork } from '../../src/runtime/schedules-at-work.ts'
import { Due, MONDAY, schedule, STREAM } from './world.ts'

const test = suite('declaration of a schedule')

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (isFault(error)) return error.code
    throw error
  }
  return 'none'
}

test('what cannot work is refused with what to correct', () => {
  const emits = (): undefined => undefined
  const good = { name: 'a', stream: 'S', events: [Due], emits, every: '5m' }
  const wrong: readonly object[] = [
    { ...good, name: 'a b' },
    { ...good, stream: undefined },
    { ...good, events: [] },
    { ...good, events: [{}] },
    { ...good, emits: 'x' },
    { ...good, every: undefined },
    { ...good, cron: '* * * * *' },
    { ...good, every: '50ms' },
    { ...good, every: 100.5 },
    { ...good, timeZone: 'UTC' },
    { ...good, anchor: '2026-01-01T00:00:00' },
    { ...good, every: undefined, at: 'tomorrow' },
    { ...good, every: undefined, at: '2026-01-01T00:00:00' },
    { ...good, every: undefined, cron: '0 9 * * *', anchor: '2026-01-01T00:00:00Z' },
    { ...good, every: undefined, cron: '0 9 * * *', timeZone: 'Mars/Base' },
    { ...good, missed: 'none' },
    { ...good, missed: { all: { most: 0 } } },
    { ...good, missed: { all: {} } },
  ]
  for (const one of wrong)
    assert.is(
      codeOf(() => defineSchedule(one as never)),
      'SCHEDULE_INVALID',
      JSON.stringify(one),
    )
  assert.is(
    codeOf(() => defineSchedule({ ...good, every: 'often' } as never)),
    'DURATION_INVALID',
  )
  assert.is(
    codeOf(() => defineSchedule(undefined as never)),
    'SCHEDULE_INVALID',
  )
  assert.equal(defineSchedule(good).rule, { kind: 'every', every: 300_000, anchor: 0 })
  assert.is(defineSchedule(good).missed, 'once')
})

test('a schedule writes to a declared stream, and its name is its own', () => {
  const one = schedule({ every: '1m' })
  assert.is(
    codeOf(() => deploySchedules([one, one], [STREAM])),
    'DECLARATION_INVALID',
  )
  assert.is(
    codeOf(() => deploySchedules([one], [{ ...STREAM, name: 'T' }])),
    'DECLARATION_INVALID',
  )
  const schedules = deploySchedules([one, schedule({ name: 'other', every: '1m' })], [STREAM])
  const atWork = new SchedulesAtWork({ schedules } as never)
  assert.equal(
    atWork.units.map(({ id, processor }) => [id, processor]),
    [
      ['schedule-reports', 'schedule-reports'],
      ['schedule-other', 'schedule-other'],
    ],
  )
  assert.is(atWork.has('schedule-other'), true)
  assert.is(atWork.has('pipeline-other'), false)
})

test('SCHEDULE_RECORD_INVALID for a record that cannot be read; one that can is read back as it was', () => {
  const { rule } = schedule({ every: '1m' })
  const record = startingRecord(undefined, rule, 'me', MONDAY)
  assert.equal(decodeRecord(encodeRecord(record), 'here'), record)
  for (const text of ['', '{}', '[]', JSON.stringify({ v: 2, ...record })])
    assert.is(
      codeOf(() => decodeRecord(Buffer.from(text), 'here')),
      'SCHEDULE_RECORD_INVALID',
    )
})

test.run()
