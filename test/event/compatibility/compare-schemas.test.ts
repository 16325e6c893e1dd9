// The property: if a comparison finds nothing, no datum that one schema put out is refused by the other. zod judges.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { compareSchemas } from '../../../src/event/compatibility/compare-schemas.ts'
import { recordedSchema } from '../../../src/event/compatibility/recorded-schema.ts'
import type { SchemaNode } from '../../../src/event/compatibility/schema-node.ts'
import { changed } from './random-changes.ts'
import { dataFor, described, schemaOf, type Described } from './random-schemas.ts'

const test = suite('comparing schemas')

function recorded(schema: z.ZodType): SchemaNode {
  // as it comes from a file
  return JSON.parse(JSON.stringify(recordedSchema({ schema }))) as SchemaNode
}

interface Seen {
  readable: number
  readableAndChanged: number
  judged: number
}

/** Fails with the datum that was written, is refused, and was said to be readable. */
function judge(pairs: fc.Arbitrary<readonly [Described, Described]>, numRuns: number, seed: number): Seen {
  const seen: Seen = { readable: 0, readableAndChanged: 0, judged: 0 }
  fc.assert(
    fc.property(
      pairs.chain(([old, next]) =>
        fc.tuple(fc.constant(old), fc.constant(next), fc.array(dataFor(old), { minLength: 8, maxLength: 8 })),
      ),
      ([old, next, data]) => {
        const [written, read] = [schemaOf(old), schemaOf(next)]
        const [before, after] = [recorded(written), recorded(read)]
        if (compareSchemas(before, after).length > 0) return
        seen.readable += 1
        if (JSON.stringify(before) !== JSON.stringify(after)) seen.readableAndChanged += 1
        for (const datum of data) {
          const stored = put(written, datum)
          if (stored === undefined) continue
          seen.judged += 1
          const result = parsed(read, stored.data)
          assert.ok(
            result.success,
            `${JSON.stringify(stored.data)} was written under ${JSON.stringify(before)} and is refused by ${JSON.stringify(after)}`,
          )
        }
      },
    ),
    { numRuns, seed },
  )
  return seen
}

/** What is stored of a datum: what the schema puts out, as JSON. A contract whose output is not its own input is none. */
function put(schema: z.ZodType, datum: unknown): { data: unknown } | undefined {
  const result = parsed(schema, datum)
  if (!result.success) return undefined
  const text = JSON.stringify(result.data)
  if (text === undefined) return undefined
  const data: unknown = JSON.parse(text)
  return parsed(schema, data).success ? { data } : undefined
}

/** Both sides of an intersection may put out what cannot be merged: zod throws then, and a contract refuses. */
function parsed(schema: z.ZodType, datum: unknown): { success: true; data: unknown } | { success: false } {
  try {
    return schema.safeParse(datum)
  } catch {
    return { success: false }
  }
}

test('EC1 what is called readable is read: schemas and a change to one place of them', () => {
  const pairs = described.chain((old) => fc.tuple(fc.constant(old), changed(old)))
  const seen = judge(pairs, 1_200, 1)
  assert.ok(seen.readableAndChanged > 150 && seen.judged > 800, JSON.stringify(seen))
})

test('EC1 what is called readable is read: schemas that have nothing to do with each other', () => {
  const seen = judge(fc.tuple(described, described), 600, 2)
  assert.ok(seen.readable > 10, JSON.stringify(seen))
})

test('EC1 what was not changed is readable, whatever it is', () => {
  fc.assert(
    fc.property(described, (node) => {
      assert.equal(compareSchemas(recorded(schemaOf(node)), recorded(schemaOf(node))), [])
    }),
    { numRuns: 200, seed: 3 },
  )
})
test.run()
