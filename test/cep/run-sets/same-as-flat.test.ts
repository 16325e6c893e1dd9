import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import { compileRunSets } from '../../../src/cep/run-sets/run-sets-pattern.ts'
import { eligible, keyedEvents, told } from './eligible.ts'

const test = suite('same-as-flat')

/** As JSON carries it. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))

const END = { kind: 'time' as const, time: 1_000 }

test('run sets put out what flat runs do: the same matches and timeouts, in the same order, with every input', () => {
  const seen = { matches: 0, timeouts: 0, several: 0 }
  fc.assert(
    fc.property(eligible, keyedEvents, (pattern, events) => {
      const flat = createEngine(compilePattern(pattern))
      const sets = createEngine(compileRunSets(pattern))
      for (const input of [...events, END]) {
        const expected = told(flat.advance(input))
        assert.equal(told(sets.advance(input)), expected)
        seen.matches += expected.matches.length
        seen.timeouts += expected.timeouts.length
        if (expected.matches.length > 1) seen.several++
      }
      assert.equal(sets.stats().evaluationErrors, flat.stats().evaluationErrors)
      assert.equal([sets.stats().keys, sets.stats().partialMatches, sets.stats().horizon], [0, 0, undefined])
    }),
    { numRuns: 2_000 },
  )
  assert.ok(seen.matches > 1_000 && seen.timeouts > 1_000 && seen.several > 100, JSON.stringify(seen))
})

test('a snapshot and restore after every input changes nothing', () => {
  let held = 0
  fc.assert(
    fc.property(eligible, keyedEvents, (pattern, events) => {
      const compiled = compileRunSets(pattern)
      const straight = createEngine(compiled)
      let restored = createEngine(compiled)
      for (const input of [...events, END]) {
        assert.equal(told(restored.advance(input)), told(straight.advance(input)))
        assert.equal(restored.stats(), straight.stats())
        assert.equal(plain(restored.partials('k')), plain(straight.partials('k')))
        assert.equal(plain(restored.snapshot()), plain(straight.snapshot()))
        held += straight.stats().partialMatches
        restored = createEngine(compiled, JSON.parse(JSON.stringify(restored.snapshot())))
      }
    }),
    { numRuns: 600 },
  )
  assert.ok(held > 1_000, `${held} events held`)
})

test.run()
