import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EarliestHeap, NOT_QUEUED, type Queued } from '../../src/time/earliest-heap.ts'

const test = suite('earliest heap')

test('whatever is added and taken out of the middle, what remains comes out sorted', () => {
  const dues = fc.array(fc.nat(20), { minLength: 1, maxLength: 60 })
  const removals = fc.array(fc.nat(59), { maxLength: 40 })
  fc.assert(
    fc.property(dues, removals, (dues, removals) => {
      const heap = new EarliestHeap<Queued>()
      const items = dues.map((due, order): Queued => ({ due, order, place: NOT_QUEUED }))
      for (const item of items) heap.add(item)
      for (const at of removals) {
        const item = items[at]
        if (item !== undefined && item.place !== NOT_QUEUED) heap.remove(item)
      }
      const left = items.filter(({ place }) => place !== NOT_QUEUED)
      assert.equal([heap.size, new Set(heap.list())], [left.length, new Set(left)])
      const taken: Queued[] = []
      for (let first = heap.first; first !== undefined; first = heap.first) {
        heap.remove(first)
        taken.push(first)
      }
      assert.equal(
        taken,
        [...left].sort((a, b) => a.due - b.due || a.order - b.order),
      )
    }),
    { numRuns: 300 },
  )
})

test('what was cleared is in no heap any more', () => {
  const heap = new EarliestHeap<Queued>()
  const items = [3, 1, 2].map((due, order): Queued => ({ due, order, place: NOT_QUEUED }))
  for (const item of items) heap.add(item)
  assert.is(heap.clear().length, 3)
  assert.ok(items.every(({ place }) => place === NOT_QUEUED))
  assert.equal([heap.size, heap.first], [0, undefined])
})

test.run()
