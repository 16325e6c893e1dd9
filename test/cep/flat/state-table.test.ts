import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EngineInput } from '../../../src/cep/engine/advance.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import { buildGraph } from '../../../src/cep/flat/build-graph.ts'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import { StateTable } from '../../../src/cep/flat/state-table.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import { take } from './engine-of.ts'
import { anyEvents, anyPattern } from './random-pattern.ts'

const test = suite('states and moves')

function findings(pattern: Pattern, inputs: readonly EngineInput[], most?: number): string[] {
  const compiled = compilePattern(pattern)
  if (most !== undefined) Object.assign(compiled, { states: new StateTable(compiled.graph, most) })
  const engine = createEngine(compiled)
  const found = inputs.map((input) => JSON.stringify(engine.advance(input)))
  if (most !== undefined) assert.ok(compiled.states.known <= most, `${compiled.states.known} of ${most} are known`)
  return found
}

test('states and moves that are remembered never become more than there may be', () => {
  const stages = ['a', 'b', 'c', 'd'].map((name) => take(name, { times: { min: 1, max: null }, inner: 'any' }))
  const states = new StateTable(buildGraph({ stages, within: 100 }), 10)
  const seen = new Set([states.begin.text])
  const open = [states.begin]
  for (let state = open.pop(); state !== undefined && seen.size < 200; state = open.pop())
    for (let truth = 0; truth < 16; truth++) {
      const { takes, stay } = states.move(state, truth)
      for (const next of [stay, ...takes.map((each) => each.state)])
        if (next !== null && !seen.has(next.text)) {
          seen.add(next.text)
          open.push(next)
        }
      assert.ok(states.known <= 10, `${states.known} are known`)
    }
  assert.ok(seen.size > 5, `${seen.size} were met`)
  assert.is(states.of([states.begin.nodes[0] as never]), states.begin)
})

test('what is found is the same when states are forgotten all the time, also as Flink finds it', () => {
  fc.assert(
    fc.property(anyPattern, anyEvents, fc.constantFrom(2, 3, 7), (pattern, events, most) => {
      for (const compat of [undefined, 'flink'] as const) {
        const { compat: _, ...rest } = pattern
        const each: Pattern = compat === undefined ? rest : { ...rest, compat }
        assert.equal(findings(each, events, most), findings(each, events))
      }
    }),
    { numRuns: 150 },
  )
})

test.run()
