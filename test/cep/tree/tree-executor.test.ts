import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../../src/error/millrace-error.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { EndReason } from '../../../src/cep/engine/partial.ts'
import { floodFaults } from '../../../src/cep/tree/check-tree.ts'
import { compileTree } from '../../../src/cep/tree/compile-tree.ts'
import type { Tree, TreePattern } from '../../../src/cep/tree/tree.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('tree-executor')

const filter = (type: string): Tree => ({ kind: 'filter', events: [type], tag: type })
const [a, b, c] = ['a', 'b', 'c'].map(filter) as [Tree, Tree, Tree]
const every = (part: Tree): Tree => ({ kind: 'every', part })
const seq = (...parts: Tree[]): Tree => ({ kind: 'seq', parts })
const and = (...parts: Tree[]): Tree => ({ kind: 'and', parts })
const not = (part: Tree): Tree => ({ kind: 'not', part })
const within = (part: Tree, ms: number): Tree => ({ kind: 'within', part, ms })
const interval = (ms: number): Tree => ({ kind: 'interval', ms })

const at = (type: string, time: number, key = 'k') =>
  ({ kind: 'event', key, event: storedEvent({ type, time, id: `${type}${time}` }) }) as const

function faultsOf(pattern: TreePattern): string {
  try {
    compileTree(pattern)
    return ''
  } catch (error) {
    assert.ok(isFault(error, 'PATTERN_INVALID'))
    return (error as { detail: string }).detail
  }
}

test('a tree whose state nothing bounds is rejected, and accepted with what bounds it', () => {
  assert.match(faultsOf({ tree: every(seq(a, b)) }), /forget/)
  assert.match(faultsOf({ tree: seq(every(a), b) }), /grow for ever.*forget/)
  assert.match(faultsOf({ tree: seq(every(a), b), forget: 10 }), /grow for ever/)
  assert.match(faultsOf({ tree: and(every(a), every(b)), forget: 10 }), /grow for ever/)
  assert.match(faultsOf({ tree: every(and(every(a), not(b))), forget: 10 }), /grow for ever/)
  assert.match(faultsOf({ tree: { kind: 'until', part: a, end: b }, forget: 10 }), /grow for ever/)
  assert.is(faultsOf({ tree: seq(every(a), b), forget: 10, bounds: { partialMatchesPerKey: 5 } }), '')
  assert.is(faultsOf({ tree: seq(every(a), within(b, 10)) }), '', 'what follows ends by itself')
  assert.is(faultsOf({ tree: every(a) }), '')
  assert.is(faultsOf({ tree: within(and(every(a), every(b)), 10), forget: 20 }), '')
})

test('faults of all parts are named together', () => {
  const tree = seq({ kind: 'repeat', part: a, count: 0 }, interval(-1), within(b, 0), { kind: 'or', parts: [] })
  const faults = faultsOf({ tree })
  for (const fault of [/repeat needs/, /interval must/, /within must/, /or without parts/]) assert.match(faults, fault)
  assert.match(faultsOf({ tree: { kind: 'repeat', part: not(a), count: 2 }, forget: 1 }), /as soon as it begins/)
})

test('an every that would come by itself too often is told', () => {
  const ticking = seq(a, every(interval(1)))
  const faults = (tree: Tree, forget: number) => floodFaults({ tree, forget }).join()
  assert.match(faults(within(ticking, 3_600_000), 86_400_000), /3600000 times without any event; at most 10000/)
  assert.match(faults(ticking, 20_000), /20000 times/)
  assert.is(faults(ticking, 10_000), '')
  assert.is(faults(within(ticking, 10_000), 86_400_000), '')
})

test('a key that is as at its beginning holds nothing', () => {
  const engine = createEngine(compileTree({ tree: seq(every(a), within(b, 10)) }))
  for (let key = 0; key < 100; key++) engine.advance(at('a', key, `k${key}`))
  assert.ok(engine.stats().keys > 0)
  assert.is(engine.stats().horizon, 90)
  engine.advance({ kind: 'time', time: 200 })
  assert.is(engine.stats().keys, 0)
  assert.is(engine.stats().partialMatches, 0)
  assert.equal((engine.snapshot().state as { events: unknown[] }).events, [])
})

test('a match that time brings is due exactly then, and names what began it when it took no event', () => {
  const engine = createEngine(compileTree({ tree: every(and(interval(60), not(a))), events: ['b'], forget: 1_000 }))
  engine.advance(at('a', 5))
  assert.is(engine.due, 65)
  engine.advance(at('a', 30))
  assert.is(engine.due, 90, 'each a puts it off')
  assert.equal(engine.advance({ kind: 'time', time: 89 }).matches, [])
  const [match] = engine.advance({ kind: 'time', time: 90 }).matches
  assert.equal([match?.time, match?.first.id, match?.last.id, match?.events], [90, 'a5', 'a5', []])
  assert.is(engine.due, 150, 'and again')
})

test('what comes by time alone begins with a key, though its first event means nothing to it', () => {
  const engine = createEngine(compileTree({ tree: every(seq(not(b), interval(1))), events: ['a', 'b'], forget: 100 }))
  assert.equal(engine.advance(at('a', 0)).matches, [])
  assert.is(engine.due, 1)
  assert.equal(
    engine.advance(at('a', 2)).matches.map(({ time }) => time),
    [1, 2],
  )
})

test('a key without an event is forgotten, with its timers', () => {
  const engine = createEngine(compileTree({ tree: every(interval(60)), events: ['a'], forget: 150 }))
  engine.advance(at('a', 0))
  const times = engine.advance({ kind: 'time', time: 10_000 }).matches.map((match) => match.time)
  assert.equal(times, [60, 120])
  assert.is(engine.due, Infinity)
  assert.is(engine.stats().keys, 0)
})

test('without every a key matches once, until it is forgotten', () => {
  const engine = createEngine(compileTree({ tree: seq(a, b), forget: 100 }))
  const found = [at('a', 0), at('b', 1), at('a', 2), at('b', 3), at('a', 200), at('b', 201)].map(
    (input) => engine.advance(input).matches.length,
  )
  assert.equal(found, [0, 1, 0, 0, 0, 1])
})

test('more than a key may hold goes by policy, and is counted', () => {
  const pattern = { tree: seq(every(a), b), forget: 1_000, bounds: { partialMatchesPerKey: 3 } }
  const found = (policies: TreePattern['policies'] = {}) => {
    const engine = createEngine(compileTree({ ...pattern, policies }))
    for (const time of [1, 2, 3, 4]) engine.advance(at('a', time))
    const { matches } = engine.advance(at('b', 5))
    return [matches.map((match) => match.first.id), engine.stats().dropped['partialMatches']]
  }
  assert.equal(found(), [['a3', 'a4'], 2])
  assert.equal(found({ partialMatchesPerKey: 'drop-newest' }), [['a1', 'a2'], 2])
  assert.throws(
    () => found({ partialMatchesPerKey: 'fail' }),
    (error: unknown) => isFault(error, 'BOUND_EXCEEDED'),
  )
})

test('combinations that are too many are not made, and counted', () => {
  const tree = within(and(every(a), every(b), c), 1_000)
  const engine = createEngine(compileTree({ tree, forget: 1_000, bounds: { matchesPerAdvance: 10 } }))
  for (let time = 0; time < 40; time++) engine.advance(at(time % 2 === 0 ? 'a' : 'b', time))
  assert.is(engine.advance(at('c', 50)).matches.length, 10)
  assert.is(engine.stats().droppedMatches, 390)
})

test('more keys than there is room for: the oldest goes', () => {
  const engine = createEngine(compileTree({ tree: seq(every(a), within(b, 100)), bounds: { keys: 2 } }))
  for (const [time, key] of ['x', 'y', 'z'].entries()) engine.advance(at('a', time, key))
  assert.equal([engine.stats().keys, engine.stats().dropped['keys']], [2, 1])
  assert.equal(engine.advance(at('b', 5, 'x')).matches, [])
  assert.is(engine.advance(at('b', 5, 'z')).matches.length, 1)
})

test('a condition reads what was taken before under a tag; one that throws counts and is not satisfied', () => {
  const sum = {
    stage: 'a',
    text: 'sum(a.n)',
    initial: 0,
    add: (n: unknown, e: { data: unknown }) => (n as number) + (e.data as { n: number }).n,
  }
  const over: Tree = {
    kind: 'filter',
    events: ['b'],
    tag: 'b',
    where: (event, [total]) => {
      if (event.time === 3) throw new Error('no')
      return (
        (
          event.data as {
            n: number
          }
        ).n > (total as number)
      )
    },
  }
  const tree = seq({ kind: 'repeat', part: a, count: 2 }, over)
  const engine = createEngine(compileTree({ tree, forget: 100, aggregates: [sum] }))
  const give = (type: string, time: number, n: number) =>
    engine.advance({ kind: 'event', key: 'k', event: storedEvent({ type, time, data: { n } }) }).matches.length
  assert.equal([give('a', 0, 4), give('a', 1, 5), give('b', 2, 9), give('b', 3, 99), give('b', 4, 10)], [0, 0, 0, 0, 1])
  assert.is(engine.stats().evaluationErrors, 1)
  assert.match(engine.stats().errorSamples[0] ?? '', /b: no/)
})

test('shows what is under way, what it waits for and until when, and says why it ended', () => {
  const ended: [string[], EndReason['kind'], number][] = []
  const tree = seq(every(a), within(and(b, c, not(filter('d'))), 100))
  const engine = createEngine(compileTree({ tree }), undefined, {
    ended: (partial, reason, time) => ended.push([partial.taken.map((t) => t.event.id), reason.kind, time]),
  })
  engine.advance(at('a', 0))
  engine.advance(at('c', 10))
  engine.advance(at('a', 20))
  const shown = engine
    .partials('k')
    ?.map(({ taken, waitsFor, until }) => [taken.map((t) => t.event.id), waitsFor, until])
  assert.equal(shown, [
    [['a0', 'c10'], ['b'], 100],
    [['a20'], ['b', 'c'], 120],
  ])
  assert.equal(engine.partials('other'), [])
  engine.advance({ kind: 'time', time: 110 })
  engine.advance(at('d', 115))
  assert.equal(ended, [
    [['a0', 'c10'], 'window', 100],
    [['a20'], 'forbidden', 115],
  ])
})

test('a snapshot of another tree is refused', () => {
  const snapshot = createEngine(compileTree({ tree: every(a) })).snapshot()
  assert.throws(
    () => createEngine(compileTree({ tree: every(b) }), snapshot),
    (error: unknown) => isFault(error, 'SNAPSHOT_MISMATCH'),
  )
})

test.run()
