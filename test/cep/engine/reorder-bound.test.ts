import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePattern, DEFAULT_BOUNDS } from '../../../src/cep/flat/compile-pattern.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('bound of the reorder buffer')

const HOUR = 3_600_000
const pattern = (waiting: number): Pattern => ({
  stages: [
    { kind: 'take', name: 'a', events: ['a'] },
    { kind: 'take', name: 'b', events: ['b'], contiguity: 'strict' },
  ],
  within: HOUR,
  lateness: HOUR,
  bounds: { waiting },
})
const event = (type: string, time: number) =>
  ({ kind: 'event', key: 'k', event: storedEvent({ type, id: `${type}${time}`, time }) }) as const

test('no more events wait than the bound; the oldest are let through early, in order, and counted', () => {
  const engine = createEngine(compilePattern(pattern(2)))
  assert.equal(engine.advance(event('b', 20)).matches, [])
  engine.advance(event('a', 10))
  const third = engine.advance(event('x', 30))
  assert.equal([third.matches.length, engine.stats().waiting, engine.stats().clock], [0, 2, 10])
  const fourth = engine.advance(event('x', 40))
  assert.equal(
    fourth.matches.map((m) => m.events.map(({ id }) => id)),
    [['a10', 'b20']],
  )
  assert.equal([engine.stats().releasedEarly, engine.stats().waiting], [2, 2])
  assert.is(engine.advance(event('a', 20)).late.length, 1, 'time has passed what was let through')
})

test('events of one time are let through together', () => {
  const engine = createEngine(compilePattern(pattern(2)))
  for (const type of ['a', 'b']) engine.advance(event(type, 10))
  assert.is(engine.advance(event('x', 30)).matches.length, 1)
  assert.equal([engine.stats().releasedEarly, engine.stats().waiting], [2, 1])
})

test('an event that is older than all that wait when there is no room goes through at once', () => {
  const engine = createEngine(compilePattern(pattern(1)))
  engine.advance(event('b', 20))
  engine.advance(event('a', 10))
  assert.equal([engine.stats().waiting, engine.stats().releasedEarly, engine.stats().late], [1, 1, 0])
})

test('100,000 events wait when the pattern does not say', () => {
  assert.is(DEFAULT_BOUNDS.waiting, 100_000)
  assert.throws(
    () => compilePattern(pattern(0)),
    (e: unknown) => isFault(e, 'PATTERN_INVALID') && /waiting must be/.test(e.detail),
  )
})

test('a snapshot between any two events changes nothing', () => {
  const inputs = fc.array(fc.record({ type: fc.constantFrom('a', 'b', 'x'), time: fc.nat(30) }), { maxLength: 30 })
  let early = 0
  fc.assert(
    fc.property(inputs, fc.integer({ min: 1, max: 4 }), (list, waiting) => {
      const compiled = compilePattern(pattern(waiting))
      const straight = createEngine(compiled)
      let restored = createEngine(compiled)
      for (const { type, time } of list) {
        const expected = straight.advance(event(type, time))
        assert.equal(JSON.stringify(restored.advance(event(type, time))), JSON.stringify(expected))
        assert.equal(restored.stats(), straight.stats())
        assert.ok(straight.stats().waiting <= waiting)
        restored = createEngine(compiled, JSON.parse(JSON.stringify(restored.snapshot())))
      }
      early += straight.stats().releasedEarly
    }),
  )
  assert.ok(early > 20, `${early}`)
})

test.run()
