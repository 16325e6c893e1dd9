import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileIntervalJoin, type IntervalJoinOptions } from '../../../src/cep/correlate/compile-interval-join.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'
import { advances, inputOf, lineOf, stepByStep, steps, type Step } from './at-correlations.ts'

const test = suite('interval joins')

const options: fc.Arbitrary<IntervalJoinOptions> = fc
  .record({
    from: fc.integer({ min: -30, max: 30 }),
    length: fc.nat(30),
    self: fc.boolean(),
    outer: fc.constantFrom(undefined, 'left' as const, 'right' as const, 'both' as const),
  })
  .map(({ from, length, self, outer }) => ({
    left: { events: ['a'] },
    right: { events: self ? ['a', 'b'] : ['b'], where: ({ data }: StoredEvent) => (data as number) > 0 },
    lower: from,
    upper: from + length,
    on: (left, right) => left.data !== right.data,
    ...(outer === undefined ? {} : { outer }),
  }))
const ended = (all: readonly Step[]): Step[] => [...all, 10_000]

/** Every pair of the list, and who is in none. */
function naive({ left, right, lower, upper, on, outer }: IntervalJoinOptions, all: readonly Step[]): string[] {
  const events = all.filter((step) => typeof step !== 'number')
  const of = (side: IntervalJoinOptions['left']) =>
    events.filter(({ event, key }) => side.events.includes(event.type) && (side.where?.(event, key) ?? true))
  const [lefts, rights] = [of(left), of(right)]
  const pairs = lefts.flatMap((a) =>
    rights
      .filter((b) => a.event !== b.event && a.key === b.key && (on?.(a.event, b.event, a.key) ?? true))
      .filter((b) => b.event.time - a.event.time >= Number(lower) && b.event.time - a.event.time <= Number(upper))
      .map((b) => [a, b] as const),
  )
  const alone = (side: 'left' | 'right', some: typeof events, reach: number) =>
    outer !== side && outer !== 'both'
      ? []
      : some
          .filter((one) => !pairs.some((pair) => pair[side === 'left' ? 0 : 1] === one))
          .map(({ event, key }) =>
            line(reach < 0 ? event.time : event.time + reach + 1, key, `missing ${side}:${event.id}`),
          )
  return [
    ...pairs.map(([a, b]) =>
      line(Math.max(a.event.time, b.event.time), a.key, `complete left:${a.event.id} right:${b.event.id}`),
    ),
    ...alone('left', lefts, Number(upper)),
    ...alone('right', rights, -Number(lower)),
  ].sort()
}

const line = (time: number, key: string, rest: string) => `${String(time).padStart(8, '0')} ${key} ${rest}`

test('J4 every pair within the bounds is found once, and who has found none when nothing can come any more', () => {
  let found = 0
  fc.assert(
    fc.property(options, steps, (asked, some) => {
      const all = ended(some)
      const matches = advances(compileIntervalJoin(asked), all).flatMap((advance) => [...advance.matches])
      const expected = naive(asked, all)
      assert.equal(matches.map(lineOf).sort(), expected)
      found += expected.length
    }),
    { numRuns: 500 },
  )
  assert.ok(found > 300, `${found} found`)
})

test('J4 snapshot and restore after every step changes nothing', () => {
  fc.assert(
    fc.property(options, steps, (asked, some) => {
      const executable = compileIntervalJoin({ ...asked, bounds: { eventsPerSide: 3 } })
      const all = ended(some)
      assert.equal(advances(executable, all, { crash: true }), advances(executable, all))
    }),
    { numRuns: 300 },
  )
})

test('J4 due is exact, and looking step by step changes nothing', () => {
  fc.assert(
    fc.property(options, steps, (asked, all) => {
      const executable = compileIntervalJoin(asked)
      const stepped = stepByStep(executable, all, assert.unreachable)
      assert.equal(
        stepped.map((matches) => matches.map(lineOf)),
        advances(executable, all).map(({ matches }) => matches.map(lineOf)),
      )
    }),
    { numRuns: 300 },
  )
})

test('J5 an event is kept just as long as a partner may come', () => {
  const executable = compileIntervalJoin({
    left: { events: ['a'] },
    right: { events: ['b'] },
    lower: '-5ms',
    upper: 10,
  })
  fc.assert(
    fc.property(steps, (all) => {
      const engine = createEngine(executable)
      const taken: StoredEvent[] = []
      for (const step of all) {
        engine.advance(inputOf(step))
        if (typeof step !== 'number') taken.push(step.event)
        const now = typeof step === 'number' ? step : step.event.time
        const kept = taken.filter(
          ({ type, time }) => (type === 'a' && time + 10 >= now) || (type === 'b' && time + 5 >= now),
        )
        const { partialMatches, keys, horizon } = engine.stats()
        assert.is(partialMatches, kept.length)
        assert.is(keys > 0, kept.length > 0)
        assert.is(horizon, kept.length === 0 ? undefined : Math.min(...kept.map(({ time }) => time)))
      }
    }),
  )
})

test('bounds on keys and events are kept by policy, and counted', () => {
  const base = { left: { events: ['a'] }, right: { events: ['b'] }, lower: 0, upper: 1_000 } as const
  const all = Array.from({ length: 20 }, (_, at) => ({
    event: storedEvent({ type: at % 2 === 0 ? 'a' : 'b', time: at, id: `e${at}` }),
    key: at % 11 < 8 ? 'l' : 'k',
  }))
  for (const policy of ['drop-oldest', 'drop-newest'] as const) {
    const engine = createEngine(compileIntervalJoin({ ...base, bounds: { keys: 1, eventsPerSide: 2, policy } }))
    for (const step of all) {
      engine.advance(inputOf(step))
      assert.ok(engine.stats().keys <= 1 && engine.stats().partialMatches <= 4)
    }
    assert.ok((engine.stats().dropped['keys'] ?? 0) > 0 && (engine.stats().dropped['eventsPerSide'] ?? 0) > 0)
  }
  const failing = createEngine(compileIntervalJoin({ ...base, bounds: { keys: 1, policy: 'fail' } }))
  assert.throws(() => all.map((step) => failing.advance(inputOf(step))), /BOUND_EXCEEDED/)
})

test('an outer event that had no room is never put out as missing, and that is counted', () => {
  const base = { left: { events: ['a'] }, right: { events: ['b'] }, lower: 0, upper: 1_000, outer: 'left' } as const
  for (const policy of ['drop-oldest', 'drop-newest'] as const) {
    const engine = createEngine(compileIntervalJoin({ ...base, bounds: { keys: 2, eventsPerSide: 2, policy } }))
    for (const [time, type] of ['a', 'b', 'a', 'a', 'a'].entries())
      engine.advance(inputOf({ event: storedEvent({ type, time, id: `e${time}` }), key: 'k' }))
    const { matches } = engine.advance({ kind: 'time', time: 10_000 })
    const dropped = engine.stats().dropped
    // of the left ones the first found a partner: as the oldest it goes without having had anything left to say
    assert.equal(
      [matches.length, dropped['eventsPerSide'], dropped['missing']],
      policy === 'drop-oldest' ? [2, 2, 1] : [1, 2, 2],
      policy,
    )
  }
  const engine = createEngine(compileIntervalJoin({ ...base, bounds: { keys: 1 } }))
  for (const [time, key] of ['k', 'l'].entries())
    engine.advance(inputOf({ event: storedEvent({ type: 'a', time, id: `e${time}` }), key }))
  assert.is(engine.stats().dropped['missing'], 1)
})

test('what cannot be compiled is refused with every fault', () => {
  const side = { events: ['a'], name: 'x' }
  assert.throws(
    () => compileIntervalJoin({ left: side, right: side, lower: 5, upper: '-5ms', bounds: { keys: 0 } }),
    /PATTERN_INVALID.*both sides are called x.*lower is above upper.*keys must be/,
  )
})

test.run()
