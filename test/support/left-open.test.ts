import { setTimeout as promised } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { leftOpen } from './left-open.ts'

const test = suite('what is left open')

test('timers that keep the process are told with what they call; those that do not are not', async () => {
  const timers = [setTimeout(() => undefined, 61_001), setInterval(() => undefined, 61_002)]
  const unheld = setTimeout(() => undefined, 61_003).unref()
  const ending = new AbortController()
  const waiting = promised(61_004, undefined, { signal: ending.signal })
  const told = leftOpen().filter((one) => /6100\d ms/.test(one))
  for (const timer of [...timers, unheld]) clearTimeout(timer)
  ending.abort()
  await waiting.catch(() => undefined)
  assert.is(told.length, 3, told.join('\n'))
  assert.match(told.find((one) => one.includes('61001')) ?? '', /^timer of 61001 ms: .*left-open\.test\.ts:9$/)
  assert.match(told.find((one) => one.includes('61002')) ?? '', /^interval of 61002 ms: .*left-open\.test\.ts:9$/)
  assert.is(
    told.find((one) => one.includes('61004')),
    'timer of 61004 ms: a promise',
  )
  assert.equal(
    leftOpen().filter((one) => /6100\d ms/.test(one)),
    [],
  )
})

test.run()
