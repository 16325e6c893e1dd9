import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuleAtWork } from '../../../src/cep/rule/rule-at-work.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('gaps-due')

const stage = fc
  .tuple(
    fc.constantFrom('p', 'q', '[p, q]'),
    fc.constantFrom('', ', times: 2', ', withinPrev: 1s', ', withinPrev: 300ms', ', times: 2, timesWindow: 1s'),
  )
  .map(([event, more]) => ({ event, more }))
const ruleText = fc
  .record({
    first: fc.constantFrom('p', 'p, times: 2, timesWindow: 1s'),
    stages: fc.array(stage, { maxLength: 3 }),
    end: fc.constantFrom('', '  - not: { event: r }\n'),
    more: fc.constantFrom('', 'lateness: 2s\n', 'suppress: 3s\n', 'onTimeout: { event: missed }\n'),
    skip: fc.constantFrom('none', 'past-last', 'past-last\nholdback: true'),
  })
  .map(({ first, stages, end, more, skip }) => {
    const lines = stages.map(({ event, more }, at) => `  - s${at}: { event: ${event}${more} }\n`).join('')
    const sequence = `sequence:\n  - s: { event: ${first} }\n${lines}${end}`
    return `rule: n\non: S\nkey: data.k\nidle: 1s\n${sequence}within: 5s\nskip: ${skip}\nemit: { event: found }\n${more}`
  })
const step = fc.record({
  type: fc.constantFrom('p', 'p', 'q', 'r', undefined),
  later: fc.constantFrom(0, 1, 500, 900, 2_500, -400),
  stored: fc.constantFrom(0, 100, 1_000, 3_000),
})

test('a snapshot changes nothing of when time has to pass, whatever windows there are between events', () => {
  let due = 0
  fc.assert(
    fc.property(ruleText, fc.array(step, { maxLength: 25 }), (text, steps) => {
      const rule = parseRule(text, { file: 'r.yaml' })
      const work = new RuleAtWork(rule)
      let restored = new RuleAtWork(rule)
      let [time, storedAt] = [100_000, 100_000]
      for (const [at, { type, later, stored }] of steps.entries()) {
        storedAt += stored
        const own = { id: `e${at}`, time: time + later, storedAt, sequence: at + 1, data: { k: 'a' } }
        if (type !== undefined) time = Math.max(time, own.time)
        const [found, again] = [work, restored].map((one) =>
          type === undefined ? one.passStored(storedAt) : one.take(storedEvent({ type, ...own })),
        )
        assert.equal(JSON.stringify(again), JSON.stringify(found))
        restored = new RuleAtWork(rule, JSON.parse(JSON.stringify(restored.state())))
        assert.equal([restored.due, restored.engine.clock], [work.due, work.engine.clock])
        if (type === undefined && found !== undefined && found.length > 0) due += 1
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(due > 15, `${due} times it was due`)
})

test.run()
