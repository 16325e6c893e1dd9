import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileDetect, type DetectOptions } from '../../../src/cep/detect/compile-detect.ts'
import { ewma } from '../../../src/cep/detect/ewma.ts'
import { halfSpaceTrees } from '../../../src/cep/detect/half-space-trees.ts'
import { heartbeat } from '../../../src/cep/detect/heartbeat.ts'
import { peer } from '../../../src/cep/detect/peer.ts'
import { threshold } from '../../../src/cep/detect/threshold.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Match } from '../../../src/cep/engine/match.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { MillraceError } from '../../../src/error/millrace-error.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('detect')

const value = (event: StoredEvent): number | undefined => (event.data as { v?: number }).v
const reading = (time: number, v: unknown, type = 'reading'): StoredEvent =>
  storedEvent({ type, time, data: { v } as never })
const high: DetectOptions = { value, detector: threshold({ above: 10 }) }

test('an alarm is a match with the event, its score and what was expected', () => {
  const engine = createEngine(compileDetect(high))
  assert.equal(engine.advance({ kind: 'event', event: reading(1, 5), key: 'k' }).matches, [])
  const event = reading(2, 12)
  const [match] = engine.advance({ kind: 'event', event, key: 'k' }).matches
  assert.equal(match?.stages, { event: [event] })
  assert.is(match?.first, event)
  assert.is(match?.time, 2)
  assert.equal(match?.values, {
    value: 12,
    score: 1,
    expected: null,
    lower: null,
    upper: 10,
    direction: 'above',
    detector: 'threshold',
  })
})

test('AN2 what is no finite number is neither scored nor learnt from, and is counted; what throws is an evaluation error', () => {
  const plain = createEngine(compileDetect({ value, detector: ewma() }))
  const dirty = createEngine(compileDetect({ value, detector: ewma() }))
  for (let time = 0; time < 100; time++) {
    const event = reading(time, time % 7)
    const noise = reading(time, [NaN, Infinity, -Infinity, undefined, 'x', 1e200][time % 6])
    dirty.advance({ kind: 'event', event: noise, key: 'k' })
    assert.equal(
      dirty.advance({ kind: 'event', event, key: 'k' }).matches,
      plain.advance({ kind: 'event', event, key: 'k' }).matches,
    )
  }
  assert.is(dirty.stats().dropped.unscored, 100)
  const failing = createEngine(compileDetect({ ...high, value: () => ({}) as never as number }))
  failing.advance({ kind: 'event', event: reading(1, 1), key: 'k' })
  const throwing = createEngine(
    compileDetect({
      ...high,
      value: () => {
        throw new Error('no field')
      },
    }),
  )
  throwing.advance({ kind: 'event', event: reading(1, 1), key: 'k' })
  assert.is(throwing.stats().evaluationErrors, 1)
  assert.is(failing.stats().dropped.unscored, 1)
})

test('events of other types, and those that where rules out, do not count', () => {
  const engine = createEngine(compileDetect({ ...high, events: ['reading'], where: (_, key) => key !== 'muted' }))
  assert.is(engine.advance({ kind: 'event', event: reading(1, 99, 'other'), key: 'k' }).matches.length, 0)
  assert.is(engine.advance({ kind: 'event', event: reading(1, 99), key: 'muted' }).matches.length, 0)
  assert.is(engine.stats().keys, 0)
  assert.is(engine.advance({ kind: 'event', event: reading(1, 99), key: 'k' }).matches.length, 1)
})

test('AN3 a key not heard of for idle is forgotten, and begins anew', () => {
  const engine = createEngine(compileDetect({ ...high, idle: 100 }))
  engine.advance({ kind: 'event', event: reading(0, 99), key: 'a' })
  engine.advance({ kind: 'event', event: reading(50, 99), key: 'b' })
  engine.advance({ kind: 'time', time: 99 })
  assert.is(engine.stats().keys, 2)
  engine.advance({ kind: 'time', time: 100 })
  assert.is(engine.stats().keys, 1)
  assert.is(engine.stats().horizon, 50)
  engine.advance({ kind: 'time', time: 1000 })
  assert.is(engine.stats().keys, 0)
  assert.is(engine.advance({ kind: 'event', event: reading(1001, 99), key: 'a' }).matches.length, 1)
})

test('AN3 at the bound the policy decides, and what it cost is counted', () => {
  const keysAfter = (policy: 'drop-oldest' | 'drop-newest'): [boolean, boolean] => {
    const engine = createEngine(compileDetect({ ...high, bounds: { keys: 2, policy } }))
    for (const [time, key] of ['a', 'b', 'a', 'c'].entries())
      engine.advance({ kind: 'event', event: reading(time, 99), key })
    assert.is(engine.stats().keys, 2)
    assert.is(engine.stats().dropped.keys, 1)
    const told = (key: string): boolean =>
      engine.advance({ kind: 'event', event: reading(9, 99), key }).matches.length === 0
    return [told('a'), told('b')]
  }
  assert.equal(keysAfter('drop-oldest'), [true, false], 'b was heard of longest ago')
  assert.equal(keysAfter('drop-newest'), [true, true])
  const strict = createEngine(compileDetect({ ...high, bounds: { keys: 1, policy: 'fail' } }))
  strict.advance({ kind: 'event', event: reading(0, 1), key: 'a' })
  assert.throws(
    () => strict.advance({ kind: 'event', event: reading(0, 1), key: 'b' }),
    (error: unknown) => error instanceof MillraceError && error.code === 'BOUND_EXCEEDED',
  )
})

test('AN4 a silence is found at the time it was due, in order, once, however late time is told', () => {
  const rule = compileDetect({ detector: heartbeat({ every: 100 }), idle: 10 })
  const engine = createEngine(rule)
  const beats = [
    [0, 'a'],
    [10, 'b'],
    [60, 'a'],
  ] as const
  for (const [time, key] of beats) engine.advance({ kind: 'event', event: reading(time, NaN), key })
  assert.is(engine.due, 110)
  const { matches } = engine.advance({ kind: 'time', time: 5000 })
  assert.equal(
    matches.map(({ key, time, last }: Match) => [key, time, last.time]),
    [
      ['b', 110, 10],
      ['a', 160, 60],
    ],
  )
  assert.is(matches[0]?.values?.value, null)
  assert.is(engine.stats().keys, 0, 'idle is at least what the detector waits for, then the key goes')
})

test('peer: one detector sees all keys; a forgotten key is no peer', () => {
  const engine = createEngine(compileDetect({ value, detector: peer({ peers: 3 }), idle: 1000 }))
  const at = (time: number, key: string, v: number): number =>
    engine.advance({ kind: 'event', event: reading(time, v), key }).matches.length
  for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) at(i, key, i)
  assert.is(at(10, 'e', 500), 1)
  assert.is(at(5000, 'f', 500), 0)
})

test('detectors of several dimensions take as many numbers, no fewer', () => {
  const both = compileDetect({
    value: (event) => (event.data as { v: number[] }).v,
    detector: halfSpaceTrees({ dimensions: 2, window: 16 }),
  })
  const engine = createEngine(both)
  engine.advance({ kind: 'event', event: reading(0, [1]), key: 'k' })
  engine.advance({ kind: 'event', event: reading(0, [1, NaN]), key: 'k' })
  engine.advance({ kind: 'event', event: reading(0, [1, 2]), key: 'k' })
  assert.is(engine.stats().dropped.unscored, 2)
  assert.is(engine.stats().keys, 1)
})

const step = fc.record({
  after: fc.nat(60),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  v: fc.integer({ min: 0, max: 20 }),
})

for (const [name, options] of Object.entries<DetectOptions>({
  threshold: { ...high, idle: 100, bounds: { keys: 3 } },
  heartbeat: { detector: heartbeat({ every: 70 }) },
  ewma: { value, detector: ewma({ halfLife: 2 }), decision: { threshold: 0.1, warmUp: 1, coolDown: 50 }, lateness: 20 },
  peer: { value, detector: peer({ peers: 3, fresh: 100 }), decision: { threshold: 0.05 }, idle: 150 },
}))
  test(`AN1 ${name}: a snapshot between any two inputs changes nothing`, () => {
    const rule = compileDetect(options)
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(59), (steps, cut) => {
        const straight = createEngine(rule)
        let other = createEngine(rule)
        let time = 0
        for (const [i, { after, key, v }] of steps.entries()) {
          if (i === cut) other = createEngine(rule, JSON.parse(JSON.stringify(other.snapshot())))
          time += after
          const input =
            v === 0 ? ({ kind: 'time', time } as const) : ({ kind: 'event', event: reading(time, v), key } as const)
          // as JSON: an event that was in a snapshot has no fields that are undefined
          assert.is(JSON.stringify(other.advance(input)), JSON.stringify(straight.advance(input)))
        }
        assert.equal(other.stats(), straight.stats())
      }),
    )
  })

test('without a value only a detector that needs none compiles', () => {
  assert.throws(() => compileDetect({}), /DETECTOR_INVALID.*auto needs a value/)
  assert.throws(() => compileDetect({ ...high, bounds: { keys: 0 } }), /keys is 0, must be a whole number from 1/)
})

test.run()
