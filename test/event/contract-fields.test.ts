import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isField } from '../../src/event/contract-fields.ts'
import { defineEvent } from '../../src/event/contract.ts'

const test = suite('contract fields')
const fields = (data: z.ZodType): readonly string[] => defineEvent('e', { data }).fields()

test('lists the dotted paths of nested data', () => {
  const schema = z.object({ amount: z.number(), merchant: z.object({ country: z.string().optional() }).nullable() })
  assert.equal(fields(schema), ['data', 'data.amount', 'data.merchant', 'data.merchant.country'])
})

test('a union has the fields of all its members', () => {
  const schema = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), x: z.number() }),
    z.object({ kind: z.literal('b'), y: z.number() }),
  ])
  assert.equal(fields(schema), ['data', 'data.kind', 'data.x', 'data.y'])
})

test('records and arrays have a star, open parts two', () => {
  const schema = z.object({
    tags: z.record(z.string(), z.object({ n: z.number() })),
    items: z.array(z.object({ sku: z.string() })),
    raw: z.unknown(),
  })
  assert.equal(fields(schema), [
    'data',
    'data.tags',
    'data.tags.*',
    'data.tags.*.n',
    'data.items',
    'data.items.*',
    'data.items.*.sku',
    'data.raw',
    'data.raw.**',
  ])
})

test('data that contains itself ends with an open part', () => {
  const Node = z.object({
    name: z.string(),
    get child() {
      return Node.optional()
    },
  })
  assert.equal(fields(Node), ['data', 'data.name', 'data.child', 'data.child.**'])
})

test('says whether a path is a field', () => {
  const known = ['data', 'data.amount', 'data.tags.*', 'data.raw', 'data.raw.**']
  for (const path of ['data', 'data.amount', 'data.tags.x', 'data.raw', 'data.raw.a.b']) assert.ok(isField(known, path))
  for (const path of ['', 'amount', 'data.amuont', 'data.tags', 'data.tags.x.y', 'data.amount.x'])
    assert.not(isField(known, path), path)
})

test.run()
