import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StartQueue } from '../../../src/cep/flat/start-queue.ts'

const test = suite('start-queue')

test('gives back what was put in, in order, while it wraps around and grows', () => {
  const queue = new StartQueue<string>()
  let put = 0
  let taken = 0
  const check = () => {
    assert.equal([queue.owner, queue.time, queue.start], [`o${taken}`, taken * 2, taken])
    assert.is(queue.shift(), `o${taken++}`)
  }
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 700; i++) queue.push(`o${put}`, put * 2, put++)
    for (let i = 0; i < 300; i++) check()
  }
  assert.is(queue.size, put - taken)
  while (queue.size > 0) check()
  assert.equal([put, taken, queue.time], [5_600, 5_600, Infinity])
})

test('those that are not kept are forgotten wherever they lie, and the others stay in order', () => {
  for (const before of [0, 5, 20, 31, 40]) {
    const queue = new StartQueue<string>()
    for (let at = 0; at < before; at++) queue.push('gone', at, at)
    for (let at = 0; at < before; at++) queue.shift()
    for (let at = 0; at < 30; at++) queue.push(`o${at}`, at * 2, at)
    queue.filter((owner, start) => owner === `o${start}` && start % 3 === 1)
    assert.is(queue.size, 10)
    queue.push('o30', 60, 30)
    const left: unknown[] = []
    while (queue.size > 0) left.push([queue.start, queue.time, queue.shift()])
    const expected = [...Array.from({ length: 10 }, (_, at) => at * 3 + 1), 30]
    assert.equal(
      left,
      expected.map((start) => [start, start * 2, `o${start}`]),
    )
    assert.equal([queue.owner, queue.time], [undefined, Infinity])
  }
})

test.run()
