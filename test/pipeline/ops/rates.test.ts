import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { at } from './at-work.ts'

const test = suite('durable operators that thin out, put off or remember')

const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 50, max: 300 })), {
  maxLength: 60,
})

function spread(steps: readonly number[]): (readonly [number, number])[] {
  let time = 1_000
  return steps.map((passed, id) => [(time += passed), id] as const)
}

test('rateLimit: a bucket of tokens that fills while time passes decides, value by value', () => {
  fc.assert(
    fc.property(
      gaps,
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(10, 20, 60),
      fc.integer({ min: 1, max: 4 }),
      (steps, count, per, burst) => {
        let tokens = burst * per // of which a value takes `per`
        let last = 0
        const passes: number[] = []
        for (const [time, id] of spread(steps)) {
          tokens = Math.min(burst * per, tokens + (time - last) * count)
          last = time
          if (tokens < per) continue
          tokens -= per
          passes.push(id)
        }
        const out = at((ops) => ops.rateLimit({ count, per, burst }), spread(steps))
        assert.equal(
          out.map(([, id]) => id),
          passes,
        )
      },
    ),
  )
})

test('rateLimit with delay: every value comes out, in order, and never more than the rate', () => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 4 }), (steps, burst) => {
      const out = at((ops) => ops.rateLimit({ count: 1, per: 10, burst, over: 'delay' }), spread(steps))
      assert.equal(
        out.map(([, id]) => id),
        steps.map((_, id) => id),
      )
      const times = out.map(([time]) => time)
      for (const [place, time] of times.entries())
        for (let earlier = place - burst; earlier >= 0; earlier -= burst)
          assert.ok(time - (times[earlier] ?? 0) >= (place - earlier - burst + 1) * 10 - 1e-6, times.join())
      for (const [place, [time]] of spread(steps).entries()) assert.ok((times[place] ?? 0) >= time)
    }),
  )
})

test('rateLimit with delay ends when the last value has come out', () => {
  const out = at(
    (ops) => ops.rateLimit({ count: 1, per: '1s', over: 'delay' }),
    [
      [5, 'a'],
      [6, 'b'],
    ],
    { completes: true },
  )
  assert.equal(out, [
    [5, 'a'],
    [1_005, 'b'],
    [1_005, 'complete'],
  ])
})

test('distinct forgets what has not passed for its ttl; dedupe what was not seen for it', () => {
  const values = [0, 4, 10, 12, 16, 30, 40].map((time) => [time, 'x'] as const)
  assert.equal(
    at((ops) => ops.distinct({ ttl: 10 }), values).map(([time]) => time),
    [0, 10, 30, 40],
  )
  assert.equal(
    at((ops) => ops.dedupe((value) => value, 10), values).map(([time]) => time),
    [0, 30, 40],
  )
  const mixed: (readonly [number, string | number | boolean | null])[] = [
    [0, 1],
    [1, '1'],
    [2, null],
    [3, true],
    [4, 1],
    [5, null],
  ]
  assert.equal(
    at((ops) => ops.distinct<string | number | boolean | null>(), mixed).map(([, value]) => value),
    [1, '1', null, true],
  )
})

test('distinct by what is no text, number or boolean is refused', () => {
  assert.match(String(at((ops) => ops.distinct(), [[0, { a: 1 } as never]])), /KEYED_STATE_INVALID/)
})

test('aligned buffers and samples end at multiples of their span, and are lazy', () => {
  const values = [
    [12, 'a'],
    [13, 'b'],
    [47, 'c'],
  ] as const
  assert.equal(
    at((ops) => ops.bufferTime(10, { align: true }), values),
    [
      [20, ['a', 'b']],
      [50, ['c']],
    ],
  )
  assert.equal(
    at((ops) => ops.bufferTime(10, { align: true, max: 2 }), values),
    [
      [13, ['a', 'b']],
      [50, ['c']],
    ],
  )
  assert.equal(
    at((ops) => ops.sampleTime(10, { align: true }), values),
    [
      [20, 'b'],
      [50, 'c'],
    ],
  )
  assert.throws(() => at((ops) => ops.bufferTime(10, { align: true, every: 5 }), []), /PIPELINE_INVALID.*see sliding/)
})

test('numbers that make no sense are refused where they are written', () => {
  assert.throws(() => at((ops) => ops.bufferCount(0), []), /PIPELINE_INVALID.*bufferCount: 0/)
  assert.throws(() => at((ops) => ops.bufferCount(2, 1.5), []), /PIPELINE_INVALID.*bufferCount: 1\.5/)
  assert.throws(() => at((ops) => ops.bufferTime(-1), []), /DURATION_INVALID/)
  assert.throws(() => at((ops) => ops.rateLimit({ count: 0, per: 1 }), []), /PIPELINE_INVALID.*count 0/)
  assert.throws(() => at((ops) => ops.rateLimit({ count: 1, per: 1, burst: 0 }), []), /PIPELINE_INVALID.*burst 0/)
})

test('take of none completes at once', () => {
  assert.equal(
    at((ops) => ops.take(0), [[5, 1]]),
    [[0, 'complete']],
  )
})

test.run()
