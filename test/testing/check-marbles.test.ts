import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { testPipeline, type MarbleTest } from '../../src/testing.ts'
import { Hasty, hasty, large, Paid, pay, sums } from './declarations.ts'

const test = suite('marble tests')

const values = {
  a: pay('c', 100),
  b: pay('c', 200),
  e: pay('c', 666),
  w: Hasty({ card: 'c', count: 2 }),
  x: Hasty({ card: 'c', count: 100 }),
  y: Hasty({ card: 'c', count: 200 }),
  z: Hasty({ card: 'c', count: 300 }),
}

function difference(run: () => unknown, code: 'TEST_DIFFERS' | 'TEST_INVALID' = 'TEST_DIFFERS'): string {
  try {
    run()
  } catch (error) {
    assert.ok(isFault(error, code), String(error))
    return error.detail
  }
  throw new Error('it passed')
}

const passing: readonly [string, typeof hasty | typeof sums, Omit<MarbleTest, 'values'>][] = [
  ['each character is a millisecond', large, { in: '-a--b', expected: '-x--y' }],
  ['values of a group come together', large, { in: '(ab)', expected: '(xy)' }],
  ['# is a dead letter', large, { in: 'aeb', expected: 'x#y' }],
  ['a window closes when its time is over', hasty, { in: 'ab', expected: '60s w' }],
  ['| lets time go by until no timer waits', sums, { in: '-a 5s b|', expected: '- 15001ms z' }],
  ['without | time goes as far as the longer one', sums, { in: 'a', expected: '' }],
  ['spans are spans', sums, { in: 'a 10s b', expected: '10s x' }],
]

for (const [name, pipeline, marbles] of passing)
  test(name, () => {
    testPipeline(pipeline)
      .marbles({ ...marbles, values })
      .crashEverywhere()
  })

test('what comes out otherwise is told as diagrams and in full', () => {
  const told = difference(() => testPipeline(large).marbles({ in: '-a--b', expected: '-x---y', values }))
  assert.match(told, 'expected  -x---y')
  assert.match(told, 'came out  -x--y')
  assert.match(told, '\n- 5ms y payment.hasty of "c" {"card":"c","count":200}')
  assert.match(told, '\n+ 4ms y payment.hasty of "c" {"card":"c","count":200}')
  assert.not.match(told, /[-+] 1ms/)
})

test('a value that no marble stands for is a question mark, with what it is', () => {
  const told = difference(() =>
    testPipeline(hasty).marbles({ in: 'ab 3m a', expected: '', values: { a: values.a, b: values.b } }),
  )
  assert.match(told, 'expected  nothing')
  assert.match(told, 'came out  60000ms ?')
  assert.match(told, '+ 60000ms ? payment.hasty of "c" {"card":"c","count":2}')
})

test('a dead letter that nobody expects is told with its reason', () => {
  const told = difference(() => testPipeline(large).marbles({ in: 'e', expected: '-', values }))
  assert.match(told, '+ 0ms # a dead letter: TURN_FAILED not this one')
})

test('what is missing at the end is told', () => {
  assert.match(
    difference(() => testPipeline(large).marbles({ in: 'a', expected: 'xy', values })),
    '\n- 1ms y',
  )
})

test('only what a draft says is compared', () => {
  testPipeline(large).marbles({ in: 'a', expected: 'x', values })
  const later = Hasty({ card: 'c', count: 100 }, { time: 5 })
  difference(() => testPipeline(large).marbles({ in: 'a', expected: 'x', values: { a: values.a, x: later } }))
})

test('diagrams follow one another, each from its own beginning', () => {
  testPipeline(sums).marbles({ in: 'a', expected: '10s x', values }).marbles({ in: '-b', expected: '- 10s y', values })
})

test('what means nothing is refused', () => {
  const run = (marbles: Omit<MarbleTest, 'values'>): string =>
    difference(
      () => testPipeline(large).marbles({ ...marbles, values: { a: Paid({ card: 'c', amount: 1 }) } }),
      'TEST_INVALID',
    )
  assert.match(run({ in: 'q', expected: '' }), 'marble q has no value; there are: a')
  assert.match(run({ in: 'a', expected: 'k' }), 'marble k has no value')
  assert.match(run({ in: 'a|a', expected: '' }), 'nothing comes after |')
  assert.match(run({ in: '#', expected: '' }), '# is for what comes out')
})

test.run()
