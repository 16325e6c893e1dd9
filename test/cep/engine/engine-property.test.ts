import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Advance } from '../../../src/cep/engine/advance.ts'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Found } from '../../../src/cep/engine/match.ts'
import type { Pattern, Stage } from '../../../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { naiveMatches } from '../flat/naive-matcher.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('engine-property')

const types = fc.constantFrom(['a'], ['b'], ['c'], ['a', 'b'])
const contiguity = fc.constantFrom('strict', 'relaxed', 'relaxed', 'any')
const times = fc.constantFrom(
  { min: 1, max: 1 },
  { min: 1, max: 1 },
  { min: 2, max: 2 },
  { min: 1, max: 2 },
  { min: 1, max: null },
  { min: 2, max: null },
)
const takeStage = fc.record({ kind: fc.constant('take' as const), events: types, contiguity, inner: contiguity, times })
const notStage = fc.record({
  kind: fc.constant('not' as const),
  events: types,
  contiguity: fc.constantFrom('strict' as const, 'relaxed' as const),
})
const within = fc.integer({ min: 2, max: 12 })
const pattern = fc
  .tuple(fc.array(fc.tuple(takeStage, fc.option(notStage, { freq: 3 })), { minLength: 1, maxLength: 3 }), within)
  .map(([pairs, within]): Pattern => ({
    within,
    stages: pairs.flatMap(([take, not], at): Stage[] => {
      const stage = { ...take, name: `s${at}` } as Stage
      // Behind a repetition a relaxed not follows Flink, not the definition: the corpus and flink-fuzz cover it.
      const plain = not?.contiguity === 'strict' || take.times.max === 1
      return not === null || !plain ? [stage] : [stage, not]
    }),
  }))
const steps = fc.array(
  fc.record({
    type: fc.constantFrom('a', 'b', 'c', 'x'),
    later: fc.integer({ min: 0, max: 3 }),
    key: fc.constantFrom('k', 'l'),
  }),
  { minLength: 1, maxLength: 10 },
)

interface Keyed {
  readonly key: string
  readonly event: StoredEvent
}

function eventsOf(list: readonly { type: string; later: number; key: string }[]): Keyed[] {
  let time = 0
  return list.map(({ type, later, key }, at) => {
    time += later
    return { key, event: storedEvent({ type, id: `${type}${at}`, time }) }
  })
}

const describe = ({ stages }: Found) =>
  Object.entries(stages)
    .map(([name, events]) => `${name}:${events.map((e) => e.id).join(',')}`)
    .join(' ')

/** As JSON carries it: a field that is undefined is not there. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const END = 1_000

test('finds exactly the matches that the definition has, for random patterns and events of two keys', () => {
  let matches = 0
  fc.assert(
    fc.property(pattern, steps, (made, list) => {
      const compiled = compilePattern({ ...made, events: ['a', 'b', 'c', 'x'] })
      const engine = createEngine(compiled)
      const events = eventsOf(list)
      const advances = events.map(({ key, event }) => engine.advance({ kind: 'event', key, event }))
      advances.push(engine.advance({ kind: 'time', time: END }))
      for (const key of ['k', 'l']) {
        const own = events.filter((e) => e.key === key).map((e) => e.event)
        const found = advances.flatMap((a) => a.matches.filter((m) => m.key === key).map(describe))
        assert.equal(found.sort(), naiveMatches(made, own, END), JSON.stringify(own.map((e) => `${e.id}@${e.time}`)))
        matches += found.length
      }
      assert.is(engine.stats().partialMatches, 0, 'every window has closed')
      assert.is(engine.stats().keys, 0)
    }),
    { numRuns: 2_000 },
  )
  assert.ok(matches > 300, `${matches} matches`)
})

test('a snapshot between any two inputs changes nothing, whatever the pattern, skip, lateness and grace', () => {
  const skip = fc.constantFrom({ type: 'none' as const }, { type: 'next' as const }, { type: 'past-last' as const })
  const order = fc.constantFrom({ lateness: 0 }, { lateness: 0, grace: 2 }, { lateness: 2 })
  const disorder = fc.array(fc.integer({ min: -3, max: 0 }), { minLength: 10, maxLength: 10 })
  let [active, raised] = [0, 0]
  fc.assert(
    fc.property(pattern, skip, order, steps, disorder, (made, skip, order, list, shifts) => {
      const aggregates = [{ stage: 's0', text: 'n', initial: 0, add: (n: unknown) => (n as number) + 1 }]
      const stages = made.stages.map((s, at) =>
        at === 0 ? { ...s, where: (_: unknown, b: readonly unknown[]) => (b[0] as number) < 3 } : s,
      )
      const compiled = compilePattern({ ...made, stages, skip, ...order, aggregates })
      const inputs = [
        ...eventsOf(list).map(({ key, event }, at) => {
          const time = Math.max(0, event.time + (shifts[at] ?? 0))
          return { kind: 'event' as const, key, event: { ...event, time } }
        }),
        { kind: 'time' as const, time: END },
      ]
      const straight = createEngine(compiled)
      let restored = createEngine(compiled)
      for (const input of inputs) {
        const expected: Advance = straight.advance(input)
        assert.equal(plain(restored.advance(input)), plain(expected))
        assert.equal(restored.stats(), straight.stats())
        if (straight.stats().partialMatches > 0) active++
        raised = Math.max(raised, straight.stats().raised)
        restored = createEngine(compiled, JSON.parse(JSON.stringify(restored.snapshot())))
        assert.equal(plain(restored.snapshot()), plain(straight.snapshot()))
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(active > 200, `${active} snapshots had partial matches`)
  assert.ok(raised > 0, 'no event was raised')
})

test.run()
