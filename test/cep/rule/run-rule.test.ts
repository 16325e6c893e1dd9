import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../../src/broker/define-stream.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { createRegistry } from '../../../src/event/registry.ts'
import { ruleProcessor } from '../../../src/pipeline/rule-processor.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('run-rule')

const MINUTE = 60_000
const Seen = defineEvent('c', { data: z.object({ last: z.string() }) })
const registry = createRegistry([Seen])
const stream = defineStream({ name: 'S', root: 's' })

function rule(more = '') {
  return parseRule(
    `rule: r
on: S
key: data.k
${more}within: 30s
sequence:
  - a: { event: a }
  - not: { event: x }
  - b: { event: b }
  - not: { event: x }
emit: { event: c, data: { last: b.id } }
`,
    { file: 'r.yaml' },
  )
}

test('an event dated more than five minutes after it was stored is not taken, and time does not move', () => {
  const at = (type: string, time: number, ahead = 0) =>
    storedEvent({ type, id: `${type}${time}`, time: time + ahead, storedAt: time, data: { k: 1 } })
  const events = [
    at('a', 0),
    at('b', 1, 70 * 365 * 24 * 60 * MINUTE),
    at('x', 1, 5 * MINUTE + 1),
    at('b', 2),
    at('a', 31_000),
  ]
  const { matches, late, ahead, stats } = runRule(rule(), events)
  assert.equal(
    matches.map(({ last }) => last.id),
    ['b2'],
  )
  assert.equal([late.length, ahead.map(({ id }) => id), stats.clock], [0, ['b1', 'x1'], 31_000])
  assert.equal(runRule(rule(), [at('a', 0, 5 * MINUTE)]).ahead, [], 'five minutes are not too many')
})

test('an event without a key lets time pass, as it does for a rule on a stream', () => {
  const a = storedEvent({ type: 'a', id: 'a', time: 0, data: { k: 1 } })
  const b = storedEvent({ type: 'b', id: 'b', time: 1, data: { k: 1 } })
  const run = runRule(rule(), [a, b, storedEvent({ type: 'a', time: 30_000 })])
  assert.equal([run.matches.length, run.withoutKey], [1, 1])
})

test('finds what the rule finds on a stream, whatever the order, the grace, the lateness and the keys', () => {
  const list = fc.array(
    fc.record({
      type: fc.constantFrom('a', 'b', 'a', 'b', 'a', 'b', 'x'),
      step: fc.integer({ min: 0, max: 9_000 }),
      shift: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: -3_000, max: 0 }) },
        { weight: 1, arbitrary: fc.integer({ min: -15_000, max: 2_000 }) },
        { weight: 1, arbitrary: fc.constant(6 * MINUTE) },
      ),
      k: fc.constantFrom(1, 1, 2, undefined),
    }),
    { minLength: 10, maxLength: 30 },
  )
  let [matches, ahead, raised] = [0, 0, 0]
  fc.assert(
    fc.property(list, fc.constantFrom('', 'grace: 0s\n', 'lateness: 5s\n'), fc.nat(24), (steps, more, stopAt) => {
      let now = 1_000_000
      const events: StoredEvent[] = steps.map(({ type, step, shift, k }, n) => {
        now += step
        return storedEvent({ type, id: `${n}`, time: now + shift, storedAt: now, sequence: n + 1, data: { k } })
      })
      const made = rule(more)
      const run = runRule(made, events)
      const processor = ruleProcessor(made, registry, { from: stream, to: stream })
      let logic = processor.start({ kind: 'fresh' }, () => undefined)
      let refused = 0
      const live = events.flatMap((event, n) => {
        if (n === stopAt) {
          const state: unknown = JSON.parse(JSON.stringify(logic.snapshot?.()))
          logic = processor.start({ kind: 'snapshot', state }, () => undefined)
        }
        return logic.turn(event, () => refused++)
      })
      const found = run.matches.map((match) => made.emit(match).data)
      assert.equal(
        found.slice(0, live.length), // in memory, what still waits is let through in the end
        live.map(({ data }) => data),
      )
      if (!more.startsWith('lateness')) assert.is(found.length, live.length)
      assert.equal([refused, logic.notices?.['late'] ?? 0], [run.ahead.length, run.stats.late])
      matches += live.length
      ahead += refused
      raised += run.stats.raised
    }),
    { numRuns: 500 },
  )
  assert.ok(matches > 50 && ahead > 100 && raised > 50, `${matches} ${ahead} ${raised}`)
})

test.run()
