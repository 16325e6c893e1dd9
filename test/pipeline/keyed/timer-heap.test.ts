import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KeyState } from '../../../src/pipeline/keyed/key-state.ts'
import { NamedTimer, TimerHeap } from '../../../src/pipeline/keyed/timer-heap.ts'
import { dropTimer, setTimer, timersOf, unlinkFired } from '../../../src/pipeline/keyed/timer-list.ts'

const test = suite('named timers in a heap')

type Fired = readonly [due: number, key: string, name: string]

function takeAll(heap: TimerHeap<KeyState>, time: number): Fired[] {
  const fired: Fired[] = []
  for (let timer = heap.take(time); timer !== undefined; timer = heap.take(time)) {
    unlinkFired(timer)
    fired.push([timer.due, timer.owner.key, timer.name])
  }
  return fired
}

/** Timers as a map: what the heap must agree with. */
class Model {
  readonly timers = new Map<string, Fired>()

  set(key: string, name: string, due: number): void {
    this.timers.set(JSON.stringify([key, name]), [due, key, name])
  }

  drop(key: string, name: string): void {
    this.timers.delete(JSON.stringify([key, name]))
  }

  takeAll(time: number): Fired[] {
    const due = [...this.timers.values()].filter(([at]) => at <= time).sort(byTimeKeyName)
    for (const [, key, name] of due) this.drop(key, name)
    return due
  }

  get due(): number {
    return Math.min(...[...this.timers.values()].map(([due]) => due))
  }
}

function byTimeKeyName([a, keyA, nameA]: Fired, [b, keyB, nameB]: Fired): number {
  return a - b || compare(keyA, keyB) || compare(nameA, nameB)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const key = fc.constantFrom('a', 'b', 'c', 'd')
const name = fc.constantFrom('x', 'y', 'z')
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('set' as const), key, name, due: fc.integer({ min: 0, max: 40 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), key, name, due: fc.constant(0) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('take' as const), key, name, due: fc.integer({ min: 0, max: 50 }) }),
  },
)

test('E2 whatever is set, moved and cancelled, timers come out by time, key and name, each once', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const heap = new TimerHeap<KeyState>()
      const model = new Model()
      const keys = new Map(['a', 'b', 'c', 'd'].map((each) => [each, new KeyState(each)]))
      for (const { do: what, key, name, due } of actions) {
        const entry = keys.get(key) as KeyState
        if (what === 'set') {
          setTimer(entry, heap, name, due)
          model.set(key, name, due)
        } else if (what === 'drop') {
          dropTimer(entry, heap, name)
          model.drop(key, name)
        } else assert.equal(takeAll(heap, due), model.takeAll(due))
        assert.is(heap.due, model.due)
        assert.is(heap.size, model.timers.size)
      }
      for (const [each, entry] of keys)
        assert.equal(
          Array.from(timersOf(entry), (timer) => timer.name).sort(),
          [...model.timers.values()]
            .filter(([, other]) => other === each)
            .map(([, , other]) => other)
            .sort(),
        )
      assert.equal(takeAll(heap, 1_000), model.takeAll(1_000))
    }),
    { numRuns: 500 },
  )
})

test('many at once come out as if they had been added one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), key), { maxLength: 60 }), (all) => {
      const heap = new TimerHeap<KeyState>()
      heap.addAll(all.map(([due, each], at) => new NamedTimer(new KeyState(each), String(at), due, undefined)))
      const expected = all.map(([due, each], at): Fired => [due, each, String(at)]).sort(byTimeKeyName)
      const fired: Fired[] = []
      for (let timer = heap.take(100); timer !== undefined; timer = heap.take(100))
        fired.push([timer.due, timer.owner.key, timer.name])
      assert.equal(fired, expected)
    }),
  )
})

test('cancelled timers do not pile up', () => {
  const heap = new TimerHeap<KeyState>()
  const entry = new KeyState('a')
  setTimer(entry, heap, 'keep', 5_000_000)
  for (let at = 0; at < 100_000; at++) {
    setTimer(entry, heap, 't', 1_000_000 - at) // earlier each time: the former one is cancelled
    if (at % 3 === 0) dropTimer(entry, heap, 't')
  }
  assert.ok(heap.places < 5_000, `${heap.places} places`)
  assert.is(takeAll(heap, 2_000_000).length, heap.size === 1 ? 0 : 1)
  assert.equal(takeAll(heap, 5_000_000), [[5_000_000, 'a', 'keep']])
})

test('putting a timer off again and again costs one place', () => {
  const heap = new TimerHeap<KeyState>()
  const entry = new KeyState('a')
  for (let at = 0; at < 10_000; at++) setTimer(entry, heap, 't', at)
  assert.is(heap.places, 1)
  assert.equal(takeAll(heap, 9_998), [])
  assert.equal(takeAll(heap, 9_999), [[9_999, 'a', 't']])
})

test.run()
