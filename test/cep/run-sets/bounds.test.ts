import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import { compileRunSets } from '../../../src/cep/run-sets/run-sets-pattern.ts'
import { storedEvent } from '../stored-event.ts'
import { eligible, keyedEvents, told } from './eligible.ts'

const test = suite('bounds of run sets')

const END = { kind: 'time' as const, time: 1_000 }
const input = (type: string, time: number, key = 'k') => ({
  kind: 'event' as const,
  key,
  event: storedEvent({ type, time }),
})
/** a b+ c, every combination of b. */
const combinations: Pattern = {
  stages: [
    { kind: 'take', name: 'a', events: ['a'] },
    { kind: 'take', name: 'b', events: ['b'], contiguity: 'any', inner: 'any', times: { min: 1, max: null } },
    { kind: 'take', name: 'c', events: ['c'], contiguity: 'any' },
  ],
  within: 1_000,
}

test('with a bound on matches the first of them come, and exactly the rest is counted; timeouts alike', () => {
  let dropped = 0
  fc.assert(
    fc.property(eligible, keyedEvents, fc.integer({ min: 1, max: 4 }), (pattern, events, most) => {
      const all = createEngine(compileRunSets({ ...pattern, bounds: { matchesPerAdvance: 1_000_000 } }))
      const few = createEngine(compileRunSets({ ...pattern, bounds: { matchesPerAdvance: most } }))
      let [matches, timeouts] = [0, 0]
      for (const each of [...events, END]) {
        const expected = told(all.advance(each))
        const got = told(few.advance(each))
        assert.equal(got.matches, expected.matches.slice(0, most))
        assert.equal(got.timeouts, expected.timeouts.slice(0, most))
        matches += expected.matches.length - got.matches.length
        timeouts += expected.timeouts.length - got.timeouts.length
      }
      assert.equal([few.stats().droppedMatches, few.stats().dropped['timeouts']], [matches, timeouts])
      dropped += matches + timeouts
    }),
    { numRuns: 800 },
  )
  assert.ok(dropped > 500, `${dropped} dropped`)
})

test('more combinations than can ever be counted cost what the window holds, not what they are', () => {
  const engine = createEngine(compileRunSets({ ...combinations, bounds: { matchesPerAdvance: 10 } }))
  engine.advance(input('a', 0))
  for (let time = 1; time <= 900; time++) engine.advance(input('b', time))
  assert.is(engine.stats().partialMatches, 901)
  const { matches } = engine.advance(input('c', 950))
  assert.is(matches.length, 10)
  assert.is(matches[0]?.events.length, 902)
  assert.is(engine.stats().droppedMatches, Number.MAX_SAFE_INTEGER)
  const { timeouts } = engine.advance(END)
  assert.is(timeouts.length, 10)
  assert.equal([engine.stats().partialMatches, engine.stats().keys], [0, 0])
  assert.ok(Number.isFinite(JSON.parse(JSON.stringify(engine.stats())).dropped.timeouts))
})

test('what a key holds is bounded: what began first goes, or what comes last is not held', () => {
  const bounded = (partialMatchesPerKey: 'drop-oldest' | 'drop-newest') =>
    createEngine(
      compileRunSets({ ...combinations, bounds: { partialMatchesPerKey: 3 }, policies: { partialMatchesPerKey } }),
    )
  const types = ['a', 'b', 'a', 'b', 'c']
  const ids = (policy: 'drop-oldest' | 'drop-newest') => {
    const engine = bounded(policy)
    const advances = types.map((type, time) => engine.advance(input(type, time)))
    const found = advances.flatMap(({ matches }) => matches.map(({ events }) => events.map((e) => e.id).join(' ')))
    return { found, dropped: engine.stats().dropped['partialMatches'], held: engine.stats().partialMatches }
  }
  assert.equal(ids('drop-oldest'), { found: ['a-2 b-3 c-4'], dropped: 2, held: 2 })
  assert.equal(ids('drop-newest'), { found: ['a-0 b-1 c-4'], dropped: 1, held: 3 })
})

test('what all keys hold and how many they are is bounded too', () => {
  const held = createEngine(compileRunSets({ ...combinations, bounds: { partialMatches: 3 } }))
  for (let at = 0; at < 5; at++) held.advance(input('a', at, `k${at}`))
  assert.equal([held.stats().partialMatches, held.stats().keys, held.stats().horizon], [3, 3, 2])
  assert.is(held.stats().dropped['partialMatches'], 2)
  const keys = createEngine(compileRunSets({ ...combinations, bounds: { keys: 2 } }))
  for (let at = 0; at < 5; at++) keys.advance(input('a', at, `k${at}`))
  assert.equal([keys.stats().keys, keys.stats().dropped['keys']], [2, 3])
  const newest = createEngine(
    compileRunSets({ ...combinations, bounds: { keys: 2 }, policies: { keys: 'drop-newest' } }),
  )
  for (let at = 0; at < 5; at++) newest.advance(input('a', at, `k${at}`))
  assert.ok(newest.partials('k0')?.length === 1 && newest.partials('k4')?.length === 0)
  assert.is(newest.stats().dropped['keys'], 3)
})

test('what is under way can be listed, as much as can be', () => {
  const engine = createEngine(compileRunSets(combinations))
  for (const [time, type] of ['a', 'b', 'x', 'b'].entries()) engine.advance(input(type, time))
  const listed = engine
    .partials('k')
    ?.map(({ taken, waitsFor, until }) => [
      taken.map(({ stage, event }) => `${stage}:${event.id}`).join(' '),
      waitsFor.join(' '),
      until,
    ])
  assert.equal(listed, [
    ['a:a-0 b:b-1 b:b-3', 'b c', 1_000],
    ['a:a-0 b:b-1', 'b c', 1_000],
    ['a:a-0 b:b-3', 'b c', 1_000],
    ['a:a-0', 'b', 1_000],
  ])
  for (let time = 10; time < 100; time++) engine.advance(input('b', time))
  assert.is(engine.partials('k')?.length, 1_000)
})

test.run()
