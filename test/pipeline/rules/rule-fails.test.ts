import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aggregators } from '../../../src/cep/aggregate/aggregators.ts'
import { defineRule } from '../../../src/cep/rule/define-rule.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import type { RulesReport } from '../../../src/pipeline/rules/rules-report.ts'
import { rulesProcessor } from '../../../src/pipeline/rules-processor.ts'
import { Reading, registry } from '../../support/kill-fixture.ts'
import { pairRule, processorOf, put, reading, said, silenceRule, stream, tell, unitOf, type Said } from './changing.ts'

const test = suite('a rule that fails')

const report = (unit: ReturnType<typeof unitOf>) => unit.logic.report?.() as RulesReport
const ruleOf = (unit: ReturnType<typeof unitOf>, name: string) => report(unit).rules.find(({ rule }) => rule === name)
const bound = (bounds: string) => `bounds: { ${bounds} }\n`
const strict = pairRule('strict', 80, '10s', bound('keys: { most: 1, then: fail }'))

// the second machine is one more than the bound of `strict`
const log = [
  reading(1, 91, { machine: 'a' }),
  reading(2, 92, { machine: 'b' }),
  reading(3, 93, { machine: 'a' }),
  reading(4, 94, { machine: 'b' }),
  reading(5, 95, { machine: 'a' }),
  reading(6, 96, { machine: 'a' }),
]

test('RL5 a bound whose policy is fail breaks its rule, with a dead letter that says why, and no other', () => {
  const unit = unitOf(log)
  tell(
    unit,
    1,
    put('before', pairRule('before', 80), 1),
    put('strict', strict, 1),
    put('after', pairRule('after', 80), 1),
  )
  unit.logic.takeRemarks?.()
  const turns = log.map((message) => unit.handle(message))
  assert.equal(
    turns.flatMap((turn) => turn?.deadLetters.map(({ processor, code, detail }) => [processor, code, detail])),
    [['rule-strict', 'BOUND_EXCEEDED', 'keys above 1, at key b']],
  )
  assert.is(turns[1]?.deadLetters.length, 1)
  const told = said(unit.commitAll()).map(({ rule, sum }) => [rule, sum])
  const alone = [184, 186, 191]
  assert.equal(
    told,
    alone.flatMap((sum) => [
      ['before', sum],
      ['after', sum],
    ]),
  )
  const { state, since, problem } = ruleOf(unit, 'strict') ?? {}
  assert.equal(
    [state, since, problem],
    ['broken', 2, 'it failed after sequence 2: BOUND_EXCEEDED keys above 1, at key b'],
  )
  const [remark] = unit.logic.takeRemarks?.() ?? []
  assert.equal([remark?.level, remark?.fields['rule'], remark?.fields['dropped']], ['error', 'strict', 2])
})

test('RL5 deployed anew, or paused and resumed, a rule that failed begins empty', () => {
  const roomy = strict.replace('most: 1', 'most: 9')
  const ways = {
    deploy: [put('strict', roomy, 2)],
    resume: [
      put('strict', strict, 1, { paused: true, onChange: 'keep' }),
      put('strict', strict, 1, { onChange: 'keep' }),
    ],
    again: [put('strict', strict, 1)],
  }
  for (const [way, changes] of Object.entries(ways)) {
    const unit = unitOf(log)
    tell(unit, 1, put('strict', strict, 1))
    for (const message of log.slice(0, 4)) unit.handle(message)
    for (const [at, change] of changes.entries()) tell(unit, 2 + at, change)
    assert.equal([ruleOf(unit, 'strict')?.state, ruleOf(unit, 'strict')?.problem], ['at-work', null], way)
    for (const message of log.slice(4)) unit.handle(message)
    assert.equal(
      said(unit.commitAll()).map(({ sum }) => sum),
      [191],
      way,
    )
  }
})

test('RL5 a revision that cannot be read does not bring a failed one back', () => {
  const unit = unitOf(log)
  tell(unit, 1, put('strict', strict, 1))
  for (const message of log.slice(0, 2)) unit.handle(message)
  tell(unit, 2, put('strict', 'rule: [', 2))
  assert.equal([ruleOf(unit, 'strict')?.state, ruleOf(unit, 'strict')?.revision], ['broken', 1])
})

test('RL5 what a rule ended before it failed is put out, also when time brings both at once', () => {
  const quiet = silenceRule('quiet', 80, '2s').replace(
    'emit:',
    `${bound('matchesPerAdvance: { most: 1, then: fail }')}emit:`,
  )
  const both = [
    reading(1, 91, { at: 0, machine: 'a' }),
    reading(2, 92, { at: 500, machine: 'b' }),
    reading(3, 93, { at: 500, machine: 'c' }),
    reading(4, 10, { at: 60_000, machine: 'd' }),
  ]
  for (const ticks of [false, true]) {
    const unit = unitOf(both)
    tell(unit, 1, put('quiet', quiet, 1), put('other', silenceRule('other', 80, '2s'), 1))
    for (const message of both) {
      if (ticks) for (; unit.due <= message.storedAt;) unit.decide({ kind: 'tick', time: unit.due })
      unit.handle(message)
    }
    const told = said(unit.commitAll()).map(({ rule, sum }) => `${rule} ${sum}`)
    assert.equal(told.sort(), ['other 91', 'other 92', 'other 93', 'quiet 91'], String(ticks))
    assert.is(ruleOf(unit, 'quiet')?.state, 'broken')
  }
})

test('RL5 a former revision that fails while it drains is dropped, and the new one goes on', () => {
  const unit = unitOf(log)
  tell(unit, 1, put('strict', strict, 1))
  unit.handle(log[0] as never)
  tell(unit, 2, put('strict', pairRule('strict', 85), 2, { onChange: 'drain' }))
  const letters = log.slice(1).flatMap((message) => unit.handle(message)?.deadLetters ?? [])
  assert.equal(
    letters.map(({ processor, code }) => [processor, code]),
    [['rule-strict', 'BOUND_EXCEEDED']],
  )
  assert.equal([report(unit).draining, ruleOf(unit, 'strict')?.state], [[], 'at-work'])
  assert.equal(
    said(unit.commitAll()).map(({ revision }) => revision),
    ['2', '2'],
  )
})

test('RL5 a key function that throws breaks its rule only', () => {
  const throwing = defineRule({
    name: 'throwing',
    on: 'T',
    key: ({ data }: { data: { value: number; machine: string } }) => {
      if (data.value === 92) throw new TypeError('no such thing')
      return data.machine
    },
    find: { aggregate: { events: ['reading.taken'], window: { tumbling: '1m' }, values: { n: aggregators.count() } } },
    emit: { event: Reading, data: () => ({ machine: 'm', value: 1 }) },
    to: 'X',
  } as never)
  const fixed = [throwing, parseRule(pairRule('pair', 80), { file: 'rule.yaml' })]
  const unit = unitOf(log, rulesProcessor({ registry, from: stream, to: stream, fixed }))
  const letters = log.flatMap((message) => unit.handle(message)?.deadLetters ?? [])
  assert.equal(
    letters.map(({ processor, code, detail }) => [processor, code, detail]),
    [['rule-throwing', 'TURN_FAILED', 'no such thing']],
  )
  assert.equal(
    said(unit.commitAll()).map(({ sum }) => sum),
    [184, 186, 191],
  )
})

test('RL5 K1 whenever it dies, the rule fails at the same event, and stays broken', () => {
  const first = [put('strict', strict, 1), put('pair', pairRule('pair', 80), 1)]
  const life = (crash: number, every: number, snapshots: boolean): { out: Said[]; problem: unknown } => {
    const out: Said[] = []
    let unit = unitOf(log, processorOf())
    let steps = 0
    for (let died = false; unit.sequence < log.length;) {
      if (unit.steps.some(({ id }) => id.startsWith('rules first'))) tell(unit, 1, ...first)
      else unit.handle(log[unit.sequence] as never)
      steps += 1
      if (steps % every === 0) out.push(...said(unit.commit(snapshots)?.outputs ?? []))
      if (steps !== crash || died) continue
      died = true
      unit = unit.crash()
    }
    out.push(...said(unit.commitAll()))
    const { state, problem } = ruleOf(unit, 'strict') ?? {}
    assert.is(state, 'broken')
    return { out, problem }
  }
  const whole = life(Number.POSITIVE_INFINITY, 100, false)
  assert.is(whole.out.length, 3)
  for (const every of [1, 2, 5])
    for (const snapshots of [false, true])
      for (let crash = 1; crash <= log.length + 1; crash++) assert.equal(life(crash, every, snapshots), whole)
})

test('a paused rule whose text cannot be read here stays paused, and one whose new text cannot be read is paused too', () => {
  const unit = unitOf(log)
  tell(unit, 1, put('pair', pairRule('pair', 80), 1), put('never', 'rule: [', 1, { paused: true }))
  assert.is(ruleOf(unit, 'never')?.state, 'paused')
  unit.handle(log[0] as never)
  tell(unit, 2, put('pair', 'rule: [', 2, { paused: true, onChange: 'keep' }))
  assert.equal([ruleOf(unit, 'pair')?.state, ruleOf(unit, 'pair')?.revision], ['paused', 1])
  assert.match(ruleOf(unit, 'pair')?.problem ?? '', /revision 2: RULE_INVALID/)
  for (const message of log.slice(1, 3)) unit.handle(message)
  unit.commitAll(true)
  const again = unit.crash()
  assert.equal([ruleOf(again, 'pair')?.state, ruleOf(again, 'never')?.state], ['paused', 'paused'])
  tell(again, 3, put('pair', 'rule: [', 2, { onChange: 'keep' }))
  assert.equal([ruleOf(again, 'pair')?.state, ruleOf(again, 'pair')?.revision], ['at-work', 1])
  for (const message of log.slice(3)) again.handle(message)
  // 91 was begun before the pause and is kept; 93 came in it
  assert.equal(
    said(again.commitAll()).map(({ sum, revision }) => [sum, revision]),
    [[186, '1']],
  )
})

test.run()
