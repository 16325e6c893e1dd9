import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RulesReport } from '../../../src/pipeline/rules/rules-report.ts'
import { pairRule, processorOf, put, reading, said, silenceRule, stream, tell, unitOf } from './changing.ts'
import { registry } from '../../support/kill-fixture.ts'
import { rulesProcessor } from '../../../src/pipeline/rules-processor.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'

const test = suite('rules that change while they work')

const report = (unit: ReturnType<typeof unitOf>) => unit.logic.report?.() as RulesReport
const ruleOf = (unit: ReturnType<typeof unitOf>, name = 'pair') => report(unit).rules.find(({ rule }) => rule === name)

test('RL1 no event is handled before every rule that there is is known', () => {
  const log = [reading(1, 90), reading(2, 91)]
  const unit = unitOf(log)
  assert.is(unit.handle(log[0] as never), undefined)
  tell(unit, 3, put('pair', pairRule('pair', 80), 1))
  for (const message of log) assert.ok(unit.handle(message))
  assert.equal(
    said(unit.commitAll()).map(({ sum }) => sum),
    [181],
  )
})

test('RL1 RL2 a change takes effect between two events; what was begun is dropped, and that is said', () => {
  const log = [1, 2, 3, 4, 5, 6].map((n) => reading(n, 80 + n))
  const unit = unitOf(log)
  tell(unit, 1, put('pair', pairRule('pair', 80), 1))
  for (const message of log.slice(0, 3)) unit.handle(message)
  unit.logic.takeRemarks?.()
  tell(unit, 2, put('pair', pairRule('pair', 70), 2))
  const [remark] = unit.logic.takeRemarks?.() ?? []
  assert.equal([remark?.level, remark?.fields['after'], remark?.fields['dropped']], ['warn', 3, 1])
  for (const message of log.slice(3)) unit.handle(message)
  // 81+82 by the old one, which had begun with 83; the new one begins with 84
  assert.equal(
    said(unit.commitAll()).map(({ sum }) => sum),
    [163, 169],
  )
  assert.equal([ruleOf(unit)?.revision, ruleOf(unit)?.since, ruleOf(unit)?.emitted], [2, 3, 1])
})

test('RL2 keep: the new revision goes on with what was begun', () => {
  const log = [1, 2, 3, 4].map((n) => reading(n, 80 + n))
  const unit = unitOf(log)
  tell(unit, 1, put('pair', pairRule('pair', 80), 1))
  for (const message of log.slice(0, 3)) unit.handle(message)
  const louder = pairRule('pair', 80).replace('count: 2', 'count: 20')
  tell(unit, 2, put('pair', louder, 2, { onChange: 'keep' }))
  unit.handle(log[3] as never)
  assert.equal(
    said(unit.commitAll()).map(({ sum }) => sum),
    [163, 167],
  )
})

test('RL2 drain: the old revision ends what it has begun and begins nothing; then it is gone', () => {
  // of machine a one reading came before the change; b begins after it
  const log = [
    reading(1, 91, { machine: 'a' }),
    reading(2, 92, { machine: 'b' }), // change after this: a and b have begun
    reading(3, 93, { machine: 'a' }),
    reading(4, 60, { machine: 'c' }),
    reading(5, 61, { machine: 'c' }),
    reading(6, 94, { machine: 'd' }),
    reading(7, 95, { machine: 'd' }),
    reading(20, 96, { machine: 'b', at: 20_000 }), // too late for b
    reading(21, 10, { machine: 'x', at: 30_000 }),
  ]
  const unit = unitOf(log)
  tell(unit, 1, put('pair', pairRule('pair', 80), 1))
  for (const message of log.slice(0, 2)) unit.handle(message)
  tell(unit, 2, put('pair', pairRule('pair', 50), 2, { onChange: 'drain' }))
  assert.equal(report(unit).draining, [{ rule: 'pair', revision: 1, since: 2 }])
  for (const message of log.slice(2)) unit.handle(message)
  assert.equal(
    said(unit.commitAll()).map(({ sum, revision }) => [sum, revision]),
    [
      [184, '1'],
      [121, '2'],
      [189, '2'],
    ],
  )
  assert.equal(report(unit).draining, [])
})

test('RL1 a paused rule sees nothing; resumed it starts empty, or with its state where that is asked for', () => {
  for (const onChange of ['cut', 'keep'] as const) {
    const log = [1, 2, 3, 4].map((n) => reading(n, 80 + n))
    const unit = unitOf(log)
    const text = pairRule('pair', 80)
    tell(unit, 1, put('pair', text, 1))
    unit.handle(log[0] as never)
    tell(unit, 2, put('pair', text, 1, { paused: true }))
    assert.equal([ruleOf(unit)?.state, ruleOf(unit)?.since], ['paused', 1])
    unit.handle(log[1] as never)
    tell(unit, 3, put('pair', text, 1, { onChange }))
    assert.equal([ruleOf(unit)?.state, ruleOf(unit)?.since], ['at-work', 2])
    for (const message of log.slice(2)) unit.handle(message)
    assert.equal(
      said(unit.commitAll()).map(({ sum }) => sum),
      [onChange === 'keep' ? 164 : 167],
    )
  }
})

test('RL2 what a paused rule had begun is dropped when it is resumed without it, replaced or removed, and that is said', () => {
  const text = pairRule('pair', 80)
  const changes = [
    put('pair', text, 1),
    put('pair', pairRule('pair', 70), 2),
    { kind: 'remove', name: 'pair', by: 'test' } as const,
  ]
  for (const change of changes) {
    const unit = unitOf([reading(1, 81)])
    tell(unit, 1, put('pair', text, 1))
    unit.handle(reading(1, 81))
    tell(unit, 2, put('pair', text, 1, { paused: true }))
    unit.logic.takeRemarks?.()
    tell(unit, 3, change)
    const remarks = unit.logic.takeRemarks?.() ?? []
    assert.equal(
      remarks.map(({ level, fields }) => [level, fields['dropped']]),
      [['warn', 1]],
    )
  }
})

test('RL3 a rule that cannot be read leaves the revision before it and the other rules as they are', () => {
  const log = [reading(1, 91), reading(2, 92)]
  const unit = unitOf(log)
  tell(unit, 1, put('pair', pairRule('pair', 80), 1), put('other', pairRule('other', 80), 1))
  unit.handle(log[0] as never)
  tell(unit, 2, put('pair', 'rule: pair\non: [', 2))
  unit.handle(log[1] as never)
  assert.equal(
    said(unit.commitAll()).map(({ rule }) => rule),
    ['pair', 'other'],
  )
  assert.match(ruleOf(unit)?.problem ?? '', /revision 2: RULE_INVALID/)
  assert.is(ruleOf(unit)?.revision, 1)
})

test('RL2 drain: events that wait for late ones came before the change, and the old revision ends with them', () => {
  const rule = pairRule('pair', 80, '10s', 'lateness: 5s\n')
  const log = [
    reading(1, 91, { at: 100_000 }), // change after this: it waits for late ones
    reading(2, 92, { at: 99_000 }), // before it in time, after the change: a match of both is the old revision’s
    reading(3, 93, { at: 130_000, machine: 'other' }),
    reading(4, 94, { at: 131_000, machine: 'other' }),
    reading(5, 10, { at: 150_000 }),
    reading(6, 10, { at: 151_000 }),
  ]
  const unit = unitOf(log)
  tell(unit, 1, put('pair', rule, 1))
  unit.handle(log[0] as never)
  tell(unit, 2, put('pair', rule.replace('count: 2', 'count: 3'), 2, { onChange: 'drain' }))
  for (const message of log.slice(1)) unit.handle(message)
  assert.equal(
    said(unit.commitAll()).map(({ sum, revision }) => [sum, revision]),
    [
      [183, '1'],
      [187, '2'],
    ],
  )
  assert.equal(report(unit).draining, [])
})

test('RL2 cut: events that wait for late ones are dropped too, and that is said', () => {
  const rule = pairRule('pair', 80, '10s', 'lateness: 5s\n')
  const unit = unitOf([reading(1, 91, { at: 100_000 })])
  tell(unit, 1, put('pair', rule, 1))
  unit.handle(reading(1, 91, { at: 100_000 }))
  unit.logic.takeRemarks?.()
  tell(unit, 2, put('pair', rule.replace('count: 2', 'count: 3'), 2))
  const [remark] = unit.logic.takeRemarks?.() ?? []
  assert.equal([remark?.level, remark?.fields['dropped']], ['warn', 1])
})

test('RL3 a match whose data break the contract is a dead letter of its rule, and the others put out what they found', () => {
  const log = [reading(1, 91), reading(2, 92)]
  const unit = unitOf(log)
  const broken = pairRule('broken', 80).replace('count: 2', `count: "['two'][0]"`)
  tell(unit, 1, put('broken', broken, 1), put('pair', pairRule('pair', 80), 1))
  unit.handle(log[0] as never)
  const turn = unit.handle(log[1] as never)
  assert.equal(
    turn?.deadLetters.map(({ processor, code }) => [processor, code]),
    [['rule-broken', 'OUTPUT_INVALID']],
  )
  assert.equal(
    said(unit.commitAll()).map(({ rule }) => rule),
    ['pair'],
  )
  assert.equal([ruleOf(unit, 'broken')?.failed, ruleOf(unit, 'broken')?.emitted], [1, 0])
})

test('ids of a rule are the same beside other rules and alone, and whenever time passes', () => {
  const log = [reading(1, 91), reading(2, 92), reading(3, 93, { at: 60_000 }), reading(4, 10, { at: 120_000 })]
  const texts = [pairRule('pair', 80), silenceRule('silence', 80)]
  const rules = texts.map((text) => parseRule(text, { file: 'rule.yaml' }))
  const idsOf = (fixed: typeof rules, ticks: boolean): string[] => {
    const unit = unitOf(log, rulesProcessor({ registry, from: stream, to: stream, fixed }))
    for (const message of log) {
      if (ticks) for (; unit.due <= message.storedAt;) unit.decide({ kind: 'tick', time: unit.due })
      unit.handle(message)
    }
    return said(unit.commitAll()).map(({ id }) => id)
  }
  const together = idsOf(rules, false)
  assert.is(together.length, 3)
  assert.equal(idsOf(rules, true).sort(), [...together].sort())
  assert.equal(rules.flatMap((rule) => idsOf([rule], true)).sort(), [...together].sort())
})

test('RL4 an absence ends on a stream where only others’ events come, at its own time', () => {
  const log = [
    reading(1, 91, { at: 0 }),
    ...[2, 3, 4, 5].map((n) => reading(n, 10, { at: n * 9_000, machine: `x${n}` })),
  ]
  const rule = parseRule(silenceRule('silence', 80).replace('event: reading.taken }', 'event: reading.high }'), {
    file: 'silence.yaml',
  })
  const unit = unitOf(log, rulesProcessor({ registry, from: stream, to: stream, fixed: [rule] }))
  for (const message of log) unit.handle(message)
  const [output] = unit.commitAll()
  const time = output?.headers.find(([name]) => name === 'ce-time')?.[1]
  assert.is(time, '2026-01-01T00:00:10.000Z')
})

test('a rule that is removed is gone, and one of another bucket takes its place', () => {
  const log = [reading(1, 91), reading(2, 92)]
  const unit = unitOf(log)
  tell(unit, 1, put('pair', pairRule('pair', 80), 1), put('other', pairRule('other', 80), 1))
  tell(unit, 2, { kind: 'remove', name: 'other', by: 'test' })
  const [step] = unit.steps
  const changes = [put('third', pairRule('third', 80), 1)]
  const value = { bucket: 'another', upTo: 1, behind: false, all: ['third'], changes }
  unit.decide({ kind: 'step', id: step?.id ?? '', outcome: { ok: true, value } })
  for (const message of log) unit.handle(message)
  assert.equal(
    said(unit.commitAll()).map(({ rule }) => rule),
    ['third'],
  )
})

test('a rule whose text turns it off sees nothing, until another revision turns it on', () => {
  const log = [reading(1, 91), reading(2, 92), reading(3, 93), reading(4, 94)]
  const unit = unitOf(log)
  tell(unit, 1, put('pair', pairRule('pair', 80, '10s', 'enabled: false\n'), 1))
  assert.is(ruleOf(unit)?.state, 'paused')
  for (const message of log.slice(0, 2)) unit.handle(message)
  tell(unit, 2, put('pair', pairRule('pair', 80), 2))
  for (const message of log.slice(2)) unit.handle(message)
  assert.equal(
    said(unit.commitAll()).map(({ sum }) => sum),
    [187],
  )
})

test('events of types that no rule reads are not decoded', () => {
  const unit = unitOf([reading(1, 1)], processorOf())
  tell(unit, 1, put('pair', pairRule('pair', 80), 1))
  unit.handle(reading(1, 1))
  assert.is(unit.logic.wants?.('reading.high', reading(1, 1).storedAt), false)
  assert.is(unit.logic.wants?.('reading.taken', reading(1, 1).storedAt), true)
})

test.run()
