import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import { algebra } from '../../../src/cep/tree/algebra.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import type { Match } from '../../../src/cep/engine/match.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('algebra')
const { on, seq, and, or, not, every, until, repeat, interval, within } = algebra

const Placed = defineEvent('placed', { data: z.object({ total: z.number() }) })
const Paid = defineEvent('paid', { data: z.object({ amount: z.number() }) })
type PlacedEvent = StoredEvent<'placed', { total: number }>
type PaidEvent = StoredEvent<'paid', { amount: number }>
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <Yes extends true>(yes: Yes = true as Yes) => yes

test('an absence: time brings the match, and its handler has the event that waited', () => {
  const unpaid = algebra.compile(
    seq(every(on('placed', Placed)), within(101, and(interval(100), not(on('paid', Paid))))),
  )
  const engine = createEngine(unpaid.executable)
  engine.advance({ kind: 'event', key: 'k', event: storedEvent({ type: 'placed', time: 5, data: { total: 3 } }) })
  assert.is(engine.due, 105)
  const [match] = engine.advance({ kind: 'time', time: 105 }).matches.map((each) => unpaid.match(each))
  const { stages } = match as NonNullable<typeof match>
  same<Same<typeof stages.placed, PlacedEvent>>()
  // @ts-expect-error what is inside not is in no match
  void (() => stages.paid)
  assert.equal([stages.placed.data.total, match?.time], [3, 105])
  assert.is(engine.stats().keys, 0)
})

test('lists, choices and conditions on earlier tags have their types', () => {
  const expression = seq(
    repeat(2, on('part', Paid)),
    or(
      on('rest', Paid, (e, { part }) => e.data.amount > (part?.sum('amount') ?? 0)),
      until(on('more', 'more'), on('stop', 'stop')),
    ),
  )
  const typed = algebra.compile(expression, { forget: '1h', bounds: { partialMatchesPerKey: 10 } })
  const engine = createEngine(typed.executable)
  const give = (type: string, time: number, amount = 0) =>
    engine.advance({ kind: 'event', key: 'k', event: storedEvent({ type, time, data: { amount } }) }).matches
  give('paid', 1, 4)
  give('paid', 2, 5)
  assert.equal(give('paid', 3, 9), [])
  const { stages } = typed.match(give('paid', 4, 10)[0] as Match)
  same<Same<typeof stages.part, readonly [PaidEvent, ...PaidEvent[]]>>()
  same<Same<typeof stages.rest, PaidEvent | undefined>>()
  same<undefined extends typeof stages.more ? true : false>()
  assert.equal([stages.part.map((e) => e.time), stages.rest?.time, stages.more], [[1, 2], 4, undefined])
})

test('what nothing bounds is refused with all its faults', () => {
  assert.throws(
    () => algebra.compile(and(every(on('a', 'a')), every(on('b', 'b')))),
    (error: unknown) => isFault(error, 'PATTERN_INVALID') && /grow for ever.*forget/.test(error.detail),
  )
  // @ts-expect-error there is no such field
  void (() => on('paid', Paid, (e) => e.data.amont > 0))
})

test.run()
