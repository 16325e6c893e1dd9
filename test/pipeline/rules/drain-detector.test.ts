import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RulesReport } from '../../../src/pipeline/rules/rules-report.ts'
import { put, reading, said, tell, unitOf } from './changing.ts'

const test = suite('detectors that change while they work')

const rule = (detect: string) => `rule: pair
on: T
key: data.machine
detect: { event: reading.taken, ${detect} }
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: 1 } }
`

test('RL2 drain: a detector has begun nothing that it could end; no former revision stays', () => {
  const log = Array.from({ length: 20 }, (_, n) => reading(n + 1, 50 + (n % 3)))
  const unit = unitOf(log)
  for (let revision = 1; revision <= 5; revision++) {
    const text = rule(`value: data.value, detector: ewma, decision: { threshold: 0.${revision} }`)
    tell(unit, revision, put('pair', text, revision, { onChange: 'drain' }))
    for (const message of log.slice(revision * 4 - 4, revision * 4)) unit.handle(message)
  }
  const report = unit.logic.report?.() as RulesReport
  assert.equal(report.draining, [])
})

test('RL2 drain: a silence that began before the change is found by the former revision', () => {
  const log = [reading(1, 50), reading(2, 50, { machine: 'other', at: 60_000 })]
  const unit = unitOf(log)
  tell(unit, 1, put('pair', rule('detector: { heartbeat: { every: 10s } }'), 1))
  unit.handle(log[0] as never)
  tell(unit, 2, put('pair', rule('detector: { heartbeat: { every: 20s } }'), 2, { onChange: 'drain' }))
  unit.handle(log[1] as never)
  assert.equal(
    said(unit.commitAll()).map(({ revision }) => revision),
    ['1'],
  )
})

test.run()
