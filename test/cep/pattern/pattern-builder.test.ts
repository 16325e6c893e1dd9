import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Match } from '../../../src/cep/engine/match.ts'
import { pattern } from '../../../src/cep/pattern/pattern-builder.ts'
import type { TypedPattern } from '../../../src/cep/pattern/typed-pattern.ts'
import type { Shapes } from '../../../src/cep/pattern/stage-shape.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('pattern-builder')

const Login = defineEvent('login', { data: z.object({ user: z.string() }) })
const Paid = defineEvent('paid', { data: z.object({ amount: z.number(), note: z.string().optional() }) })
const Verified = defineEvent('verified', { data: z.object({}) })

/** Types that are the same, not merely assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <Yes extends true>(yes: Yes = true as Yes) => yes
type LoginEvent = StoredEvent<'login', { user: string }>
type PaidEvent = StoredEvent<'paid', { amount: number; note?: string | undefined }>

function matchesOf<S extends Shapes>(typed: TypedPattern<S>, events: readonly [string, number, object?][]): Match[] {
  const engine = createEngine(typed.executable)
  return events.flatMap(([type, time, data = {}]) => {
    const event = storedEvent({ type, time, id: `${type}${time}`, data })
    return engine.advance({ kind: 'event', key: 'k', event }).matches
  })
}

test('a handler knows which stage is one event, which is a list, and which may be missing', () => {
  const typed = pattern()
    .begin('login', Login)
    .followedBy('paid', Paid, (e) => e.data.amount > 1)
    .oneOrMore()
    .followedBy('verified', Verified)
    .optional()
    .followedBy('end', 'logout')
    .within('1m')
    .compile()
  const [found] = matchesOf(typed, [
    ['login', 1, { user: 'ann' }],
    ['paid', 2, { amount: 5 }],
    ['logout', 3],
  ])
  const { stages } = typed.match(found as Match)
  same<Same<typeof stages.login, LoginEvent>>()
  same<Same<typeof stages.paid, readonly [PaidEvent, ...PaidEvent[]]>>()
  same<undefined extends typeof stages.verified ? true : false>()
  const user: string = stages.login.data.user
  const amount: number = stages.paid[0].data.amount
  // @ts-expect-error a list is not one event
  void (() => stages.paid.data)
  // @ts-expect-error it may be missing
  void (() => stages.verified.id)
  // @ts-expect-error there is no such stage
  void (() => stages.other)
  assert.equal([user, amount, stages.verified, stages.end.id], ['ann', 5, undefined, 'logout3'])
  assert.is(typed.match({ ...found, stages: {} } as Match).stages.verified, undefined)
})

test('a condition reads earlier stages by name, with values that are kept while events are taken', () => {
  const typed = pattern()
    .begin('probe', Paid, (e) => e.data.amount < 3)
    .times(3, null)
    .followedBy('hit', Paid, (e, { probe }) => e.data.amount > 50 * probe.avg('amount') && probe.first.data.amount > 0)
    .within('10m')
    .skip('past-last')
    .compile()
  const paid = (time: number, amount: number): [string, number, object] => ['paid', time, { amount }]
  const events = [paid(1, 1), paid(2, 2), paid(3, 1.5), paid(4, 74), paid(5, 76)]
  const [found, ...more] = matchesOf(typed, events).map((match) => typed.match(match))
  assert.equal(more, [])
  assert.equal([found?.stages.probe.map((e) => e.time), found?.stages.hit.time], [[1, 2, 3], 5])
})

test('a condition reads what its own stage has taken, each partial match its own', () => {
  const typed = pattern()
    .begin('up', Paid, (e, { up }) => !(e.data.amount <= (up.last?.data.amount ?? -1)))
    .times(3)
    .consecutive()
    .within(100)
    .compile()
  const amounts = [5, 6, 4, 5, 6, 7]
  const found = matchesOf(
    typed,
    amounts.map((amount, time) => ['paid', time, { amount }]),
  )
  assert.equal(
    found.map((match) => match.events.map((e) => e.time)),
    [
      [2, 3, 4],
      [3, 4, 5],
    ],
  )
})

test('sums and extremes over stages: of nothing, of fields that are missing, of many', () => {
  const seen: unknown[] = []
  const typed = pattern()
    .begin('a', Paid)
    .times(2, 3)
    .followedBy('b', Verified)
    .optional()
    .followedBy('c', 'check', (_, { a, b }) => {
      seen.push([a.count, a.sum('amount'), a.avg('amount'), a.min('amount'), a.max('amount'), b.count, b.first])
      return true
    })
    .within(100)
    .compile()
  matchesOf(typed, [
    ['paid', 1, { amount: 4 }],
    ['paid', 2, { amount: 2 }],
    ['check', 3],
  ])
  assert.equal(seen, [[2, 6, 3, 2, 4, 0, undefined]])
  matchesOf(typed, [
    ['paid', 1, { amount: 4 }],
    ['paid', 2],
    ['check', 3],
  ])
  assert.ok(Number.isNaN((seen[1] as number[])[1]), 'not every event has it')
})

test('each call gives a new pattern: what was there stays as it was', () => {
  const start = pattern().begin('a', 'a').followedBy('b', 'b').within(10)
  const one = start.times(2)
  const other = start.optional()
  assert.equal(
    [start.data(), one.data(), other.data()].map(({ stages: [, b] }) => [b && 'times' in b, b && 'optional' in b]),
    [
      [false, false],
      [true, false],
      [false, true],
    ],
  )
})

test('groups, gaps, skips and the rest come out as data', () => {
  const data = pattern()
    .begin(pattern().begin('a', 'a').next('b', ['b', Login]))
    .times(2)
    .combinations()
    .notNext('x', 'x')
    .followedByAny('c', 'c')
    .oneOrMore()
    .until('stop')
    .withinPrev('2s')
    .notFollowedBy('y', 'y')
    .withinPrev(500)
    .within('1m')
    .skip('to-last', 'c', { throwOnMiss: true })
    .sees(Paid)
    .lateness('3s')
    .bounds({ keys: 5 }, { keys: 'fail' })
    .options({ holdback: true })
    .data()
  assert.equal(JSON.parse(JSON.stringify(data)), {
    stages: [
      {
        kind: 'group',
        times: { min: 2, max: 2 },
        inner: 'any',
        stages: [
          { kind: 'take', name: 'a', events: ['a'] },
          { kind: 'take', name: 'b', contiguity: 'strict', events: ['b', 'login'] },
        ],
      },
      { kind: 'not', name: 'x', contiguity: 'strict', events: ['x'] },
      {
        kind: 'take',
        name: 'c',
        contiguity: 'any',
        times: { min: 1, max: null },
        withinPrev: 2000,
        until: { events: ['stop'] },
        events: ['c'],
      },
      { kind: 'not', name: 'y', contiguity: 'relaxed', withinPrev: 500, events: ['y'] },
    ],
    within: 60_000,
    skip: { type: 'to-last', stage: 'c', throwOnMiss: true },
    events: ['paid'],
    lateness: 3_000,
    bounds: { keys: 5 },
    policies: { keys: 'fail' },
    holdback: true,
    aggregates: [],
  })
})

test('of a group that is repeated, every stage is a list; its key is read from any of its events', () => {
  const typed = pattern()
    .begin(pattern().begin('a', Login).next('b', Paid))
    .times(2)
    .key((e) => ('user' in e.data ? e.data.user : undefined))
    .within(50)
    .compile()
  const [found] = matchesOf(
    typed,
    [1, 2, 3, 4].map((time) => [time % 2 ? 'login' : 'paid', time]),
  )
  const { stages } = typed.match(found as Match)
  same<Same<typeof stages.b, readonly [PaidEvent, ...PaidEvent[]]>>()
  assert.equal([stages.a.length, stages.b[1]?.time], [2, 4])
  assert.is(typed.keyOf?.(storedEvent({ type: 'login', data: { user: 'x' } })), 'x')
})

test('what types cannot say is one error that names all faults', () => {
  const faulty = pattern().begin('a', 'a').times(0).followedBy('b', 'b').times(3, 2)
  assert.throws(
    () => faulty.compile(),
    (error: unknown) =>
      isFault(error, 'PATTERN_INVALID') && /a: times.*b: times ends.*within is missing/.test(error.detail),
  )
})

test('misuse is a type error', () => {
  const a = pattern().begin('a', Login)
  // @ts-expect-error the name is taken
  void (() => a.next('a', Paid))
  // @ts-expect-error once is not greedy
  void (() => a.greedy())
  // @ts-expect-error until needs repetitions without a limit
  void (() => a.times(3).until('stop'))
  // @ts-expect-error what may be left out cannot be followed by not
  void (() => a.optional().notNext('x', 'x'))
  // @ts-expect-error not is not repeated
  void (() => a.notNext('x', 'x').times(2))
  // @ts-expect-error a group is not greedy
  void (() => pattern().begin(a).times(2).greedy())
  // @ts-expect-error combinations are not greedy
  void (() => a.oneOrMore().combinations().greedy())
  // @ts-expect-error there is no stage to skip to
  void (() => a.skip('to-last', 'b'))
  // @ts-expect-error there is no such stage before
  void (() => a.next('b', Paid, (e, { c }) => c.count > 0))
  // @ts-expect-error a field of text has no sum
  void (() => a.next('b', Paid, (e, earlier) => earlier.a.sum('user') > 0))
  // @ts-expect-error there is no such field
  void (() => pattern().begin('b', Paid, (e) => e.data.amont > 0))
  // @ts-expect-error a pattern without a stage
  void (() => pattern().compile())
})

test.run()
