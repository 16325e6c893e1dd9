import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EngineInput } from '../../../src/cep/engine/advance.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Found } from '../../../src/cep/engine/match.ts'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import { anyEvents, anyPattern } from './random-pattern.ts'

const test = suite('same-as-flink')

/** Time passes a millisecond at a time: what Flink lets a match rule out depends on how far it passes at once. */
function everyMillisecond(events: readonly (EngineInput & { readonly kind: 'event' })[]): EngineInput[] {
  const inputs: EngineInput[] = []
  let now = 0
  for (const input of events) {
    while (now < input.event.time) inputs.push({ kind: 'time', time: ++now })
    inputs.push(input)
  }
  for (let n = 0; n < 20; n++) inputs.push({ kind: 'time', time: ++now })
  return inputs
}

const nameOf = ({ stages }: Found) =>
  Object.entries(stages)
    .map(([stage, events]) => `${stage}:${events.map(({ id }) => id).join(' ')}`)
    .sort()
    .join(', ')

/** What a pattern finds, as a sorted list, with the input that brought it; timeouts once for each way. */
function findings(pattern: Pattern, inputs: readonly EngineInput[], restoring = false) {
  const compiled = compilePattern(pattern)
  let engine = createEngine(compiled)
  const matches: { text: string; start: string; at: number }[] = []
  const timeouts: string[] = []
  for (const [at, input] of inputs.entries()) {
    const advance = engine.advance(input)
    for (const match of advance.matches) matches.push({ text: `${nameOf(match)} #${at}`, start: match.first.id, at })
    for (const timeout of advance.timeouts)
      for (let n = 0; n < timeout.ways; n++) timeouts.push(`${nameOf(timeout)} @${timeout.time}`)
    if (restoring) engine = createEngine(compiled, JSON.parse(JSON.stringify(engine.snapshot())))
  }
  assert.equal([engine.stats().partialMatches, engine.stats().keys], [0, 0], 'every window has closed')
  return { matches, texts: matches.map(({ text }) => text).sort(), timeouts: timeouts.sort() }
}

/** Whether several matches have one start: if they are put out together, the order of Flink's heap decides. */
function ties(pattern: Pattern, inputs: readonly EngineInput[]): boolean {
  const { matches } = findings({ ...pattern, skip: { type: 'none' }, compat: 'flink' }, inputs)
  return new Set(matches.map(({ start }) => start)).size < matches.length
}

test('partial matches that stay together find what computations one by one find: groups, until, greedy, nots, skips', () => {
  const seen = { matches: 0, timeouts: 0, groups: 0, skips: 0 }
  fc.assert(
    fc.property(anyPattern, anyEvents, (pattern, events) => {
      const inputs = everyMillisecond(events)
      const skips = pattern.skip?.type !== 'none'
      if (skips && ties(pattern, inputs)) return
      const flink = findings({ ...pattern, compat: 'flink' }, inputs)
      const flat = findings({ ...pattern, holdback: true }, inputs)
      assert.equal(flat.texts, flink.texts)
      assert.equal(flat.timeouts, flink.timeouts)
      if (flink.texts.length > 0) seen.groups += pattern.stages.some(({ kind }) => kind === 'group') ? 1 : 0
      seen.matches += flink.texts.length
      seen.timeouts += flink.timeouts.length
      if (skips) seen.skips += flink.texts.length
    }),
    { numRuns: 800 },
  )
  assert.ok(Math.min(...Object.values(seen)) > 3, JSON.stringify(seen))
})

test('a snapshot after every input changes nothing, whatever the pattern, for each way of running it', () => {
  fc.assert(
    fc.property(
      anyPattern,
      anyEvents,
      fc.constantFrom({}, { holdback: true }, { compat: 'flink' as const }),
      (p, e, how) => {
        const { texts, timeouts } = findings({ ...p, ...how }, everyMillisecond(e))
        const restored = findings({ ...p, ...how }, everyMillisecond(e), true)
        assert.equal([restored.texts, restored.timeouts], [texts, timeouts])
      },
    ),
    { numRuns: 250 },
  )
})

test.run()
