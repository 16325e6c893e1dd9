import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MOST_DRAINING } from '../../../src/pipeline/rules/drainings.ts'
import type { RulesReport } from '../../../src/pipeline/rules/rules-report.ts'
import { pairRule, put, reading, said, tell, unitOf } from './changing.ts'

const test = suite('drains of one rule')

test('RL2 drain: of more than four former revisions the oldest is cut, and that is said', () => {
  const count = MOST_DRAINING + 2
  const log = Array.from({ length: count + 1 }, (_, n) => reading(n + 1, 90 + n, { machine: `m${n}` }))
  const unit = unitOf(log)
  for (let revision = 1; revision <= count; revision++) {
    tell(unit, revision, put('pair', pairRule('pair', 50 + revision, '1h'), revision, { onChange: 'drain' }))
    unit.handle(log[revision - 1] as never)
  }
  const report = unit.logic.report?.() as RulesReport
  assert.equal(
    report.draining.map(({ revision }) => revision),
    [2, 3, 4, 5],
  )
  const cut = unit.logic.takeRemarks?.()?.filter(({ level }) => level === 'warn') ?? []
  assert.equal(
    cut.map(({ fields }) => [fields['rule'], fields['revision'], fields['droppedAtMost']]),
    [['pair', 1, 5]],
  )
})

test('RL2 drain: a window that is open at the change comes twice: whole, and with what came since', () => {
  const window = (limit: number) => `rule: pair
on: T
key: data.machine
aggregate: { event: reading.taken, window: { tumbling: 10s }, values: { total: sum(data.value) }, having: total > ${limit} }
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: total } }
`
  const log = [
    reading(1, 10),
    reading(2, 20),
    reading(3, 30),
    reading(4, 1, { at: 15_000 }),
    reading(5, 1, { at: 40_000 }),
  ]
  const unit = unitOf(log)
  tell(unit, 1, put('pair', window(5), 1))
  for (const message of log.slice(0, 2)) unit.handle(message)
  tell(unit, 2, put('pair', window(6), 2, { onChange: 'drain' }))
  for (const message of log.slice(2)) unit.handle(message)
  assert.equal(
    said(unit.commitAll()).map(({ sum, revision }) => [sum, revision]),
    [
      [60, '1'],
      [30, '2'],
    ],
  )
})

test.run()
