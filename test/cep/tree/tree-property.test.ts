import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EngineInput } from '../../../src/cep/engine/advance.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Match } from '../../../src/cep/engine/match.ts'
import { compileTree, type CompiledTree } from '../../../src/cep/tree/compile-tree.ts'
import type { Tree } from '../../../src/cep/tree/tree.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'
import { randomStream, randomTree } from './random-tree.ts'
import { filterOrder, referenceMatches, TooMuch, type ReferenceMatch } from './reference.ts'

const test = suite('tree-property')

const COUNT_OF_A = { stage: 'a', text: 'count(a)', initial: 0, add: (n: unknown) => (n as number) + 1 }

function compiled(tree: Tree, more: { readonly forget?: number; readonly compat?: 'esper' } = {}): CompiledTree {
  return compileTree({
    tree,
    events: ['begin', 'A', 'B', 'C'],
    forget: 1e9,
    aggregates: JSON.stringify(tree).includes('"tag":"a"') ? [COUNT_OF_A] : [],
    bounds: { partialMatchesPerKey: 200, matchesPerAdvance: 20_000 },
    ...more,
  })
}

function eventsOf(stream: readonly { readonly type: string; readonly gap: number }[]): StoredEvent[] {
  let time = 0
  const begin = storedEvent({ type: 'begin', id: 'begin', time })
  return [begin, ...stream.map(({ type, gap }, at) => storedEvent({ type, time: (time += gap), id: `${type}${at}` }))]
}

const inputsOf = (events: readonly StoredEvent[], key = '') =>
  events.map((event): EngineInput => ({ kind: 'event', event, key }))

const text = ({ time, stages }: Match) =>
  JSON.stringify([time, Object.entries(stages).map(([tag, events]) => [tag, events.map((e) => e.id)])])

/** Runs without a pause, or with a snapshot and a restore after every input. */
function run(tree: CompiledTree, inputs: readonly EngineInput[], restore = false): string[][] {
  let engine = createEngine(tree)
  return inputs.map((input) => {
    const { matches } = engine.advance(input)
    if (restore) engine = createEngine(tree, JSON.parse(JSON.stringify(engine.snapshot())))
    return matches.map(text)
  })
}

/** Nothing when the tree finds more than there is time for. */
function reached(tree: Tree, events: readonly StoredEvent[], jumps: boolean): ReferenceMatch[] | undefined {
  try {
    return referenceMatches(tree, 0, { events, filters: filterOrder(tree), jumps, budget: { left: 300 } })
  } catch (error) {
    if (error instanceof TooMuch) return undefined
    throw error
  }
}

test('any tree over any stream finds what the reference finds, at the same events and times', () => {
  const property = fc.property(randomTree, randomStream, fc.boolean(), (tree, stream, jumps) => {
    const events = eventsOf(stream)
    const reference = reached(tree, events, jumps)
    if (reference === undefined) return
    const sorted = (lists: string[][]) => lists.map((list) => list.sort())
    const expected: string[][] = events.map(() => [])
    for (const { at, time, stages } of reference)
      expected[at]?.push(JSON.stringify([time, Object.entries(stages).sort(([a], [b]) => (a < b ? -1 : 1))]))
    const engine = createEngine(compiled(tree, jumps ? { compat: 'esper' } : {}))
    const found = inputsOf(events).map((input) =>
      engine.advance(input).matches.map(({ time, stages }) => {
        const tags = Object.entries(stages).sort(([a], [b]) => (a < b ? -1 : 1))
        return JSON.stringify([time, tags.map(([tag, list]) => [tag, list.map((e) => e.id)])])
      }),
    )
    assert.equal(sorted(found), sorted(expected))
  })
  fc.assert(property, { numRuns: 700 })
})

test('a snapshot and restore after every input changes nothing, order included', () => {
  const property = fc.property(randomTree, randomStream, (tree, stream) => {
    const plan = compiled(tree)
    const inputs = inputsOf(eventsOf(stream))
    assert.equal(run(plan, inputs, true), run(plan, inputs))
  })
  fc.assert(property, { numRuns: 500 })
})

test('how far time passes at once changes nothing', () => {
  const property = fc.property(
    randomTree,
    randomStream,
    fc.array(fc.nat(30), { maxLength: 8 }),
    (tree, stream, times) => {
      const plan = compiled(tree)
      const events = eventsOf(stream)
      const ticks = times.map((time): EngineInput => ({ kind: 'time', time }))
      const timeOf = (input: EngineInput) => (input.kind === 'time' ? input.time : input.event.time)
      const end: EngineInput = { kind: 'time', time: 60 }
      // A tick of the time of an event comes after it: sort is stable.
      const slow = [...inputsOf(events), ...ticks].sort((a, b) => timeOf(a) - timeOf(b))
      assert.equal(run(plan, [...slow, end]).flat(), run(plan, [...inputsOf(events), end]).flat())
    },
  )
  fc.assert(property, { numRuns: 500 })
})

test('nothing comes before it is due, and time is asked for no more often than it has an effect', () => {
  const property = fc.property(randomTree, randomStream, (tree, stream) => {
    const plan = compiled(tree)
    const engine = createEngine(plan)
    for (const input of inputsOf(eventsOf(stream))) engine.advance(input)
    const twin = createEngine(plan, JSON.parse(JSON.stringify(engine.snapshot())))
    assert.is(twin.due, engine.due)
    const horizon = 60
    const late = twin.advance({ kind: 'time', time: horizon }).matches.map(text)
    const early: string[] = []
    for (let steps = 0; engine.due <= horizon; steps++) {
      assert.ok(steps < 500, 'due goes on')
      const { due } = engine
      assert.equal(engine.advance({ kind: 'time', time: due - 0.5 }).matches, [], 'nothing comes before it is due')
      early.push(...engine.advance({ kind: 'time', time: due }).matches.map(text))
    }
    assert.equal(early, late)
  })
  fc.assert(property, { numRuns: 400 })
})

test('what repeats may come again sooner than the first time, and time is asked for by then', () => {
  const again: Tree = { kind: 'every', part: { kind: 'interval', ms: 1 } }
  const both: Tree = { kind: 'and', parts: [{ kind: 'filter', events: ['B'], tag: 'b' }, again] }
  const late: Tree = { kind: 'and', parts: [{ kind: 'interval', ms: 5 }, again] }
  for (const [part, first, at] of [
    [both, 1, 2],
    [late, 5, 5],
  ] as const) {
    const engine = createEngine(compiled({ kind: 'repeat', part, count: 2 }))
    for (const input of inputsOf(eventsOf([{ type: 'B', gap: 0 }]))) engine.advance(input)
    assert.ok(engine.due <= first, `${engine.due}`)
    const times: number[] = []
    while (engine.due <= 60)
      times.push(...engine.advance({ kind: 'time', time: engine.due }).matches.map((m) => m.time))
    assert.equal(times, [at])
  }
})

test('keys do not touch each other, and a key that is forgotten leaves nothing', () => {
  const property = fc.property(randomTree, randomStream, randomStream, (tree, one, other) => {
    const plan = compiled(tree, { forget: 20 })
    const [a, b] = [inputsOf(eventsOf(one), 'one'), inputsOf(eventsOf(other), 'other')]
    const timeOf = (input: EngineInput) => (input.kind === 'time' ? input.time : input.event.time)
    const both = [...a, ...b].sort((x, y) => timeOf(x) - timeOf(y))
    const engine = createEngine(plan)
    const found = both.flatMap((input) => engine.advance(input).matches)
    const rest = engine.advance({ kind: 'time', time: 1_000 }).matches
    for (const [key, inputs] of [
      ['one', a],
      ['other', b],
    ] as const) {
      const alone = run(plan, [...inputs, { kind: 'time', time: 1_000 }]).flat()
      assert.equal([...found, ...rest].filter((match) => match.key === key).map(text), alone)
    }
    const { keys, partialMatches, horizon } = engine.stats()
    assert.equal({ keys, partialMatches, horizon }, { keys: 0, partialMatches: 0, horizon: undefined })
    assert.equal((engine.snapshot().state as { events: unknown[] }).events, [])
    assert.is(engine.due, Infinity)
  })
  fc.assert(property, { numRuns: 500 })
})

test.run()
