import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DurableOps } from '../../../src/pipeline/ops/durable-ops.ts'
import { at } from './at-work.ts'

const test = suite('joins in event time')

interface Left {
  readonly side: 'left'
  readonly id: number
  readonly by: string
}
interface Right {
  readonly side: 'right'
  readonly id: number
  readonly by: string
}
type Value = Left | Right | { readonly side: 'none'; readonly id: number; readonly by: string }

const left = (value: Value): value is Left => value.side === 'left'
const right = (value: Value): value is Right => value.side === 'right'
const by = (value: Value): string => value.by

const log = fc
  .array(
    fc.record({
      passed: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10 }), fc.integer({ min: 30, max: 90 })),
      side: fc.constantFrom('left' as const, 'right' as const, 'none' as const),
      by: fc.constantFrom('x', 'y'),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let time = 100
    return steps.map(({ passed, side, by: key }, id) => [(time += passed), { side, id, by: key } as Value] as const)
  })
const span = fc.integer({ min: 0, max: 40 })

/** Pairs by definition: a right value less than `before` earlier, or less than `after` later. */
function pairs(values: readonly (readonly [number, Value])[], before: number, after: number): Map<number, number[]> {
  const found = new Map<number, number[]>()
  for (const [time, one] of values) {
    if (one.side !== 'left') continue
    const others = values.filter(([at, other]) => {
      if (other.side !== 'right' || other.by !== one.by) return false
      return other.id < one.id ? time - at < before : at - time < after
    })
    found.set(
      one.id,
      others.map(([, { id }]) => id),
    )
  }
  return found
}

interface Pair {
  readonly left: Left
  readonly right?: Right
}

function run(values: readonly (readonly [number, Value])[], join: (ops: DurableOps) => ReturnType<typeof inner>) {
  return at(join, values) as (readonly [number, Pair])[]
}

function inner(ops: DurableOps, before: number, after: number) {
  return ops.join<Value, Left, Right>({ left, right, by, before, after })
}

test('inner: each pair that is near enough in time comes out once, when its second value comes', () => {
  fc.assert(
    fc.property(log, span, span, (values, before, later) => {
      const after = later + 1
      const out = run(values, (ops) => inner(ops, before, after))
      const expected = [...pairs(values, before, after)].flatMap(([one, others]) => others.map((other) => [one, other]))
      const found = out.map(([, pair]) => [pair.left.id, pair.right?.id])
      assert.equal(found.map(String).sort(), expected.map(String).sort())
      const timeOf = (id: number | undefined): number => values[id ?? -1]?.[0] ?? -1
      for (const [time, pair] of out) assert.is(time, Math.max(timeOf(pair.left.id), timeOf(pair.right?.id)))
    }),
  )
})

test('left: a left value that has found none comes out alone when its time is over', () => {
  fc.assert(
    fc.property(log, span, span, (values, before, later) => {
      const after = later + 1
      const out = run(values, (ops) => ops.leftJoin<Value, Left, Right>({ left, right, by, before, after }) as never)
      const expected = pairs(values, before, after)
      const alone = out.filter(([, pair]) => pair.right === undefined)
      assert.equal(
        new Set(alone.map(([, pair]) => pair.left.id)),
        new Set([...expected].filter(([, others]) => others.length === 0).map(([id]) => id)),
      )
      for (const [time, pair] of alone) assert.is(time, (values[pair.left.id]?.[0] ?? 0) + after)
      const paired = [...expected].flatMap(([, others]) => others)
      assert.is(out.length - alone.length, paired.length)
    }),
  )
})

test('when the input ends, left values without another come out', () => {
  const values: readonly (readonly [number, Value])[] = [
    [1, { side: 'left', id: 0, by: 'x' }],
    [2, { side: 'right', id: 1, by: 'x' }],
    [3, { side: 'left', id: 2, by: 'y' }],
  ]
  const out = at((ops) => ops.leftJoin<Value, Left, Right>({ left, right, by, within: '1h' }), values, {
    completes: true,
  })
  assert.equal(
    out.map(([time, pair]) => [time, typeof pair === 'string' ? pair : [pair.left.id, pair.right?.id]]),
    [
      [2, [0, 1]],
      [3, [2, undefined]],
      [3, 'complete'],
    ],
  )
})

test('without a span a join is refused', () => {
  assert.throws(
    () => at((ops) => ops.join<Value, Left, Right>({ left, right }), []),
    /PIPELINE_INVALID.*within or after/,
  )
})

test('types of both sides are inferred', () => {
  const joined = at(
    (ops) => ops.join({ left, right, within: 5 }),
    [
      [1, { side: 'left', id: 0, by: 'x' } as Value],
      [2, { side: 'right', id: 1, by: 'x' } as Value],
    ],
  )
  for (const [, pair] of joined)
    if (typeof pair !== 'string') assert.equal([pair.left.side, pair.right.side], ['left', 'right'])
  assert.is(joined.length, 1)
})

test.run()
