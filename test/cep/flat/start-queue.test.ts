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

test.run()
