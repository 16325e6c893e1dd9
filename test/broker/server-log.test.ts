import { PassThrough } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { followServerLog, parseServerLog, reasonIn, type ServerLogLine } from '../../src/broker/server-log.ts'

const test = suite('server log')

test('reads level and text, with and without a time', () => {
  assert.equal(parseServerLog('[5430] 2026/11/21 02:32:31.673095 [INF] Server is ready'), {
    level: 'info',
    text: 'Server is ready',
  })
  assert.equal(parseServerLog('[1] [FTL] no space left on device'), { level: 'fatal', text: 'no space left on device' })
})

test('what is not in the form of the log, such as a panic, counts as an error', () => {
  assert.equal(parseServerLog('panic: runtime error'), { level: 'error', text: 'panic: runtime error' })
})

test('hands on every line and keeps the last ones', async () => {
  const source = new PassThrough()
  const seen: ServerLogLine[] = []
  const kept = followServerLog(source, (line) => seen.push(line))
  for (let n = 0; n < 100; n++) source.write(`[1] [INF] line ${n}\n`)
  source.end('[1] [ERR] unfinished')
  await new Promise((resolve) => source.once('close', resolve))
  assert.is(seen.length, 101)
  assert.is(kept().length, 40)
  assert.equal(kept().at(-1), { level: 'error', text: 'unfinished' })
})

test('a reason begins at the first error, and without one is the last that was said', () => {
  const info = (text: string): ServerLogLine => ({ level: 'info', text })
  assert.is(reasonIn([info('a'), { level: 'fatal', text: 'b' }, info('c')]), 'b | c')
  assert.is(reasonIn(['1', '2', '3', '4', '5', '6'].map(info)), '2 | 3 | 4 | 5 | 6')
  assert.is(reasonIn([]), 'it wrote no log')
})

test.run()
