import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileCorrelate, type CorrelateOptions } from '../../../src/cep/correlate/compile-correlate.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { EndReason, Partial } from '../../../src/cep/engine/partial.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'
import { advances, inputOf, lineOf, type Step } from './at-correlations.ts'

const test = suite('correlations')

const HOUR = 3_600_000
const unpaid: CorrelateOptions = {
  sides: { order: { events: ['order.placed'] }, payment: { events: ['payment.received'], starts: false } },
  within: '1h',
  outcomes: ['missing'],
}
const at = (time: number, type: string, fields: Partial_<StoredEvent> = {}, key = 'o1'): Step => ({
  event: storedEvent({ type, time, ...fields }),
  key,
})
type Partial_<T> = { readonly [Name in keyof T]?: T[Name] }

const found = (options: CorrelateOptions, steps: readonly Step[]) =>
  advances(compileCorrelate(options), steps).flatMap(({ matches }) => [...matches])

test('an order without payment within an hour is found when the hour is over, and says what is missing', () => {
  const steps = [
    at(0, 'order.placed'),
    at(1_000, 'payment.received'),
    at(2_000, 'order.placed', {}, 'o2'),
    HOUR + 2_000,
  ]
  const matches = found(unpaid, steps)
  assert.equal(matches.map(lineOf), ['03602000 o2 missing order:order.placed-2000'])
  assert.equal(matches[0]?.values, { outcome: 'missing', missing: ['payment'], start: 2_000, end: HOUR + 2_000 })
  assert.is(createEngine(compileCorrelate(unpaid)).due, Infinity)
})

test('the window ends before an event of its last moment: it is too late', () => {
  const steps = [at(0, 'order.placed'), at(HOUR, 'payment.received')]
  assert.equal(found(unpaid, steps).map(lineOf), ['03600000 o1 missing order:order.placed-0'])
  assert.equal(found(unpaid, [at(0, 'order.placed'), at(HOUR - 1, 'payment.received'), 2 * HOUR]), [])
})

test('conditions see what has come so far, and having sees the values', () => {
  const options: CorrelateOptions = {
    sides: {
      order: { events: ['order.placed'] },
      payment: { events: ['payment.received'], where: ({ data }, { order = [] }) => data === order[0]?.data },
    },
    within: '1h',
    outcomes: ['complete', 'missing'],
    having: ({ outcome, missing }) => outcome === 'complete' || missing.includes('payment'),
  }
  const steps = [
    at(1, 'order.placed', { data: 50 }),
    at(2, 'payment.received', { data: 20 }),
    at(3, 'payment.received', { data: 50 }),
    at(4, 'payment.received', { data: 70 }, 'o2'),
    2 * HOUR,
  ]
  assert.equal(found(options, steps).map(lineOf), [
    '00000003 o1 complete order:order.placed-1 payment:payment.received-3',
  ])
})

test('a condition that throws is counted, and the event is not of that side', () => {
  const broken = { ...unpaid.sides, order: { events: ['order.placed'], where: () => JSON.parse('no') as boolean } }
  const engine = createEngine(compileCorrelate({ ...unpaid, sides: broken }))
  assert.equal(engine.advance(inputOf(at(1, 'order.placed'))).matches, [])
  assert.is(engine.stats().evaluationErrors, 1)
  assert.match(engine.stats().errorSamples[0] ?? '', /order.placed-1, order: /)
})

test('a chain is joined without a key: A causes B causes C, also over an event of no side', () => {
  const options: CorrelateOptions = {
    sides: { a: { events: ['A'] }, c: { events: ['C'], starts: false } },
    within: '1m',
    by: 'cause',
  }
  const chain = [
    at(1, 'A', { id: 'a1' }, 'x'),
    at(1, 'A', { id: 'a2' }, 'y'),
    at(2, 'B', { id: 'b1', causationId: 'a1' }, 'z'),
    at(3, 'C', { id: 'c0', causationId: 'elsewhere' }),
    at(4, 'C', { id: 'c1', causationId: 'b1' }, 'w'),
  ]
  assert.equal(found(options, chain).map(lineOf), ['00000004 a1 complete a:a1 c:c1'])
})

test('events of one conversation are joined, with the one that began it', () => {
  const options: CorrelateOptions = {
    sides: { a: { events: ['A'] }, b: { events: ['B'] } },
    within: 10,
    by: 'correlation',
  }
  const steps = [
    at(1, 'A', { id: 'a1' }, 'x'),
    at(2, 'B', { id: 'b1', correlationId: 'a2' }, 'y'),
    at(3, 'B', { id: 'b2', correlationId: 'a1' }, 'z'),
  ]
  assert.equal(found(options, steps).map(lineOf), ['00000003 a1 complete a:a1 b:b2'])
})

test('bounds: the oldest gives way, or the newest is not begun, or the engine stops; it is counted', () => {
  const steps = [
    at(0, 'order.placed', {}, 'a'),
    at(1, 'order.placed', {}, 'b'),
    at(2, 'order.placed', {}, 'c'),
    2 * HOUR,
  ]
  const run = (policy: 'drop-oldest' | 'drop-newest' | 'fail') => {
    const engine = createEngine(compileCorrelate({ ...unpaid, bounds: { correlations: 2, policy } }))
    const keys = steps.flatMap((step) => engine.advance(inputOf(step)).matches.map(({ key }) => key))
    return [keys.join(''), engine.stats().dropped]
  }
  assert.equal(run('drop-oldest'), ['bc', { correlations: 1 }])
  assert.equal(run('drop-newest'), ['ab', { correlations: 1 }])
  assert.throws(() => run('fail'), /BOUND_EXCEEDED.*correlations: 2, at key "c"/)
})

test('what is open can be shown, and what came to nothing says why', () => {
  const ended: [Partial, EndReason, number][] = []
  const trace = { ended: (...all: [Partial, EndReason, number]) => void ended.push(all) }
  const executable = compileCorrelate({ ...unpaid, outcomes: ['complete'] })
  const engine = createEngine(executable, undefined, trace)
  engine.advance(inputOf(at(5, 'order.placed')))
  const [open] = engine.partials?.('o1') ?? []
  assert.equal(
    [open?.key, open?.taken.map(({ stage }) => stage), open?.waitsFor, open?.until],
    ['o1', ['order'], ['payment'], HOUR + 5],
  )
  assert.equal(engine.partials?.('o2'), [])
  engine.advance({ kind: 'time', time: 2 * HOUR })
  assert.equal(
    ended.map(([partial, reason, time]) => [partial.taken.length, reason.kind, time]),
    [[1, 'window', HOUR + 5]],
  )
})

test('what cannot be compiled is refused with every fault', () => {
  const bad = {
    sides: { a: { events: [], min: 2, max: 1, starts: false } },
    within: 0,
    outcomes: ['some' as never],
    bounds: { policy: 'hope' as never },
  }
  assert.throws(
    () => compileCorrelate(bad),
    /two sides at least.*no side begins.*a: max must.*within must be above 0.*no outcome some.*no policy hope/,
  )
})

test.run()
