import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReorderBuffer } from '../../../src/cep/engine/reorder.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('reorder')

test('hands events back by time, equal times in order of arrival, and none beyond the time asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 40 }), fc.nat(9), (times, limit) => {
      const buffer = new ReorderBuffer()
      for (const [at, time] of times.entries()) buffer.push({ event: storedEvent({ type: 'a', time }), key: 'k', at })
      const sorted = times.map((time, at) => ({ time, at })).sort((a, b) => a.time - b.time || a.at - b.at)
      assert.equal(
        buffer.list().map((w) => w.at),
        sorted.map((w) => w.at),
      )
      assert.is(buffer.time, sorted[0]?.time ?? Infinity)
      const taken: number[] = []
      for (let next = buffer.take(limit); next !== undefined; next = buffer.take(limit)) taken.push(next.at)
      assert.equal(
        taken,
        sorted.filter((w) => w.time <= limit).map((w) => w.at),
      )
      assert.is(buffer.size, times.length - taken.length)
    }),
  )
})

test.run()
