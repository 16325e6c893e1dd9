import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import { notesOf, requireRoomToDrain, requireSameTarget } from '../../src/cli/rules/live/what-changes.ts'

const test = suite('what a change of a rule means')

const windowed = (window: string) =>
  parseRule(
    `rule: w
on: T
key: data.k
aggregate: { event: e, window: ${window}, values: { n: count() } }
emit: { event: f, data: { n: n } }
`,
    { file: 'w.yaml' },
  )

test('a change of windows says what becomes of those that are open', () => {
  const [before, after] = [windowed('{ tumbling: 1h }'), windowed('{ tumbling: 2h }')]
  assert.match(notesOf(before, after, 'drain').join(), /comes twice: whole, by the former revision/)
  assert.match(notesOf(before, after, 'cut').join(), /from now on only/)
  assert.equal(notesOf(before, after, 'keep'), [])
  assert.equal(notesOf(undefined, after, 'drain'), [])
})

test('no more than four former revisions of a rule drain at once', () => {
  const draining = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ rule: 'w', revision: n + 1, since: 0 }))
  requireRoomToDrain('w', undefined)
  requireRoomToDrain('w', { draining: draining(3) })
  requireRoomToDrain('other', { draining: draining(4) })
  assert.throws(() => requireRoomToDrain('w', { draining: draining(4) }), /RULE_DRAINS_FULL.*w: revisions 1, 2, 3, 4/)
})

test('RL2 what is to write to another stream is not drained: another processor takes it up', () => {
  requireSameTarget('w', { to: 'T' }, { to: 'T' })
  const change = () => requireSameTarget('w', { to: 'T' }, { to: 'U' })
  assert.throws(change, /RULE_NOT_DEPLOYABLE.*w writes to U instead of T.*--on-change cut/)
})

test.run()
