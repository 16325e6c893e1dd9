import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareRules } from '../../../src/cep/rule/compare-rules.ts'
import { lineDifference, withContext } from '../../../src/cep/rule/line-difference.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'

const test = suite('two versions of a rule')
const TEXT = `rule: testing
on: PAYMENTS
key: data.card
sequence:
  - probe: { event: paid, where: data.amount < 2, times: 2 }
  - hit: { event: paid, where: data.amount > 50 }
within: 10s
emit: { event: alarmed, data: { card: key } }
`

function compared(change: (text: string) => string) {
  const of = (text: string) => ({ text, rule: parseRule(text, { file: 'r.yaml' }) })
  return compareRules(of(TEXT), of(change(TEXT)))
}

test('old lines and same lines are the old text, new lines and same lines the new one', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (old, now) => {
      const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')
      const difference = lineDifference(text(old), text(now))
      assert.equal(
        difference.filter(({ kind }) => kind !== 'new').map((line) => line.text),
        old,
      )
      assert.equal(
        difference.filter(({ kind }) => kind !== 'old').map((line) => line.text),
        now,
      )
      const same = difference.filter(({ kind }) => kind === 'same').length
      assert.ok(same >= commonPrefix(old, now))
    }),
  )
})

function commonPrefix(one: readonly string[], other: readonly string[]): number {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  return at
}

test('only what differs is shown, with the lines around it', () => {
  const text = (one: string, other: string): string => `${'x\n'.repeat(9)}${one}\n${'y\n'.repeat(9)}${other}\n`
  const shown = withContext(lineDifference(text('old', 'was'), text('new', 'is')), 2)
  assert.equal(
    shown.map((line) => line?.text),
    ['x', 'x', 'old', 'new', 'y', 'y', undefined, 'y', 'y', 'was', 'is'],
  )
})

test('a rule that is to write to another stream is taken up by another processor: what was begun is not there', () => {
  const { keepsState, why } = compared((text) => text.replace('alarmed,', 'alarmed, to: ALARMS,'))
  assert.is(keepsState, false)
  assert.match(why ?? '', /it writes to ALARMS instead of PAYMENTS/)
})

test('a window that is another: what was begun cannot be kept, and the field is named', () => {
  const { fields, keepsState, isSame, why } = compared((text) => text.replace('10s', '30s'))
  assert.equal(fields, [{ name: 'within', before: '10s', after: '30s' }])
  assert.is(keepsState, false)
  assert.is(isSame, false)
  assert.is(why, 'within: 10s -> 30s')
})

test('why what was begun cannot be kept names the places that differ, not those that do not matter', () => {
  const why = (change: (text: string) => string): string | undefined => compared(change).why
  assert.is(
    why((text) => text.replace('times: 2', 'times: 3').replace('> 50', '> 60').replace('card: key', 'card: hit.id')),
    'sequence[0].probe.times: 2 -> 3',
  )
  assert.is(
    why((text) => text.replace('- hit: {', '- blow: {')),
    'sequence[1] differs',
  )
  assert.is(
    why((text) => text.replace('> 50', '> 5 * sum(probe.data.amount)')),
    'sequence[1].hit.where: data.amount > 50 -> data.amount > 5 * sum(probe.data.amount)',
  )
  assert.match(
    why((text) => text.replace('data.card\n', 'data.shop\n')) ?? '',
    /its key is another \(key: data\.card -> data\.shop\)/,
  )
})

test('other data of the same matches: what was begun can be kept', () => {
  const { keepsState, fields } = compared((text) => text.replace('card: key', 'card: hit.data.card'))
  assert.is(keepsState, true)
  assert.equal(fields, [{ name: 'emit', before: null, after: null }])
})

test('another key: what was begun belongs to nobody', () => {
  const { keepsState, why } = compared((text) => text.replace('key: data.card', 'key: data.customer'))
  assert.is(keepsState, false)
  assert.match(why ?? '', /key/)
})

test('comments and layout change nothing', () => {
  const { isSame, keepsState, lines } = compared((text) => `# why\n${text.replace('within: 10s', 'within:   10s')}`)
  assert.ok(isSame && keepsState)
  assert.ok(lines.some(({ kind }) => kind === 'new'))
})

test('event types that come and go are named', () => {
  const { types } = compared((text) => text.replace('hit: { event: paid', 'hit: { event: refunded'))
  assert.equal(types, { gone: [], added: ['refunded'] })
})

test.run()
