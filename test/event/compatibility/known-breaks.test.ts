// What people change, and what comes of it: the kind of difference and its place, in both directions.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { compareSchemas } from '../../../src/event/compatibility/compare-schemas.ts'
import { recordedSchema } from '../../../src/event/compatibility/recorded-schema.ts'

const test = suite('changes that break')

/** `kind path` of each difference; empty: all that was written is read. */
function changes(old: z.ZodType, next: z.ZodType): string[] {
  return compareSchemas(recordedSchema({ schema: old }), recordedSchema({ schema: next })).map(({ kind, path }) =>
    [kind, ...path].join(' '),
  )
}

const of = (field: z.ZodType): z.ZodType => z.object({ field })
const variants = (...members: z.ZodObject[]): z.ZodType =>
  z.discriminatedUnion('kind', members as [z.ZodObject, ...z.ZodObject[]])
const a = z.object({ kind: z.literal('a'), x: z.string() })
const b = z.object({ kind: z.literal('b'), y: z.number() })
const both = z.object({ kind: z.enum(['a', 'b']), x: z.string(), y: z.number() })
const tree = (leaf: z.ZodType): z.ZodType => {
  const node: z.ZodType = z.lazy(() => z.object({ leaf, below: z.array(node) }))
  return node
}

// [what was done, before, after, the differences for who reads after what was written before, and the other way round]
const CASES: readonly (readonly [string, z.ZodType, z.ZodType, readonly string[], readonly string[]])[] = [
  ['an optional field more', z.object({}), z.object({ f: z.string().optional() }), [], []],
  ['a field with a default more', z.object({}), z.object({ f: z.string().default('x') }), [], []],
  ['a required field more', z.object({}), z.object({ f: z.string() }), ['required f'], []],
  ['optional made required', of(z.string().optional()), of(z.string()), ['required field'], []],
  ['nullable made plain', of(z.string().nullable()), of(z.string()), ['type field'], []],
  ['nullish made optional', of(z.string().nullish()), of(z.string().optional()), ['type field'], []],
  ['a text for a number', of(z.string()), of(z.number()), ['type field'], ['type field']],
  ['whole numbers only', of(z.number()), of(z.number().int()), ['type field'], []],
  ['a lower limit', of(z.number()), of(z.number().min(1)), ['limit field'], []],
  ['a limit that is not reached', of(z.number().min(0)), of(z.number().gt(0)), ['limit field'], []],
  ['an upper limit', of(z.number().max(9)), of(z.number().max(8)), ['limit field'], []],
  ['multiples', of(z.int().multipleOf(4)), of(z.int().multipleOf(2)), [], ['limit field']],
  ['a shorter text', of(z.string().max(9)), of(z.string().max(8)), ['limit field'], []],
  ['a longer text', of(z.string()), of(z.string().min(1)), ['limit field'], []],
  ['a format', of(z.string()), of(z.email()), ['format field'], []],
  ['a format without a pattern', of(z.string()), of(z.url()), ['format field'], []],
  ['another pattern', of(z.string().regex(/^a/)), of(z.string().regex(/^b/)), ['undecided field'], ['undecided field']],
  [
    'a pattern more',
    of(z.string().startsWith('a')),
    of(z.string().startsWith('a').endsWith('b')),
    ['undecided field'],
    [],
  ],
  ['a value less', of(z.enum(['x', 'y'])), of(z.enum(['x'])), ['value field'], []],
  ['a value of an enum as a literal', of(z.literal('x')), of(z.enum(['x', 'y'])), [], ['value field']],
  ['any text for some', of(z.enum(['x', 'y'])), of(z.string()), [], ['value field']],
  [
    'values that a text has no room for',
    of(z.enum(['x', 'long'])),
    of(z.string().max(2)),
    ['value field'],
    ['value field'],
  ],
  ['true alone', of(z.boolean()), of(z.literal(true)), ['value field'], []],
  ['true and false are a boolean', of(z.literal([true, false])), of(z.boolean()), [], []],
  ['a variant less', variants(a, b), variants(a), ['variant kind'], []],
  ['a field of a variant', variants(a, b), variants(a, b.extend({ z: z.string() })), ['required z'], []],
  ['variants where one object was', both, variants(a, b), [], ['required y', 'required x']],
  ['a type more', of(z.string()), of(z.union([z.string(), z.number()])), [], ['type field']],
  ['one of several, and only one', of(z.union([z.string(), z.number()])), of(z.xor([z.string(), z.number()])), [], []],
  ['one of several that overlap', of(z.int()), of(z.xor([z.int(), z.number()])), ['undecided field'], ['type field']],
  [
    'a strict object',
    z.object({ x: z.string(), y: z.string() }),
    z.strictObject({ x: z.string() }),
    ['field-refused y'],
    ['required y'],
  ],
  ['a field in a loose object', z.looseObject({}), z.object({ f: z.string().optional() }), ['open-field f'], []],
  ['fields of a record', of(z.record(z.string(), z.number())), of(z.record(z.string(), z.int())), ['type field *'], []],
  [
    'names of a record',
    of(z.record(z.string(), z.int())),
    of(z.partialRecord(z.enum(['x']), z.int())),
    ['value field *'],
    [],
  ],
  ['an object for a record', of(z.object({ x: z.int() })), of(z.record(z.string(), z.int())), [], ['required field x']],
  [
    'items',
    of(z.array(z.object({ n: z.int() }))),
    of(z.array(z.object({ n: z.string() }))),
    ['type field * n'],
    ['type field * n'],
  ],
  ['more items', of(z.array(z.int())), of(z.array(z.int()).min(1)), ['limit field'], []],
  ['fewer items', of(z.array(z.int()).max(3)), of(z.array(z.int()).max(2)), ['limit field'], []],
  ['a tuple that is longer', of(z.tuple([z.int()])), of(z.tuple([z.int(), z.int()])), ['limit field'], ['limit field']],
  ['a list for a tuple', of(z.tuple([z.int(), z.int()])), of(z.array(z.int())), [], ['limit field']],
  ['anything', of(z.string()), of(z.unknown()), [], ['type field']],
  ['a tree', tree(z.string()), tree(z.union([z.string(), z.int()])), [], ['type leaf']],
  ['the leaves of a tree', tree(z.string()), tree(z.string().min(1)), ['limit leaf'], []],
  ['a refinement', of(z.string()), of(z.string().refine(() => true)), ['undecided field'], []],
  ['trimming', of(z.string()), of(z.string().trim()), ['undecided field'], []],
  ['a flag of a pattern', of(z.string().regex(/a/i)), of(z.string().regex(/a/)), ['format field'], ['undecided field']],
  ['a catch', of(z.int().catch(0)), of(z.int()), ['undecided field'], ['undecided field']],
  ['a description', z.object({ f: z.string() }), z.object({ f: z.string().describe('Words.') }), [], []],
  ['never', of(z.string()), of(z.never()), ['type field'], []],
]

for (const [what, before, after, forward, back] of CASES)
  test(`${what}: read after it ${forward.length === 0 ? 'as before' : forward.join()}, before it ${back.length === 0 ? 'too' : back.join()}`, () => {
    assert.equal(changes(before, after), forward, 'new code, old data')
    assert.equal(changes(after, before), back, 'old code, new data')
  })

test('several values that are missing are told together', () => {
  const differences = compareSchemas(
    recordedSchema({ schema: of(z.enum(['x', 'y', 'z'])) }),
    recordedSchema({ schema: of(z.enum(['x'])) }),
  )
  assert.equal(differences, [{ kind: 'value', path: ['field'], why: '"y", "z" may be written and are not read' }])
})

test('a keyword that is not known is not compared, and says so', () => {
  const [one] = compareSchemas({ type: 'string', if: {} } as object, { type: 'string' })
  assert.is(one?.kind, 'undecided')
  assert.match(one?.why ?? '', /keyword if/)
})
test.run()
