import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { runTurn } from '../../src/kernel/run-turn.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { storedDraft } from '../kernel/messages.ts'
import { alarmRule, Reading, registry } from '../support/kill-fixture.ts'

const test = suite('a rule and the clocks of producers')

const stream = defineStream({ name: 'T', root: 't' })
const NOW = Date.UTC(2026, 0, 1)
const YEAR_2099 = Date.UTC(2099, 0, 1)

function start() {
  const processor = ruleProcessor(alarmRule('T'), registry, { from: stream, to: stream })
  const logic = processor.start({ kind: 'fresh' }, () => undefined)
  return { logic, turn: (message: StoredMessage) => runTurn({ processor, logic, registry }, message) }
}

let sequence = 0
/** A reading stored `at` ms after the start, with the time that its producer gave it. */
function stored(at: number, value: number, machine = 'm', time = NOW + at): StoredMessage {
  return { ...storedDraft(Reading({ machine, value }, { time }), ++sequence), storedAt: NOW + at }
}

/** What raises one alarm. */
const alarm = (at: number, machine = 'm', off = 0) =>
  [10, 70, 80, 90].map((value, n) => stored(at + n, value, machine, NOW + at + n + off))

test('an event dated 2099 is a dead letter that names rule and cause, and the rule goes on as before', () => {
  const { logic, turn } = start()
  const ahead = turn(stored(0, 50, 'other', YEAR_2099))
  assert.equal(ahead.outputs, [])
  const [reason] = ahead.deadLetters
  assert.equal([reason?.code, reason?.processor], ['EVENT_TIME_AHEAD', 'rule-alarm'])
  assert.match(reason?.detail ?? '', /2099-01-01T00:00:00\.000Z.*2026-01-01T00:00:00\.000Z/)
  assert.is(alarm(1).flatMap((message) => turn(message).outputs).length, 1)
  assert.equal(logic.notices, {})
})

test('so is one without a key: it would move time too', () => {
  const rule = { ...alarmRule('T'), keyOf: () => undefined }
  const processor = ruleProcessor(rule, registry, { from: stream, to: stream })
  const logic = processor.start({ kind: 'fresh' }, () => undefined)
  const { deadLetters } = runTurn({ processor, logic, registry }, stored(0, 50, 'm', YEAR_2099))
  assert.is(deadLetters[0]?.code, 'EVENT_TIME_AHEAD')
})

test('five minutes ahead of the stream are taken, a millisecond more is not', () => {
  const { turn } = start()
  assert.is(turn(stored(0, 50, 'm', NOW + 300_000)).deadLetters.length, 0)
  assert.is(turn(stored(0, 50, 'm', NOW + 300_001)).deadLetters[0]?.code, 'EVENT_TIME_AHEAD')
})

test('an old event is taken however late it is stored', () => {
  const { turn } = start()
  const messages = alarm(1_000_000, 'm', -1_000_000)
  assert.is(messages.flatMap((message) => turn(message).outputs).length, 1)
})

test('two producers whose clocks are 25 ms apart raise every alarm', () => {
  const { logic, turn } = start()
  let outputs = 0
  for (let round = 0; round < 50; round++) {
    const [one, two] = [alarm(round * 1_000, 'one'), alarm(round * 1_000, 'two', -25)]
    for (const n of one.keys())
      for (const message of [one[n], two[n]]) if (message !== undefined) outputs += turn(message).outputs.length
  }
  assert.is(outputs, 100)
  assert.equal(logic.notices, {})
})

test('an event further behind than the grace is late: noted, no dead letter', () => {
  const { logic, turn } = start()
  turn(stored(60_000, 50))
  assert.is(turn(stored(60_001, 50, 'm', NOW + 40_000)).deadLetters.length, 0)
  assert.equal(logic.notices, { late: 1 })
})

test.run()
