import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('grace')

const AB: Pattern = {
  stages: [
    { kind: 'take', name: 'a', events: ['a'] },
    { kind: 'take', name: 'b', events: ['b'] },
  ],
  within: 100,
  grace: 10,
}

function engineOf(pattern: Pattern) {
  const engine = createEngine(compilePattern(pattern))
  const send = (type: string, time: number, key = 'k') =>
    engine.advance({ kind: 'event', key, event: storedEvent({ type, time }) })
  return { engine, send }
}

function rule(more = '') {
  return parseRule(
    `rule: r
on: S
key: data.k
${more}within: 30s
sequence:
  - a: { event: a }
  - b: { event: b }
emit: { event: c, data: { at: b.time } }
`,
    { file: 'r.yaml' },
  )
}

test('an event behind by at most the grace is taken at the time reached, one further behind is late', () => {
  const { engine, send } = engineOf(AB)
  send('x', 50)
  assert.equal(send('a', 40).late, [])
  assert.equal(
    send('a', 39).late.map(({ time }) => time),
    [39],
    'as it came, with its own time',
  )
  const [match] = send('b', 60).matches
  assert.equal(
    match?.events.map(({ time }) => time),
    [50, 60],
  )
  const { late, raised, clock, events } = engine.stats()
  assert.equal({ late, raised, clock, events }, { late: 1, raised: 1, clock: 60, events: 3 })
})

test('the window of an event that was raised begins at the time reached', () => {
  const { send } = engineOf({ ...AB, within: 10 })
  send('x', 50)
  send('a', 45)
  assert.is(send('b', 59).matches.length, 1, 'less than 10 after 50')
  const again = engineOf({ ...AB, within: 10 })
  again.send('x', 50)
  again.send('a', 45)
  assert.is(again.send('b', 60).matches.length, 0)
})

test('the event that was given is not changed', () => {
  const { engine, send } = engineOf(AB)
  send('x', 50)
  const event = Object.freeze(storedEvent({ type: 'a', time: 45 }))
  engine.advance({ kind: 'event', key: 'k', event })
  assert.is(event.time, 45)
})

test('without grace, and with lateness, an event behind the time reached is late as ever', () => {
  const { stages, within = 0 } = AB
  const plain = engineOf({ stages, within })
  plain.send('x', 50)
  assert.is(plain.send('a', 49).late.length, 1)
  const patient = engineOf({ ...AB, lateness: 5 })
  patient.send('x', 50)
  assert.is(patient.send('a', 45).late.length, 0)
  assert.is(patient.send('a', 44).late.length, 1, 'further behind than the lateness, though not than the grace')
  assert.is(patient.engine.stats().raised, 0)
})

test('a grace that is no number of milliseconds is a mistake of the pattern', () => {
  for (const grace of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(
      () => compilePattern({ ...AB, grace }),
      (e: unknown) => isFault(e, 'PATTERN_INVALID') && /grace/.test(e.detail),
    )
})

test('a pattern without grace keeps the signature that it had; another grace is another pattern', () => {
  const { stages, within = 0 } = AB
  const signature = (pattern: Pattern) => compilePattern(pattern).signature
  assert.is(signature({ stages, within, grace: 0 }), signature({ stages, within }))
  assert.is(new Set([{ stages, within }, AB, { ...AB, grace: 11 }].map(signature)).size, 3)
})

test('a rule has ten seconds of grace unless it says otherwise, and none with lateness', () => {
  const late = (more: string, behind: number) => {
    const events = [storedEvent({ type: 'a', time: 100_000, data: { k: 1 } })]
    events.push(storedEvent({ type: 'b', time: 100_000 - behind, data: { k: 1 } }))
    const { late, matches } = runRule(rule(more), events)
    return late.length > 0 ? 'late' : matches.length
  }
  assert.equal([late('', 10_000), late('', 10_001)], [1, 'late'])
  assert.equal([late('grace: 2s\n', 2_000), late('grace: 2s\n', 2_001)], [1, 'late'])
  assert.equal([late('grace: 0s\n', 0), late('grace: 0s\n', 1), late('grace: 0\n', 1)], [1, 'late', 'late'])
  assert.equal([late('lateness: 1s\n', 1_000), late('lateness: 1s\n', 1_001)], [0, 'late'], 'b before a, in its place')
  assert.equal([late('lateness: 0s\n', 10_000), late('lateness: 1s\ngrace: 0s\n', 1_001)], [1, 'late'])
})

test('a rule with both lateness and grace is a mistake, at its line', () => {
  assert.throws(
    () => rule('lateness: 1s\ngrace: 5s\n'),
    (e: unknown) =>
      isFault(e, 'RULE_INVALID') &&
      e.issues.length === 1 &&
      e.issues[0]?.line === 5 &&
      /grace/.test(e.issues[0].detail),
  )
  assert.throws(
    () => rule('grace: long\n'),
    (e: unknown) => isFault(e, 'RULE_INVALID') && e.issues[0]?.line === 4 && /duration/.test(e.issues[0].detail),
  )
})

test('two producers, each in order and their clocks up to the grace apart, lose no match', () => {
  const arrivals = fc.array(fc.record({ first: fc.boolean(), step: fc.nat(40) }), { minLength: 4, maxLength: 60 })
  let matches = 0
  fc.assert(
    fc.property(arrivals, fc.nat(10_000), (list, apart) => {
      let now = 100_000
      const seen = { one: 0, two: 0 }
      const events = list.map(({ first, step }) => {
        now += step
        const k = first ? 'one' : 'two'
        return storedEvent({ type: seen[k]++ % 2 === 0 ? 'a' : 'b', time: first ? now : now - apart, data: { k } })
      })
      const both = runRule(rule('skip: past-last\n'), events)
      const each = ['one', 'two'].map((key) =>
        runRule(
          rule('skip: past-last\n'),
          events.filter(({ data }) => (data as { k: string }).k === key),
        ),
      )
      assert.is(both.late.length, 0)
      assert.is(
        both.matches.length,
        each.reduce((sum, run) => sum + run.matches.length, 0),
      )
      matches += both.matches.length
    }),
  )
  assert.ok(matches > 150, `${matches} matches`)
})

test.run()
