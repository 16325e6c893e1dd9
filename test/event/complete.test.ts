import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { completeDraft } from '../../src/event/complete.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { causedBy } from '../../src/event/correlation.ts'

const test = suite('complete')
const Paid = defineEvent('paid', { data: z.object({ n: z.number() }) })
const completion = { id: 'i', source: '/s', time: 9, correlationId: 'c', causationId: 'd' }

test('fills in what the draft leaves open', () => {
  assert.equal(completeDraft(Paid({ n: 1 }), completion), {
    id: 'i',
    source: '/s',
    type: 'paid',
    version: 1,
    time: 9,
    key: undefined,
    data: { n: 1 },
    correlationId: 'c',
    causationId: 'd',
    attributes: {},
  })
})

test('what the draft says itself wins', () => {
  const own = { id: 'x', source: '/x', time: 0, key: 'k', correlationId: 'y', causationId: 'z', attributes: { a: 'b' } }
  const { type: _type, version: _version, data: _data, ...said } = completeDraft(Paid({ n: 1 }, own), completion)
  assert.equal(said, own)
})

test('an event that follows from another keeps its conversation, or starts one of it', () => {
  const first = completeDraft(Paid({ n: 1 }), { id: 'a', source: '/s', time: 0 })
  assert.equal(causedBy(first), { correlationId: 'a', causationId: 'a' })
  const second = completeDraft(Paid({ n: 2 }), { id: 'b', source: '/s', time: 0, ...causedBy(first) })
  assert.equal(causedBy(second), { correlationId: 'a', causationId: 'b' })
})

test.run()
