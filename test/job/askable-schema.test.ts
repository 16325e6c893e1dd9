// What a result may have, held against what the SDK makes of it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault } from '../../src/error/millrace-error.ts'
import { messageParams } from '../../src/job/anthropic-params.ts'
import { resultSchemaOf } from '../../src/job/result-schema.ts'

const test = suite('what a model can be asked for')

const ASKABLE: Readonly<Record<string, z.ZodType>> = {
  plain: z.object({ fraud: z.boolean(), score: z.number().min(0).max(1), kind: z.enum(['a', 'b']) }),
  optional: z.object({ why: z.string().optional(), more: z.string().nullable(), other: z.string().default('x') }),
  lists: z.object({ all: z.array(z.object({ key: z.string(), value: z.number() })).max(3) }),
  union: z.object({
    one: z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b'), n: z.int() })]),
  }),
  both: z.object({ one: z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })) }),
  // it takes what nobody asks for
  loose: z.looseObject({ a: z.string() }),
  transformed: z.object({ n: z.string().transform(Number), m: z.coerce.number() }),
  recursive: z.object({
    get children() {
      return z.array(ASKABLE['recursive'] as z.ZodType)
    },
  }),
}

/** With the pointer to what is wrong. */
const UNASKABLE: Readonly<Record<string, z.ZodType>> = {
  '/scores': z.object({ scores: z.record(z.string(), z.number()) }),
  '': z.record(z.string(), z.number()),
  '/a': z.object({ a: z.unknown() }),
  '/b': z.object({ b: z.any().optional() }),
  '/c/*/d': z.object({ c: z.array(z.object({ d: z.unknown() })) }),
  '/pair': z.object({ pair: z.tuple([z.string(), z.number()]) }),
  '/never': z.object({ never: z.never().optional() }),
  '/more': z.object({ more: z.object({ a: z.string() }).catchall(z.number()) }),
  '/open': z.object({ open: z.looseObject({}) }),
  '/either/n': z.object({ either: z.union([z.object({ n: z.unknown() }), z.string()]) }),
}

test('what is declared can be sent: the SDK takes it, and no key of it is lost', async () => {
  for (const [name, result] of Object.entries(ASKABLE)) {
    const schema = resultSchemaOf('triage', result)
    const { output_config } = await messageParams({ model: 'm', maxTokens: 1, system: [], user: [], schema })
    const sent = output_config?.format.schema as { readonly properties: object }
    assert.equal(Object.keys(sent.properties), Object.keys(schema['properties'] as object), name)
  }
})

test('what would fail with the first call, or come without its keys, is refused when it is declared, by its place', () => {
  for (const [pointer, result] of Object.entries(UNASKABLE)) {
    let refused: unknown
    try {
      resultSchemaOf('triage', result)
    } catch (error) {
      refused = error
    }
    if (!isFault(refused, 'JOB_RESULT_INVALID')) throw new Error(`${pointer} is taken: ${String(refused)}`)
    assert.is(refused.issues[0]?.pointer, pointer, refused.detail)
  }
})

test.run()
