import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BucketEntry } from '../../../src/broker/history-bucket.ts'
import { changesIn } from '../../../src/pipeline/rules/await-changes.ts'
import { encodeStoredRule, type StoredRule } from '../../../src/pipeline/rules/stored-rule.ts'
import { registry } from '../../support/kill-fixture.ts'
import { pairRule } from './changing.ts'

const test = suite('changes in the bucket of rules')

const reader = { registry, to: 'T' }
const place = { created: 'then', after: 10 }

function entry(sequence: number, name: string, rule?: Partial<StoredRule> | 'gone' | 'foreign'): BucketEntry {
  const stored: StoredRule = {
    format: 1,
    revision: sequence,
    text: pairRule(name, 80),
    on: 'T',
    to: 'T',
    paused: false,
    onChange: 'cut',
    by: 'me',
    at: 0,
    origin: 'hand',
    declared: null,
    again: null,
    ...(typeof rule === 'object' ? rule : {}),
  }
  const data = rule === 'gone' ? undefined : rule === 'foreign' ? Buffer.from('{}') : encodeStoredRule(stored)
  return { key: `T.${name}`, sequence, storedAt: 0, data }
}

test('of each rule its last change, in the order of the bucket, and up to where it was read', () => {
  const entries = [entry(11, 'a'), entry(12, 'b'), entry(14, 'a'), entry(15, 'c', 'gone')]
  const { changes, upTo, behind, bucket } = changesIn({ created: 'then', entries }, place, reader)
  assert.equal(
    changes.map((change) => [change.kind, change.name, change.kind === 'put' ? change.revision : 0]),
    [
      ['put', 'b', 12],
      ['put', 'a', 14],
      ['remove', 'c', 0],
    ],
  )
  assert.equal([upTo, behind, bucket], [15, false, 'then'])
})

test('a rule that writes to another stream is not one of these, and one that cannot be read is put all the same', () => {
  const entries = [entry(11, 'a', { to: 'OTHER' }), entry(12, 'b', 'foreign'), entry(13, 'c', { text: 'rule: [' })]
  const { changes } = changesIn({ created: 'then', entries }, place, reader)
  assert.equal(
    changes.map((change) => [change.kind, change.kind === 'put' ? change.version : undefined]),
    [
      ['remove', undefined],
      ['put', null],
      ['put', null],
    ],
  )
})

test('no more text than a commit has room for comes at once; what is more comes next', () => {
  const text = `${pairRule('a', 80)}# ${'x'.repeat(50_000)}`
  const entries = [11, 12, 13, 14, 15].map((sequence) => entry(sequence, `r${sequence}`, { text }))
  let after = 10
  const taken: string[] = []
  for (let behind = true; behind;) {
    const some = changesIn(
      { created: 'then', entries: entries.filter(({ sequence }) => sequence > after) },
      place,
      reader,
    )
    assert.ok(JSON.stringify(some).length < 300_000)
    taken.push(...some.changes.map(({ name }) => name))
    ;[behind, after] = [some.behind, some.upTo]
  }
  assert.equal(taken, ['r11', 'r12', 'r13', 'r14', 'r15'])
})

test('a bucket that was made anew counts from its beginning, and what is not in it is no more', () => {
  const { all, upTo } = changesIn({ created: 'now', entries: [entry(1, 'a'), entry(2, 'b', 'gone')] }, place, reader)
  assert.equal([all, upTo], [['a'], 2])
  assert.is(changesIn({ created: 'now', entries: [] }, place, reader).upTo, 0)
})

test.run()
