import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { defineEvent, type DraftOf, type EventOf } from '../../src/event/contract.ts'
import type { Event } from '../../src/event/event.ts'

const test = suite('contract')

const VelocityExceeded = defineEvent('velocity.exceeded', {
  data: z.object({ cardId: z.string(), count: z.int(), severity: z.string().default('low') }),
  key: (data) => data.cardId,
})

function caught(run: () => unknown, code: ErrorCode): MillraceError {
  try {
    run()
  } catch (error) {
    if (isFault(error, code)) return error
    throw error
  }
  return assert.unreachable(`expected ${code}`) as never
}

test('called with data it makes a draft with the schema’s output and the key', () => {
  const draft = VelocityExceeded({ cardId: 'c1', count: 6 })
  assert.equal(draft, {
    type: 'velocity.exceeded',
    version: 1,
    data: { cardId: 'c1', count: 6, severity: 'low' },
    key: 'c1',
    id: undefined,
    source: undefined,
    time: undefined,
    correlationId: undefined,
    causationId: undefined,
    attributes: {},
  })
})

test('options win over the contract', () => {
  const Paid = defineEvent('paid', { data: z.object({ n: z.number() }), source: '/shop', key: () => 'k' })
  assert.is(Paid({ n: 1 }).source, '/shop')
  const draft = Paid(
    { n: 1 },
    {
      id: 'i',
      source: '/other',
      time: new Date(5),
      key: 'mine',
      correlationId: 'c',
      causationId: 'd',
      attributes: { traceparent: '00-1' },
    },
  )
  assert.equal(
    [draft.id, draft.source, draft.time, draft.key, draft.correlationId, draft.causationId, draft.attributes],
    ['i', '/other', 5, 'mine', 'c', 'd', { traceparent: '00-1' }],
  )
  assert.is(Paid({ n: 1 }, { time: 7.9 }).time, 7, 'whole milliseconds, as the wire has them')
})

test('data is checked by the compiler and typed on the event', () => {
  const draft: DraftOf<typeof VelocityExceeded> = VelocityExceeded({ cardId: 'c', count: 1 })
  const type: 'velocity.exceeded' = draft.type
  const count: number = draft.data.count
  const read = (event: Event): string => (VelocityExceeded.is(event) ? event.data.severity : 'none')
  // @ts-expect-error no such member
  const wrong = (event: EventOf<typeof VelocityExceeded>): unknown => event.data.amount
  // @ts-expect-error count is missing
  caught(() => VelocityExceeded({ cardId: 'c' }), 'EVENT_DATA_INVALID')
  assert.is(wrong({ ...draft, id: 'i', source: 's', time: 0 }), undefined)
  assert.is(type.length + count, 18)
  assert.is(read({ ...draft, id: 'i', source: 's', time: 0 }), 'low')
  assert.is(read({ ...draft, id: 'i', source: 's', time: 0, type: 'other' }), 'none')
})

test('invalid data is refused with a pointer per issue', () => {
  const Nested = defineEvent('nested', {
    data: z.object({ items: z.array(z.object({ 'a/b~c': z.string() })), n: z.number() }),
  })
  const error = caught(() => Nested({ items: [{ 'a/b~c': 1 as never }], n: 'x' as never }), 'EVENT_DATA_INVALID')
  assert.equal(
    error.issues.map((issue) => issue.pointer),
    ['/items/0/a~1b~0c', '/n'],
  )
  assert.match(error.detail, 'nested: /items/0/a~1b~0c: ')
  assert.match(error.detail, 'and 1 more')
})

test('of a union it tells what the nearest member misses', () => {
  const Union = defineEvent('union', {
    data: z.union([
      z.object({ kind: z.literal('a'), x: z.number() }),
      z.object({ kind: z.literal('b'), deep: z.object({ y: z.string() }) }),
    ]),
  })
  const checked = Union.check({ kind: 'b', deep: { y: 1 } }, 1)
  assert.equal(checked.ok ? [] : checked.issues.map((issue) => issue.pointer), ['/deep/y'])
})

test('a thousand wrong items have fifty issues', () => {
  const Many = defineEvent('many', { data: z.array(z.number()) })
  const checked = Many.check(Array(1_000).fill('x'), 1)
  assert.is(checked.ok ? 0 : checked.issues.length, 50)
})

test('is narrows a stream of events', () => {
  const read: Event[] = [{ ...VelocityExceeded({ cardId: 'c', count: 4 }), id: 'i', source: 's', time: 0 }]
  const counts: number[] = read.filter(VelocityExceeded.is).map((event) => event.data.count)
  assert.equal(counts, [4])
})

test('an option that cannot be used is refused', () => {
  const data = { cardId: 'c', count: 1 }
  for (const options of [
    { id: '' },
    { source: '' },
    { key: '' },
    { correlationId: '' },
    { causationId: '' },
    { time: NaN },
    { time: new Date('no') },
    { time: 1e15 },
    { attributes: { trace_parent: 'x' } },
    { attributes: { Trace: 'x' } },
    { attributes: { data: 'x' } },
    { attributes: { id: 'x' } },
    { attributes: { partitionkey: 'x' } },
  ])
    caught(() => VelocityExceeded(data, options), 'EVENT_ENVELOPE_INVALID')
})

test('a key that cannot be taken is the data’s fault, and keeps the cause', () => {
  const Bad = defineEvent('bad', { data: z.object({}), key: () => assert.unreachable('no key') as never })
  assert.match(String(caught(() => Bad({}), 'EVENT_DATA_INVALID').cause), 'no key')
})

test('a type is lower-case tokens with dots', () => {
  const data = z.object({})
  for (const type of ['a', 'payment.authorized', 'a-b.c_d.1']) assert.is(defineEvent(type, { data }).type, type)
  for (const type of ['', '.', 'a.', 'a..b', 'Payment', 'a b', 'a.*', 'a.>', 'é', 'a/b'])
    caught(() => defineEvent(type, { data }), 'CONTRACT_INVALID')
})

test('data that JSON would change is refused where it is declared, with its place', () => {
  const error = caught(
    () => defineEvent('e', { data: z.object({ at: z.object({ when: z.date() }) }) }),
    'CONTRACT_INVALID',
  )
  assert.match(error.detail, 'when is a date')
  for (const data of [
    z.bigint(),
    z.map(z.string(), z.string()),
    z.set(z.string()),
    z.object({ n: z.string().transform(Number) }),
    z.object({ n: z.string().pipe(z.coerce.number()) }),
    z.array(z.codec(z.string(), z.number(), { decode: Number, encode: String })),
  ])
    caught(() => defineEvent('e', { data }), 'CONTRACT_INVALID')
  for (const data of [
    z.object({ n: z.coerce.number(), s: z.string().trim(), e: z.enum(['a']), d: z.iso.datetime() }),
    z.preprocess((value) => value ?? {}, z.object({ x: z.number().optional() })),
    z.looseObject({}),
    z.unknown(),
    z.undefined(),
  ])
    assert.ok(defineEvent('e', { data }))
})

const ThirdVersion = defineEvent('order.placed', {
  version: 3,
  data: z.object({ total: z.number(), currency: z.string() }),
  upcasters: {
    1: (data) => ({ sum: (data as { price: number }).price }),
    2: (data) => ({ total: (data as { sum: number }).sum, currency: 'EUR' }),
  },
})

test('older data is brought to the current version step by step', () => {
  const current = { ok: true, data: { total: 5, currency: 'EUR' } }
  assert.equal(ThirdVersion.check({ price: 5 }, 1), current)
  assert.equal(ThirdVersion.check({ sum: 5 }, 2), current)
  assert.equal(ThirdVersion.check({ total: 5, currency: 'EUR' }, 3), current)
  assert.is(ThirdVersion.oldest, 1)
})

test('an unknown version, a throwing upcaster and what it made wrong are told apart', () => {
  const code = (data: unknown, version: number): string => {
    const checked = ThirdVersion.check(data, version)
    return checked.ok ? 'ok' : `${checked.code} ${checked.detail}`
  }
  for (const version of [4, 0, -1, 1.5, NaN])
    assert.match(code({}, version), /^EVENT_VERSION_UNKNOWN .*known are 1 to 3/)
  assert.match(code(null, 1), /^EVENT_UPCAST_FAILED .*from version 1 threw: Cannot read/)
  assert.match(code({ price: 'x' }, 1), /^EVENT_DATA_INVALID .*\/total/)
})

test('upcasters end at the current version without a gap', () => {
  const data = z.object({})
  const same = (value: unknown): unknown => value
  for (const [version, upcasters] of [
    [3, { 1: same }],
    [3, { 1: same, 3: same }],
    [2, { 1: same, 2: same }],
    [2, { 0: same, 1: same }],
    [2, undefined],
    [0, undefined],
    [1.5, undefined],
  ] as const)
    caught(() => defineEvent('e', { version, data, ...(upcasters && { upcasters }) }), 'CONTRACT_INVALID')
  assert.is(defineEvent('e', { version: 3, data, upcasters: { 2: same } }).oldest, 2)
  assert.is(defineEvent('e', { version: 3, data, upcasters: {} }).oldest, 3)
})

test('a schema that throws or waits is a refusal, never an exception', () => {
  const Throwing = defineEvent('e', { data: z.string().refine(() => assert.unreachable('boom') as never) })
  const Waiting = defineEvent('e', { data: z.string().refine(async () => true) })
  for (const contract of [Throwing, Waiting]) {
    const checked = contract.check('x', 1)
    assert.is(checked.ok ? 'ok' : checked.code, 'EVENT_DATA_INVALID')
  }
})

test.run()
