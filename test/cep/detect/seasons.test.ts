import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { holtWinters } from '../../../src/cep/detect/holt-winters.ts'
import { hourOfWeek } from '../../../src/cep/detect/hour-of-week.ts'
import { slotOf } from '../../../src/cep/detect/holt-winters.ts'
import { noise } from './all-detectors.ts'

const test = suite('seasonal detectors')

const HOUR = 3_600_000

for (const plan of [holtWinters(), hourOfWeek({ period: 24 * HOUR, slots: 24 })])
  test(`${plan.name}: a usual noon value at midnight scores over 0.4, the noon values do not`, () => {
    const next = noise(7)
    const detector = plan.start()
    const daily = (hour: number): number => 100 + 40 * Math.sin((hour / 12) * Math.PI) + next()
    let quiet = 0
    for (let hour = 0; hour < 24 * 30; hour++) {
      const score = detector.observe(daily(hour), hour * HOUR, 'k')?.score ?? 0
      if (hour > 24 * 20) quiet = Math.max(quiet, score)
    }
    assert.ok(quiet < 0.4, `quiet: ${quiet}`)
    assert.ok((detector.observe(daily(6), 24 * 30 * HOUR, 'k')?.score ?? 0) > 0.4)
  })

test('hour of week: a Sunday is not measured by weekdays', () => {
  const detector = hourOfWeek().start()
  const next = noise(3)
  const usual = (hour: number): number => (Math.floor(hour / 24) % 7 === 3 ? 10 : 100) + next()
  for (let hour = 0; hour < 168 * 6; hour++) detector.observe(usual(hour), hour * HOUR, 'k')
  const sunday = 168 * 6 + 3 * 24
  const score = detector.observe(100, sunday * HOUR, 'k')
  assert.ok(Math.abs((score?.expected ?? 0) - 10) < 2)
  assert.is(score?.score, 1)
})

test('a slot is the same for times a period apart, also before 1970', () => {
  for (const time of [-5 * HOUR, 0, 7 * HOUR + 1])
    assert.is(slotOf(time, 24 * HOUR, 24), slotOf(time + 48 * HOUR, 24 * HOUR, 24))
  assert.is(slotOf(-1, 24 * HOUR, 24), 23)
})

test.run()
