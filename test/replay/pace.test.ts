import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { Pacer } from '../../src/replay/pace.ts'
import { sleepingClock } from '../support/replays.ts'

const test = suite('pacing of a replay')

function stored(storedAt: number, headers: Readonly<Record<string, string>> = {}, data = ''): StoredMessage {
  return {
    subject: 's',
    sequence: 1,
    storedAt,
    delivery: 1,
    pending: 0,
    headers: { get: (name) => headers[name], entries: () => Object.entries(headers) },
    data: Buffer.from(data),
    reply: '',
  }
}

test('the original spacing divided by the factor, measured from the first message', () => {
  const clock = sleepingClock()
  const pacer = new Pacer({ kind: 'factor', factor: 10, by: 'stored' }, clock)
  const messages = [stored(5_000), stored(5_000), stored(6_000), stored(26_000)]
  assert.equal(pacer.due(messages, 0), { kind: 'now', count: 2 })
  assert.equal(pacer.due(messages, 2), { kind: 'later', wait: 100 })
  void clock.sleep(70) // a sink that took 70 ms: the wait is shorter by that, not added to it
  assert.equal(pacer.due(messages, 2), { kind: 'later', wait: 30 })
  void clock.sleep(30)
  assert.equal(pacer.due(messages, 2), { kind: 'now', count: 1 })
  assert.equal(pacer.due(messages, 3), { kind: 'later', wait: 2_000 })
})

test('by the time of the event, in binary and structured mode, and by the stored time where it has none', () => {
  const clock = sleepingClock()
  const pacer = new Pacer({ kind: 'factor', factor: 1, by: 'event' }, clock)
  const structured = JSON.stringify({
    specversion: '1.0',
    id: '1',
    source: '/s',
    type: 't',
    time: '2026-01-01T00:00:03Z',
  })
  const messages = [
    stored(Date.UTC(2026, 5, 1), { 'ce-time': '2026-01-01T00:00:00Z' }),
    stored(Date.UTC(2026, 5, 1), { 'content-type': 'application/cloudevents+json' }, structured),
    stored(Date.UTC(2026, 0, 1, 0, 0, 7)),
  ]
  assert.equal(pacer.due(messages, 0), { kind: 'now', count: 1 })
  assert.equal(pacer.due(messages, 1), { kind: 'later', wait: 3_000 })
  void clock.sleep(3_000)
  assert.equal(pacer.due(messages, 1), { kind: 'now', count: 1 })
  assert.equal(pacer.due(messages, 2), { kind: 'later', wait: 4_000 })
})

test('a message whose time lies back is due at once', () => {
  const pacer = new Pacer({ kind: 'factor', factor: 1, by: 'stored' }, sleepingClock())
  assert.equal(pacer.due([stored(1_000), stored(400), stored(1_000)], 0), { kind: 'now', count: 3 })
})

test('a wait longer than a timer holds is slept in parts', () => {
  const pacer = new Pacer({ kind: 'factor', factor: 1, by: 'stored' }, sleepingClock())
  const messages = [stored(0), stored(90 * 86_400_000)]
  assert.equal(pacer.due(messages, 0), { kind: 'now', count: 1 })
  assert.equal(pacer.due(messages, 1), { kind: 'later', wait: 3_600_000 })
})

test('however the times lie, each message is let through once and the time slept is the span over the factor', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 30 }),
      fc.constantFrom(0.5, 1, 3, 100),
      (times, factor) => {
        const clock = sleepingClock()
        const pacer = new Pacer({ kind: 'factor', factor, by: 'stored' }, clock)
        const messages = times.map((time) => stored(time))
        let at = 0
        while (at < messages.length) {
          const due = pacer.due(messages, at)
          if (due.kind === 'later') void clock.sleep(due.wait)
          else at += due.count
        }
        const span = Math.max(0, ...times.map((time) => time - (times[0] ?? 0))) / factor
        const slept = clock.slept.reduce((sum, ms) => sum + ms, 0)
        assert.is(at, messages.length)
        assert.ok(slept <= span + 1e-6 && slept > span - 1, `${slept} of ${span}`)
      },
    ),
  )
})

test('a factor that is not above 0 is refused', () => {
  for (const factor of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    try {
      assert.unreachable(String(new Pacer({ kind: 'factor', factor, by: 'stored' }, sleepingClock())))
    } catch (error) {
      assert.ok(isFault(error, 'REPLAY_RANGE_INVALID'), String(error))
    }
})

test.run()
