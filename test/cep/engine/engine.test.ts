import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Advance } from '../../../src/cep/engine/advance.ts'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import type { FlatState } from '../../../src/cep/flat/snapshot.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Pattern, Stage } from '../../../src/cep/pattern/pattern.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('engine')

const take = (name: string, more: object = {}): Stage => ({ kind: 'take', name, events: [name], ...more })
const not = (type: string, contiguity: 'strict' | 'relaxed' = 'relaxed'): Stage => ({
  kind: 'not',
  events: [type],
  contiguity,
})
const AB: Pattern = { stages: [take('a'), take('b')], within: 10 }

function engineOf(pattern: Pattern) {
  const engine = createEngine(compilePattern(pattern))
  return {
    engine,
    /** An event written as type@time. */
    send: (text: string, key = 'k', data: unknown = {}): Advance => {
      const [type = '', time] = text.split('@')
      return engine.advance({ kind: 'event', key, event: storedEvent({ type, id: text, time: Number(time), data }) })
    },
    pass: (time: number): Advance => engine.advance({ kind: 'time', time }),
  }
}

const ids = (found: readonly { readonly events: readonly { readonly id: string }[] }[]) =>
  found.map(({ events }) => events.map((e) => e.id).join(' '))

test('a match has its key, its events by stage and in order, and the time at which it became certain', () => {
  const { send } = engineOf({ stages: [take('a', { times: { min: 2, max: 2 } }), take('b')], within: 10 })
  send('a@1')
  send('a@2')
  const [match] = send('b@5').matches
  assert.ok(match)
  assert.equal([match.key, match.first.id, match.last.id, match.time], ['k', 'a@1', 'b@5', 5])
  assert.equal(
    Object.entries(match.stages).map(([name, list]) => [name, list.map((e) => e.id)]),
    [
      ['a', ['a@1', 'a@2']],
      ['b', ['b@5']],
    ],
  )
})

test('an event of any key or type closes the windows of all keys, in order of deadline, then start', () => {
  const { send } = engineOf(AB)
  send('a@1', 'k1')
  send('a@2', 'k2')
  send('a@2', 'k3')
  send('a@3', 'k1')
  const { timeouts } = send('unknown@12', 'other')
  assert.equal(
    timeouts.map((t) => `${t.key} ${t.time}`),
    ['k1 11', 'k2 12', 'k3 12'],
  )
  assert.equal(
    send('unknown@13').timeouts.map((t) => `${t.key} ${t.time}`),
    ['k1 13'],
  )
})

test('an event older than the time reached is late: reported, counted, not matched', () => {
  const { send, engine } = engineOf(AB)
  send('a@5')
  assert.equal(ids(send('b@5').matches), ['a@5 b@5'], 'as old as the newest is in time')
  const { late, matches } = send('b@4')
  assert.equal([late.map((e) => e.id), matches.length], [['b@4'], 0])
  assert.is(engine.stats().late, 1)
})

test('with lateness, events up to that far behind take their place in order, and no further', () => {
  const { send, pass, engine } = engineOf({ ...AB, lateness: 3 })
  assert.equal(ids(send('b@5').matches), [])
  send('a@3')
  assert.equal(send('a@2').late.length, 0, 'exactly 3 behind')
  assert.equal(
    send('a@1').late.map((e) => e.id),
    ['a@1'],
  )
  assert.is(engine.stats().waiting, 3)
  assert.equal(ids(send('x@9').matches), ['a@2 b@5', 'a@3 b@5'])
  assert.equal(ids(send('b@9').matches), [])
  assert.equal(ids(pass(9).matches), [])
})

test('events with equal times wait in order of arrival, also across a snapshot', () => {
  const pattern: Pattern = { stages: [take('a'), take('b', { contiguity: 'strict' })], within: 10, lateness: 2 }
  const { send, engine } = engineOf(pattern)
  for (const text of ['a@5', 'b@5', 'b@5']) send(text)
  const restored = createEngine(compilePattern(pattern), engine.snapshot())
  assert.equal(ids(restored.advance({ kind: 'time', time: 5 }).matches), ['a@5 b@5'])
})

test('skip past-last drops what began at or before the last event of a match, next what began with it', () => {
  const stages = [take('a'), take('b', { contiguity: 'any' })]
  const run = (skip: Pattern['skip']) => {
    const { send } = engineOf({ stages, within: 100, ...(skip === undefined ? {} : { skip }) })
    return ['a@1', 'a@2', 'b@3', 'b@4', 'a@5', 'b@6'].flatMap((text) => ids(send(text).matches))
  }
  assert.equal(run(undefined), ['a@1 b@3', 'a@2 b@3', 'a@1 b@4', 'a@2 b@4', 'a@1 b@6', 'a@2 b@6', 'a@5 b@6'])
  assert.equal(run({ type: 'next' }), ['a@1 b@3', 'a@2 b@3', 'a@5 b@6'])
  assert.equal(run({ type: 'past-last' }), ['a@1 b@3', 'a@5 b@6'])
})

test('a match is emitted as soon as it is certain, while an older partial match lives', () => {
  const value = (e: unknown) => (e as { data: { n: number } }).data.n
  const aggregates = [{ stage: 'a', text: 'last(a)', initial: null, add: (_: unknown, e: unknown) => value(e) }]
  const where = (e: unknown, bound: readonly unknown[]) => value(e) > (bound[0] as number)
  const { send } = engineOf({
    stages: [take('a'), take('b', { where })],
    within: 100,
    skip: { type: 'past-last' },
    aggregates,
  })
  send('a@1', 'k', { n: 9 })
  send('a@2', 'k', { n: 1 })
  assert.equal(ids(send('b@3', 'k', { n: 5 }).matches), ['a@2 b@3'])
})

test('state of a key is freed when its partial matches end, however they end', () => {
  const { send, pass, engine } = engineOf({ stages: [take('a'), not('c'), take('b')], within: 10 })
  for (const [key, end] of [
    ['matched', 'b@2'],
    ['banned', 'c@2'],
    ['timed out', 'x@2'],
  ] as const) {
    send('a@2', key)
    send(end, key)
  }
  assert.equal([engine.stats().keys, engine.stats().partialMatches], [1, 1])
  pass(12)
  assert.equal([engine.stats().keys, engine.stats().partialMatches, engine.stats().horizon], [0, 0, undefined])
  const { events, takings, keys } = engine.snapshot().state as FlatState
  assert.equal([events, takings, keys], [[], [], []])
})

test('a key that returns after its state was freed is not touched by the window of before', () => {
  const { send } = engineOf(AB)
  send('a@1')
  send('b@2')
  send('a@9')
  assert.equal(send('x@11').timeouts, [])
  assert.equal(ids(send('b@18').matches), ['a@9 b@18'])
})

test('partial matches of one key and matches of one advance are bounded, and what is dropped is counted', () => {
  const { send, engine } = engineOf({ ...AB, bounds: { partialMatchesPerKey: 3, matchesPerAdvance: 2 } })
  for (const text of ['a@1', 'a@2', 'a@3', 'a@4', 'a@5']) send(text)
  assert.equal([engine.stats().partialMatches, engine.stats().dropped], [3, { partialMatches: 2 }])
  assert.equal(ids(send('b@6').matches), ['a@3 b@6', 'a@4 b@6'])
  assert.equal([engine.stats().droppedMatches, engine.stats().matches], [1, 2])
})

test('horizon is the time of the earliest event that state depends on', () => {
  const { send, engine } = engineOf(AB)
  send('a@1', 'k1')
  send('a@3', 'k2')
  assert.is(engine.stats().horizon, 1)
  send('b@4', 'k1')
  assert.is(engine.stats().horizon, 3)
})

test('a condition that throws is not satisfied: counted, sampled, never fatal', () => {
  const where = () => {
    throw new Error('broken')
  }
  const { send, engine } = engineOf({ stages: [take('a', { where }), take('b')], within: 10 })
  for (let time = 0; time < 20; time++) assert.equal(send(`a@${time}`).matches, [])
  assert.is(engine.stats().evaluationErrors, 20)
  assert.equal([engine.stats().errorSamples.length, engine.stats().errorSamples[0]], [10, 'a@0, a: broken'])
})

test('a condition on the event alone is evaluated once per event, however many partial matches ask', () => {
  let calls = 0
  const where = () => ++calls < 0
  const { send } = engineOf({ stages: [take('a'), take('b', { where, local: true })], within: 100 })
  for (const text of ['a@1', 'a@2', 'a@3', 'b@4']) send(text)
  assert.is(calls, 1)
})

test('a final strict not matches at the next event that the rule sees', () => {
  const { send } = engineOf({ stages: [take('a'), not('b', 'strict')], within: 10, events: ['x'] })
  assert.equal(send('a@1').matches, [])
  assert.equal(send('y@2').matches, [], 'y is not seen')
  const [match] = send('x@3').matches
  assert.equal([match?.last.id, match?.time], ['a@1', 3])
  send('a@4')
  assert.equal(send('b@5').matches, [])
})

test('what a greedy repetition takes is not what a strict not after it forbids', () => {
  const { send } = engineOf({
    stages: [take('a', { times: { min: 1, max: null }, greedy: true }), not('a', 'strict'), take('b')],
    within: 10,
  })
  assert.equal(
    ['a@1', 'a@2', 'b@3'].flatMap((text) => ids(send(text).matches)),
    ['a@1 a@2 b@3', 'a@2 b@3'],
  )
})

test('a snapshot of another pattern is refused', () => {
  const { send, engine } = engineOf(AB)
  send('a@1')
  const other = compilePattern({ ...AB, within: 11 })
  assert.throws(
    () => createEngine(other, engine.snapshot()),
    (e: unknown) => isFault(e, 'SNAPSHOT_MISMATCH'),
  )
})

test('a pattern with mistakes, or with state that nothing bounds, is not compiled', () => {
  const cases: [Partial<Pattern>, RegExp][] = [
    [{ stages: [] }, /no stage takes an event/],
    [{ stages: [not('a'), take('b')] }, /cannot begin with not/],
    [{ stages: [take('a'), take('a')] }, /two stages are called a/],
    [{ stages: [take('a', { optional: true }), not('b'), take('c')] }, /cannot follow the optional stage a/],
    [{ stages: [take('a', { times: { min: 0, max: 2 } })] }, /from 1 up/],
    [{ stages: [take('a', { times: { min: 3, max: 2 } })] }, /ends before it begins/],
    [{ stages: [take('a', { until: { events: ['b'] } })] }, /until needs/],
    [{ stages: [take('a', { greedy: true })] }, /greedy needs/],
    [{ skip: { type: 'to-first', stage: 'z' } }, /skip names z/],
    [{ within: 0 }, /above 0/],
    [{ lateness: -1 }, /lateness/],
    [{ bounds: { partialMatchesPerKey: 0 } }, /partialMatchesPerKey/],
    [{ stages: Array.from({ length: 31 }, (_, i) => take(`s${i}`)) }, /at most 30/],
    [{ aggregates: [{ stage: 'z', text: 'count(z)', initial: 0, add: () => 0 }] }, /count\(z\) is about z/],
  ]
  for (const [change, detail] of cases)
    assert.throws(
      () => compilePattern({ ...AB, ...change }),
      (e: unknown) => isFault(e, 'PATTERN_INVALID') && detail.test(e.detail),
      String(detail),
    )
  const { stages } = AB
  assert.throws(
    () => compilePattern({ stages }),
    (e: unknown) => isFault(e, 'PATTERN_INVALID') && /within is missing/.test(e.detail),
  )
  assert.ok(compilePattern({ stages, bounds: { partialMatchesPerKey: 10 } }), 'an explicit bound will do')
})

test.run()
