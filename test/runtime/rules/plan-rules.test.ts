import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { driftText, planRules, type DeclaredRule } from '../../../src/runtime/rules/plan-rules.ts'
import { nextRevision, revisionsOf, type KnownRule } from '../../../src/runtime/rules/rule-store.ts'
import type { StoredRule } from '../../../src/pipeline/rules/stored-rule.ts'
import { pairRule } from '../../pipeline/rules/changing.ts'

const test = suite('rules of files and of the bucket')

function declared(above: number): DeclaredRule {
  const text = pairRule('pair', above)
  return { file: 'pair.yaml', text, rule: parseRule(text, { file: 'pair.yaml' }) }
}

const options = { streams: new Set(['T']), by: 'me', at: 7 }

function known(...rules: readonly (Partial<StoredRule> | undefined)[]): KnownRule {
  const records = rules.map((rule, at) => ({
    sequence: at + 1,
    storedAt: 0,
    rule: rule && ({ ...stored(), ...rule } as StoredRule),
  }))
  return { name: 'pair', on: 'T', records, last: records.length, now: records.at(-1)?.rule }
}

function stored(): StoredRule {
  const { text, rule } = declared(80)
  return {
    format: 1,
    revision: 1,
    text,
    on: 'T',
    to: 'T',
    paused: false,
    onChange: 'cut',
    by: 'x',
    at: 0,
    origin: 'file',
    declared: rule.hash,
    again: null,
  }
}

test('a new file is deployed, one that is as it was is not touched', () => {
  const { puts } = planRules([declared(80)], [], options)
  assert.equal(
    puts.map(({ name, expected, isNew, rule }) => [name, expected, isNew, rule.revision, rule.origin, rule.by]),
    [['pair', 0, true, 1, 'file', 'me']],
  )
  assert.equal(planRules([declared(80)], [known({})], options), { puts: [], drift: [] })
})

test('a file that has changed wins, also over what somebody deployed; it stays paused', () => {
  const hand = { revision: 2, text: pairRule('pair', 1), origin: 'hand', paused: true } as const
  const { puts, drift } = planRules([declared(70)], [known({}, hand)], options)
  assert.equal(drift, [])
  assert.equal([puts[0]?.rule.revision, puts[0]?.rule.paused, puts[0]?.expected], [3, true, 2])
})

test('a file that has not changed leaves what somebody deployed, rolled back or removed: that is drift', () => {
  const hand = { revision: 2, text: pairRule('pair', 1), origin: 'hand' } as const
  const other = planRules([declared(80)], [known({}, hand)], options)
  assert.equal([other.puts, other.drift.map(({ kind }) => kind)], [[], ['other-text']])
  const removed = planRules([declared(80)], [known({}, undefined)], options)
  assert.equal([removed.puts, removed.drift.map(({ kind }) => kind)], [[], ['removed']])
  for (const one of [...other.drift, ...removed.drift]) assert.match(driftText(one), /pair\.yaml/)
})

test('a file that says by now what somebody has deployed is in agreement, and that is noted without a new revision', () => {
  const hand = { revision: 2, text: pairRule('pair', 70), origin: 'hand' } as const
  const { puts, drift } = planRules([declared(70)], [known({}, hand)], options)
  assert.equal(drift, [])
  assert.equal(
    puts.map(({ isNew, rule }) => [isNew, rule.revision, rule.declared]),
    [[false, 2, declared(70).rule.hash]],
  )
})

test('a rule without its file is drift, but not one that never had one, nor one of another deployment', () => {
  assert.equal(
    planRules([], [known({})], options).drift.map(({ kind }) => kind),
    ['no-file'],
  )
  assert.equal(planRules([], [known({ declared: null, origin: 'hand' })], options).drift, [])
  assert.equal(planRules([], [known({})], { ...options, streams: new Set(['OTHER']) }).drift, [])
})

test('revisions count texts, pauses do not, and a number is not given twice though the rule was removed', () => {
  const one = known({}, { paused: true }, { revision: 2, text: 'x' }, undefined)
  assert.equal(
    revisionsOf(one).map(({ rule }) => [rule.revision, rule.paused]),
    [
      [1, true],
      [2, false],
    ],
  )
  assert.is(nextRevision(one), 3)
})

test.run()
