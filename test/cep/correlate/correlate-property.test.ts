import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileCorrelate, type CorrelateOptions } from '../../../src/cep/correlate/compile-correlate.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { advances, inputOf, lineOf, stepByStep, steps, type Step } from './at-correlations.ts'

const test = suite('correlations, by definition')

const times = fc.constantFrom(
  {},
  { min: 0 },
  { min: 2 },
  { min: 1, max: 3 },
  { min: 2, max: 3 },
  { min: 0, max: 2 },
  { max: null },
)
const options: fc.Arbitrary<CorrelateOptions> = fc.record({
  sides: fc.tuple(times, times, times, fc.boolean()).map(([a, b, c, starts]) => ({
    a: { events: ['a'], ...a, min: Math.max(1, a.min ?? 1), max: a.max === null ? null : Math.max(2, a.max ?? 1) },
    b: { events: ['b', 'a'], where: ({ data }: StoredEvent) => (data as number) > 1, ...b, starts },
    c: { events: ['c'], ...c },
  })),
  within: fc.integer({ min: 1, max: 60 }),
  outcomes: fc.constantFrom(
    ['complete'] as const,
    ['missing'] as const,
    ['partial', 'missing'] as const,
    ['complete', 'partial', 'missing'] as const,
  ),
  completes: fc.constantFrom('soonest' as const, 'end' as const),
  duplicates: fc.constantFrom('first' as const, 'last' as const),
  again: fc.boolean(),
})
const ended = (all: readonly Step[]): Step[] => [...all, 10_000]

/** The matches of one key by the definition of each outcome, from the list of its events. */
function naive(
  { sides, within, outcomes = [], completes, duplicates, again }: CorrelateOptions,
  events: readonly StoredEvent[],
  key: string,
): string[] {
  const all = Object.entries(sides).map(([name, side]) => {
    const { min = 1, max, where = () => true, starts = true } = side
    const takes = (event: StoredEvent) => side.events.includes(event.type) && where(event, {}, key)
    return { name, min, max: max === null ? Infinity : (max ?? Math.max(1, min)), starts, takes }
  })
  const out: string[] = []
  const left = [...events]
  while (left.length > 0) {
    const first = left.shift() as StoredEvent
    const opener = all.find((side) => side.starts && side.takes(first))
    if (opener === undefined) continue
    const taken: [string, StoredEvent][] = [[opener.name, first]]
    const of = (name: string) => taken.filter(([side]) => side === name)
    const isReady = () => all.every(({ name, min }) => of(name).length >= min)
    const isFull = () => all.every(({ name, max }) => of(name).length >= max)
    const isOver = () => (completes === 'end' ? isFull() : isReady())
    const end = first.time + Number(within)
    let time = first.time
    while (!isOver() && left[0] !== undefined && left[0].time < end) {
      const event = left.shift() as StoredEvent
      const takers = all.filter((side) => side.takes(event))
      const open = takers.find(({ name, max }) => of(name).length < max)
      if (open === undefined && takers[0] !== undefined && duplicates === 'last')
        taken.splice(taken.indexOf(of(takers[0].name)[0] as [string, StoredEvent]), 1)
      const taker = open ?? (duplicates === 'last' ? takers[0] : undefined)
      if (taker !== undefined) taken.push([taker.name, event])
      time = event.time
    }
    if (isOver()) {
      if (again === false) while (left[0] !== undefined && left[0].time < end) left.shift()
    } else time = end
    const some = all.filter(({ name }) => of(name).length > 0)
    const outcome = isReady() ? 'complete' : some.length === 1 ? 'missing' : 'partial'
    const line = some.map(
      ({ name }) =>
        `${name}:${of(name)
          .map(([, { id }]) => id)
          .join('+')}`,
    )
    if (outcomes.includes(outcome))
      out.push(`${String(time).padStart(8, '0')} ${key} ${outcome} ${line.sort().join(' ')}`)
  }
  return out
}

const eventsOf = (all: readonly Step[], key: string): StoredEvent[] =>
  all.flatMap((step) => (typeof step !== 'number' && step.key === key ? [step.event] : []))

test('J1 J3 outcomes are those that the events of each key have by definition', () => {
  let found = 0
  fc.assert(
    fc.property(options, steps, (asked, some) => {
      const all = ended(some)
      const matches = advances(compileCorrelate(asked), all).flatMap((advance) => [...advance.matches])
      const expected = ['k', 'l'].flatMap((key) => naive(asked, eventsOf(all, key), key))
      assert.equal(matches.map(lineOf).sort(), expected.sort())
      found += expected.length
    }),
    { numRuns: 500 },
  )
  assert.ok(found > 200, `${found} found`)
})

test('J2 snapshot and restore after every step changes nothing', () => {
  fc.assert(
    fc.property(options, steps, fc.constantFrom('key' as const, 'cause' as const), (asked, some, by) => {
      const all = ended(some.map((step, at) => caused(step, at, some)))
      const executable = compileCorrelate({ ...asked, by, bounds: { correlations: 3, eventsPerSide: 4, links: 5 } })
      assert.equal(advances(executable, all, { crash: true }), advances(executable, all))
    }),
    { numRuns: 300 },
  )
})

test('J2 due is exact, and looking step by step changes nothing', () => {
  fc.assert(
    fc.property(options, steps, (asked, all) => {
      const executable = compileCorrelate(asked)
      const stepped = stepByStep(executable, all, assert.unreachable)
      assert.equal(
        stepped.map((matches) => matches.map(lineOf)),
        advances(executable, all).map(({ matches }) => matches.map(lineOf)),
      )
    }),
    { numRuns: 300 },
  )
})

test('out of order within the lateness, the outcomes are those in order', () => {
  fc.assert(
    fc.property(options, steps, fc.array(fc.nat(30), { minLength: 50, maxLength: 50 }), (asked, some, delays) => {
      const executable = compileCorrelate({ ...asked, lateness: 30 })
      const events = some.filter((step) => typeof step !== 'number')
      const late = events
        .map((step, at) => ({ step, at, when: step.event.time + (delays[at] ?? 0) }))
        .sort((x, y) => x.when - y.when || x.at - y.at)
      const sameTime = new Set(events.map(({ event }) => event.time)).size < events.length
      if (sameTime) return // of equal times, order of arrival decides
      const lines = (all: readonly Step[]) =>
        advances(executable, [...all, 10_000]).flatMap(({ matches }) => matches.map(lineOf))
      assert.equal(lines(late.map(({ step }) => step)), lines(events))
    }),
    { numRuns: 500 },
  )
})

test('by cause, what follows from one event is together, whatever the keys', () => {
  fc.assert(
    fc.property(options, steps, (asked, some) => {
      const all = some.map((step, at) => caused(step, at, some))
      const endless = { ...asked, within: '10d', again: false, sides: openSides(asked) }
      const roots = new Map<string, string>()
      const rooted = all.map((step) => {
        if (typeof step === 'number') return step
        const { id, causationId } = step.event
        const root = roots.get(causationId ?? '') ?? id
        roots.set(id, root)
        return { ...step, key: root }
      })
      const lines = (by: 'cause' | 'key', steps: readonly Step[]) =>
        advances(compileCorrelate({ ...endless, by }), [...steps, 1e12]).map(({ matches }) => matches.map(lineOf))
      assert.equal(lines('cause', all), lines('key', rooted))
    }),
    { numRuns: 300 },
  )
})

test('when time has passed everything, nothing is left', () => {
  fc.assert(
    fc.property(options, steps, (asked, all) => {
      const engine = createEngine(compileCorrelate(asked))
      for (const step of ended(all)) engine.advance(inputOf(step))
      const { keys, partialMatches, horizon } = engine.stats()
      assert.equal({ keys, partialMatches, horizon }, { keys: 0, partialMatches: 0, horizon: undefined })
      assert.is(engine.due, Infinity)
    }),
  )
})

/** Every type is of a side that begins: no chain has a gap. */
function openSides({ sides }: CorrelateOptions): CorrelateOptions['sides'] {
  const all = Object.entries(sides).map(([name, side]) => [name, { ...side, starts: true }] as const)
  return { ...Object.fromEntries(all), rest: { events: [], min: 0, max: null } }
}

/** Some events name an earlier one as their cause. */
function caused(step: Step, at: number, all: readonly Step[]): Step {
  if (typeof step === 'number') return step
  const earlier = all[at - 1 - ((step.event.data as number) % 3)]
  if (earlier === undefined || typeof earlier === 'number' || step.event.data === 0) return step
  return { ...step, event: { ...step.event, causationId: earlier.event.id } }
}

test.run()
