import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { Reorder, type Held } from '../../src/time/reorder.ts'

const test = suite('reorder')

type Step = { readonly kind: 'event'; readonly time: number } | { readonly kind: 'tick'; readonly time: number }
interface Run {
  readonly released: { readonly time: number; readonly sequence: number; readonly watermark: number }[]
  readonly late: number[]
}

const steps = fc.array(
  fc.record({ kind: fc.constantFrom<Step['kind'][]>('event', 'event', 'event', 'event', 'tick'), time: fc.nat(120) }),
  { maxLength: 60 },
) as fc.Arbitrary<Step[]>
const lateness = fc.constantFrom(0, 1, 10, 50, 200)

function takeAll<T>(buffer: Reorder<T>): Held<T>[] {
  const taken: Held<T>[] = []
  for (let held = buffer.take(); held !== undefined; held = buffer.take()) taken.push(held)
  return taken
}

/** Gives the steps to a buffer; sequences are positions. */
function give(buffer: Reorder<string>, steps: readonly Step[], from = 0, run: Run = { released: [], late: [] }): Run {
  for (const [at, step] of steps.entries()) {
    const sequence = from + at
    if (step.kind === 'tick') buffer.advance(step.time)
    else if (!buffer.add(step.time, sequence, `${sequence}`)) run.late.push(sequence)
    for (const { time, sequence } of takeAll(buffer)) run.released.push({ time, sequence, watermark: buffer.watermark })
  }
  return run
}

/** The same with a list that is sorted each time. */
function naive(steps: readonly Step[], lateness: number): Run {
  const run: Run = { released: [], late: [] }
  let waiting: { time: number; sequence: number }[] = []
  let watermark = -Infinity
  for (const [sequence, { kind, time }] of steps.entries()) {
    if (kind === 'event' && time < watermark) run.late.push(sequence)
    else if (kind === 'event') waiting.push({ time, sequence })
    watermark = Math.max(watermark, kind === 'tick' ? time : time - lateness)
    waiting.sort((a, b) => a.time - b.time || a.sequence - b.sequence)
    for (const event of waiting.filter(({ time }) => time <= watermark)) run.released.push({ ...event, watermark })
    waiting = waiting.filter(({ time }) => time > watermark)
  }
  return run
}

test('T7 T8 whatever comes, what leaves, when, and what is late are as with a list that is sorted each time', () => {
  fc.assert(
    fc.property(steps, lateness, (steps, lateness) => {
      assert.equal(give(new Reorder(lateness), steps), naive(steps, lateness))
    }),
    { numRuns: 500 },
  )
})

test('T7 T8 an event that need not wait passes as if it had been added and taken', () => {
  let passed = 0
  fc.assert(
    fc.property(steps, lateness, (steps, lateness) => {
      const buffer = new Reorder<string>(lateness)
      const run: Run = { released: [], late: [] }
      for (const [at, step] of steps.entries())
        if (step.kind === 'event' && buffer.passes(step.time)) {
          run.released.push({ time: step.time, sequence: at, watermark: buffer.watermark })
          passed += 1
        } else give(buffer, [step], at, run)
      assert.equal(run, naive(steps, lateness))
    }),
    { numRuns: 500 },
  )
  assert.ok(passed > 20, `${passed} passed`)
  const fresh = new Reorder<string>(0)
  for (const time of [Number.NaN, Infinity, -Infinity]) assert.not(fresh.passes(time))
})

test('T7 what leaves is sorted by time and sequence, and together with what is late and what waits it is all there was', () => {
  fc.assert(
    fc.property(steps, lateness, (steps, lateness) => {
      const buffer = new Reorder<string>(lateness)
      const { released, late } = give(buffer, steps)
      const sorted = [...released].sort((a, b) => a.time - b.time || a.sequence - b.sequence)
      assert.equal(released, sorted)
      const waiting = buffer.snapshot().waiting.map(({ sequence }) => sequence)
      const all = [...released.map(({ sequence }) => sequence), ...late, ...waiting].sort((a, b) => a - b)
      assert.equal(
        all,
        steps.flatMap(({ kind }, at) => (kind === 'event' ? [at] : [])),
      )
    }),
    { numRuns: 300 },
  )
})

test('T7 events no further apart than the lateness are never late', () => {
  const jitters = fc.array(fc.nat(30), { maxLength: 50 })
  fc.assert(
    fc.property(jitters, (jitters) => {
      const steps = jitters.map((jitter, at): Step => ({ kind: 'event', time: at * 3 + 30 - jitter }))
      assert.equal(give(new Reorder(30), steps).late, [])
    }),
    { numRuns: 200 },
  )
})

test('T7 T8 a snapshot, through JSON and at any point, goes on as the buffer that went on', () => {
  fc.assert(
    fc.property(steps, lateness, fc.nat(60), (steps, lateness, cut) => {
      const buffer = new Reorder<string>(lateness)
      give(buffer, steps.slice(0, cut))
      const copy = new Reorder<string>(lateness, JSON.parse(JSON.stringify(buffer.snapshot())) as never)
      assert.equal(copy.snapshot(), buffer.snapshot())
      assert.equal(plain(copy.oldest), plain(buffer.oldest))
      const rest = steps.slice(cut)
      assert.equal(give(copy, rest, cut), give(buffer, rest, cut))
      assert.equal(copy.snapshot(), buffer.snapshot())
    }),
    { numRuns: 300 },
  )
})

test('T7 T8 a replay from the oldest waiting event, with what stood before it, gives the same buffer', () => {
  fc.assert(
    fc.property(steps, lateness, (steps, lateness) => {
      const buffer = new Reorder<string>(lateness)
      give(buffer, steps)
      const { oldest } = buffer
      if (oldest === undefined) return
      assert.is(oldest.sequence, Math.min(...buffer.snapshot().waiting.map(({ sequence }) => sequence)))
      const replayed = new Reorder<string>(lateness, oldest.before)
      give(replayed, steps.slice(oldest.sequence), oldest.sequence)
      assert.equal(replayed.snapshot(), buffer.snapshot())
    }),
    { numRuns: 300 },
  )
})

test('T8 an event at the watermark is not late, one just below it is, and a late one changes nothing', () => {
  const buffer = new Reorder<string>(10)
  assert.ok(buffer.add(100, 1, 'a'))
  assert.is(buffer.watermark, 90)
  const before = buffer.snapshot()
  assert.not.ok(buffer.add(89.999, 2, 'b'))
  assert.equal(buffer.snapshot(), before)
  assert.ok(buffer.add(90, 3, 'c'))
  assert.is(buffer.nextTime, 90)
  assert.equal(
    takeAll(buffer).map(({ value }) => value),
    ['c'],
  )
  assert.equal([buffer.size, buffer.nextTime, buffer.largest], [1, 100, 100])
})

test('T8 silence moves the watermark only forward, and what waits leaves', () => {
  const buffer = new Reorder<string>(10)
  buffer.add(100, 1, 'a')
  assert.equal([buffer.advance(150), buffer.advance(120)], [150, 150])
  assert.equal(
    takeAll(buffer).map(({ value }) => value),
    ['a'],
  )
  assert.not.ok(buffer.add(149, 2, 'b'))
})

test('a time that is none is refused for this event only, a lateness that is none at once', () => {
  const buffer = new Reorder<string>(10)
  buffer.add(5, 1, 'a')
  const before = buffer.snapshot()
  for (const time of [Number.NaN, Infinity, -Infinity, undefined as unknown as number])
    assert.throws(
      () => buffer.add(time, 2, 'b'),
      (error: unknown) => isFault(error, 'EVENT_TIME_INVALID') && error.disposition === 'dead-letter',
    )
  assert.equal(buffer.snapshot(), before)
  for (const lateness of [-1, Number.NaN, Infinity])
    assert.throws(
      () => new Reorder(lateness),
      (error: unknown) => isFault(error, 'TIME_INVALID'),
    )
})

test('one event that waits for long does not keep those that have left in memory', async () => {
  const buffer = new Reorder<object>(1_000_000)
  const given: WeakRef<object>[] = []
  const fill = (): void => {
    buffer.add(1_000_000, 0, {})
    for (let n = 1; n <= 20_000; n++) {
      const value = { n }
      given.push(new WeakRef(value))
      buffer.add(n, n, value)
      buffer.advance(n)
      assert.is(takeAll(buffer).length, 1)
    }
  }
  fill()
  await new Promise((resolve) => void setTimeout(resolve, 1))
  collectGarbage()
  const kept = given.filter((value) => value.deref() !== undefined).length
  assert.ok(kept < 3_000, `${kept} of 20,000 are still held`)
  assert.equal([buffer.size, buffer.oldest?.sequence], [1, 0])
})

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

function plain(held: Held<string> | undefined): unknown {
  return held === undefined ? undefined : [held.time, held.sequence, held.value, held.before]
}

test.run()
