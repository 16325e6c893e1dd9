import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeChange, StateLog } from '../../src/kernel/state-log.ts'
import { Logged, stateLogs } from './state-log-property.ts'

const test = suite('the log of a keyed state')

test('K1 what is read from it is the state that lives, at every commit, while it is written again and over deaths', () => {
  const { rounds } = stateLogs({ runs: 1_000 })
  assert.ok(rounds > 500, `${rounds} rounds`)
})

test('it stays within a few times what lives, however long it is written', () => {
  const logged = new Logged({ slice: 20, least: 100 })
  let longest = 0
  for (let at = 0; at < 20_000; at++) {
    const changes = Array.from({ length: 5 }, (_, n) => [(at * 7 + n * 13) % 300, at] as const)
    logged.commit({ changes, all: true })
    if (at % 50 === 0) longest = Math.max(longest, logged.read().written)
  }
  assert.is(logged.live.size, 300)
  assert.ok(logged.rounds > 50, `${logged.rounds} rounds`)
  assert.ok(longest < 300 * 6, `${longest} entries for 300 that live`)
})

test('a round needs as many commits as slices, and the log begins anew with the last of them', () => {
  const live = new Map([...'abcdefg'].map((key) => [key, 1]))
  const entries = () => [...live].map(([key, value]) => ({ key, value }))
  const log = new StateLog(entries, { written: 100, live: 7 }, { slice: 3, least: 10 })
  assert.equal(log.next(41), { entries: ['["a",1]', '["b",1]', '["c",1]'], from: undefined })
  assert.equal(log.next(50)?.from, undefined)
  assert.equal(log.next(60), { entries: ['["g",1]'], from: 42 })
  assert.is(log.next(70), undefined, 'and rests until enough is written')
})

test('large entries are written again a few at a time', () => {
  const entries = () => Array.from({ length: 40 }, (_, at) => ({ key: `k${at}`, value: 'x'.repeat(200_000) }))
  const log = new StateLog(entries, { written: 50_000, live: 40 })
  const slices: number[] = []
  for (let from: number | undefined; from === undefined;) {
    const rewrite = log.next(slices.length)
    slices.push(rewrite?.entries.length ?? 0)
    from = rewrite?.from
  }
  assert.equal(slices, [6, 6, 6, 6, 6, 6, 4])
})

test('nothing is written again before enough was written', () => {
  const log = new StateLog(() => [{ key: 'a', value: 1 }], { written: 0, live: 1 }, { slice: 3, least: 10 })
  log.wrote(9)
  assert.is(log.next(1), undefined)
  log.wrote(1)
  assert.ok(log.next(2))
})

test('a state in which nothing lives any more leaves a log in which nothing is', () => {
  const log = new StateLog(() => [], { written: 50, live: 0 }, { slice: 3, least: 10 })
  assert.equal(log.next(7), { entries: [], from: 8 })
})

test('a change is its key and its whole value, or its key alone', () => {
  assert.equal(encodeChange('a"b', { x: null }), '["a\\"b",{"x":null}]')
  assert.equal(encodeChange('k', undefined), '["k"]')
  assert.equal(encodeChange('k', null), '["k",null]')
})

test.run()
