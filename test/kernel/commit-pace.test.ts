import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CommitPace } from '../../src/kernel/commit-pace.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { turnOf } from './messages.ts'

const test = suite('when a commit is due')

function paceAfter(turns: readonly Turn[], quiet = true, credit?: number): CommitPace {
  const pace = new CommitPace(quiet, credit)
  for (const turn of turns) pace.add(turn)
  return pace
}

const quietOnes = (count: number): Turn[] => Array.from({ length: count }, (_, at) => turnOf(at + 1, 0))
const reason = { processor: 'contract', code: 'EVENT_DATA_INVALID', detail: 'no number', issues: [] }

test('turns of which nobody sees anything but the position wait, and the first that somebody waits for ends it', () => {
  const awaited: Partial<Turn>[] = [
    { deadLetters: [reason] },
    { decision: { kind: 'tick', time: 5 } },
    { stored: () => undefined },
    { parked: [] },
  ]
  assert.is(paceAfter(quietOnes(20)).interval, 200)
  for (const turn of [turnOf(21, 1), ...awaited.map((fields) => turnOf(21, 0, fields))]) {
    const pace = paceAfter([...quietOnes(20), turn])
    assert.is(pace.interval, 5)
    pace.stored([...quietOnes(20), turn])
    pace.add(turnOf(22, 0))
    assert.is(pace.interval, 200, 'it is stored, and what comes after it may wait again')
  }
})

test('turns that change a state, or have something done before their commit, never wait for long', () => {
  assert.is(paceAfter(quietOnes(1), false).interval, 5)
})

test('many turns are due sooner, and half of the credit is many', () => {
  assert.is(paceAfter(quietOnes(999)).interval, 200)
  assert.is(paceAfter(quietOnes(1_000)).interval, 5)
  assert.is(paceAfter(quietOnes(4_000)).interval, 0)
  assert.is(paceAfter(quietOnes(4), true, 8).interval, 5)
  assert.is(paceAfter(quietOnes(3), true, 8).interval, 200)
  assert.is(paceAfter([turnOf(1, 500)]).interval, 0)
  assert.is(paceAfter([turnOf(1, 499)]).interval, 5)
})

test('behind a commit of many turns the next one gathers for longer', () => {
  const many = Array.from({ length: 100 }, (_, at) => turnOf(at + 1, 1))
  const pace = paceAfter([...many, turnOf(101, 1)])
  assert.is(pace.interval, 5)
  pace.stored(many)
  assert.is(pace.interval, 10)
  pace.stored([turnOf(101, 1)])
  pace.add(turnOf(102, 1))
  assert.is(pace.interval, 5)
})

test.run()
