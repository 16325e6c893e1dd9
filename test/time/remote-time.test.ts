import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RemoteTime } from '../../src/time/remote-time.ts'

const test = suite('the clock of another machine')

test('before its first answer, nothing is due', () => {
  const time = new RemoteTime()
  assert.is(time.known, false)
  assert.is(time.now(1e12), Number.NEGATIVE_INFINITY)
})

test('it goes on with the monotonic clock of this one, and is never ahead of the other after the first answer', () => {
  const time = new RemoteTime()
  assert.is(time.read({ sent: 100, received: 120, time: 5_000_010 }), true)
  assert.is(time.now(120), 5_000_010)
  assert.is(time.now(1_120), 5_001_010)
})

test('an answer that agrees changes nothing; one that does not is right', () => {
  const time = new RemoteTime()
  time.read({ sent: 0, received: 10, time: 1_000 })
  assert.is(time.read({ sent: 100, received: 110, time: 1_095 }), false)
  assert.is(time.now(110), 1_100)
  assert.is(time.read({ sent: 200, received: 200, time: 1_195 }), true, 'it was set back')
  assert.is(time.now(200), 1_195)
  assert.is(time.read({ sent: 300, received: 300, time: 3_601_295 }), true, 'it was set')
  assert.is(time.now(300), 3_601_295)
})

test('it is behind the other clock by no more than an answer takes, and ahead by no more', () => {
  const answers = fc.array(fc.record({ pause: fc.nat(1_000), there: fc.nat(50), back: fc.nat(50) }), { minLength: 1 })
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), answers, (ahead, all) => {
      const time = new RemoteTime()
      let now = 0
      for (const { pause, there, back } of all) {
        const sent = (now += pause)
        now += there + back
        time.read({ sent, received: now, time: sent + there + ahead })
        const off = time.now(now) - (now + ahead)
        assert.ok(off <= 0 && off >= -(there + back), `off by ${off}`)
      }
    }),
  )
})

test.run()
