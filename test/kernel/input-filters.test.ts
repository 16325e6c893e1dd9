import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import { mergeStream } from '../../src/broker/merge-stream.ts'
import { redriveSubject } from '../../src/broker/system-subject.ts'
import { overlaps } from '../../src/event/subject.ts'
import { redrivenPartition, wholeInputFilters } from '../../src/kernel/input-filters.ts'

const test = suite('what a processor reads')

const [one, two] = ['A', 'B'].map((name) => defineStream({ name, root: name.toLowerCase(), partitions: 4 }))
const types = ['paid', 'order.paid']

test('filters of all units together never overlap, whatever the stream and the types', () => {
  assert.ok(one && two)
  const merge = mergeStream(
    'p',
    [one, two].map((stream) => ({ stream, types })),
  )
  for (const stream of [one, merge])
    for (const spread of ['keys', 'one'] as const) {
      const filters = wholeInputFilters({ kind: 'pipeline', name: 'p', from: { stream, types }, spread })
      assert.is(filters.length, types.length + 2 * (spread === 'one' ? 1 : stream.partitions))
      for (const [at, filter] of filters.entries())
        for (const other of filters.slice(at + 1)) assert.not(overlaps(filter, other), `${filter} and ${other}`)
    }
})

test('what comes back to a unit says to which, and what comes to others is none of it', () => {
  assert.ok(one)
  const processor = { kind: 'pipeline', name: 'p', from: { stream: one, types } } as const
  assert.is(redrivenPartition(processor, redriveSubject('A', 'pipeline-p', '3')), '3')
  assert.is(redrivenPartition(processor, redriveSubject('A', 'pipeline-p', 'all')), 'all')
  for (const other of [
    redriveSubject('A', 'pipeline-pp', '3'),
    redriveSubject('B', 'pipeline-p', '3'),
    'a.3.order.paid',
  ])
    assert.is(redrivenPartition(processor, other), undefined, other)
})

test.run()
