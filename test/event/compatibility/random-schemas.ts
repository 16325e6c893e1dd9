// Descriptions of schemas, small enough that two of them often have to do with each other, and data that is near to them.
import * as fc from 'fast-check'
import { z } from 'zod'

export type Described =
  | { readonly of: 'string'; readonly min?: number; readonly max?: number; readonly form?: Form }
  | {
      readonly of: 'number'
      readonly int?: true
      readonly min?: number
      readonly above?: number
      readonly max?: number
      readonly step?: number
    }
  | { readonly of: 'boolean' | 'null' | 'any' | 'never' | 'itself' }
  | { readonly of: 'values'; readonly values: readonly (string | number | boolean | null)[] }
  | {
      readonly of: 'object'
      readonly fields: Readonly<Record<string, Field>>
      readonly others: 'drop' | 'refuse' | 'keep' | Described
    }
  | { readonly of: 'record'; readonly names?: readonly string[]; readonly partial?: true; readonly each: Described }
  | { readonly of: 'list'; readonly each: Described; readonly min?: number; readonly max?: number }
  | { readonly of: 'tuple'; readonly items: readonly Described[]; readonly rest?: Described }
  | { readonly of: 'union' | 'xor'; readonly members: readonly Described[] }
  | { readonly of: 'variants'; readonly members: Readonly<Record<string, Readonly<Record<string, Field>>>> }
  | { readonly of: 'both'; readonly left: Described; readonly right: Described }
  | { readonly of: 'refined' | 'caught' | 'nullable'; readonly inner: Described }

export interface Field {
  readonly is: Described
  readonly may?: 'be missing' | 'default'
}

type Form = 'email' | 'datetime' | 'url' | 'a…' | '…b' | '/b/i' | '/b/'
const FORMS: readonly Form[] = ['email', 'datetime', 'url', 'a…', '…b', '/b/i', '/b/']
const TEXTS = ['', 'a', 'b', 'ab', 'aB', 'abc', 'k1', 'k2', 'a@b.co', 'http://a.b', '2020-01-01T00:00:00Z', 'aXb', 'B']
const NUMBERS = [-2, -1, 0, 0.5, 1, 2, 3, 4, 6, 10, 2 ** 60]
const NAMES = ['a', 'b', 'k']

const limit = fc.option(fc.constantFrom(0, 1, 2, 3), { nil: undefined })
const form = fc.option(fc.constantFrom(...FORMS), { nil: undefined })
const value = fc.constantFrom('a', 'b', 'k1', 'k2', 1, 2, 0.5, true, null)
const name = fc.constantFrom(...NAMES)

export const described: fc.Arbitrary<Described> = fc.letrec<{
  node: Described
  field: Field
  fields: Record<string, Field>
}>((tie) => ({
  field: fc.record(
    { is: tie('node'), may: fc.constantFrom('be missing' as const, 'default' as const) },
    { requiredKeys: ['is'] },
  ),
  fields: fc.dictionary(name, tie('field'), { maxKeys: 3 }),
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'node' },
    fc.record({ of: fc.constant('string' as const), min: limit, max: limit, form }).map(defined),
    fc
      .record({
        of: fc.constant('number' as const),
        int: fc.constantFrom(true as const, undefined),
        min: limit,
        above: limit,
        max: fc.constantFrom(undefined, 2, 3, 6),
        step: fc.constantFrom(undefined, undefined, 2, 3),
      })
      .map(defined),
    fc.record({
      of: fc.constantFrom('boolean' as const, 'null' as const, 'any' as const, 'never' as const, 'itself' as const),
    }),
    fc.record({ of: fc.constant('values' as const), values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }) }),
    fc.record({
      of: fc.constant('object' as const),
      fields: tie('fields'),
      others: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom('drop' as const, 'refuse' as const, 'keep' as const) },
        tie('node'),
      ),
    }),
    fc
      .record({
        of: fc.constant('record' as const),
        names: fc.option(fc.uniqueArray(name, { minLength: 1, maxLength: 2 }), { nil: undefined }),
        partial: fc.constantFrom(true as const, undefined),
        each: tie('node'),
      })
      .map(defined),
    fc.record({ of: fc.constant('list' as const), each: tie('node'), min: limit, max: limit }).map(defined),
    fc
      .record({
        of: fc.constant('tuple' as const),
        items: fc.array(tie('node'), { maxLength: 2 }),
        rest: fc.option(tie('node'), { nil: undefined }),
      })
      .map(defined),
    fc.record({
      of: fc.constantFrom('union' as const, 'xor' as const),
      members: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      of: fc.constant('variants' as const),
      members: fc.dictionary(fc.constantFrom('k1', 'k2', 'k3'), tie('fields'), { minKeys: 1 }),
    }),
    fc.record({ of: fc.constant('both' as const), left: tie('node'), right: tie('node') }),
    fc.record({ of: fc.constantFrom('refined' as const, 'caught' as const, 'nullable' as const), inner: tie('node') }),
  ) as fc.Arbitrary<Described>,
})).node

function defined<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, part]) => part !== undefined)) as T
}

/** The schema that a description is of. */
export function schemaOf(node: Described): z.ZodType {
  const whole: z.ZodType = z.lazy(() => built)
  const built: z.ZodType = build(node, whole)
  return built
}

function build(node: Described, whole: z.ZodType): z.ZodType {
  const of = (inner: Described): z.ZodType => build(inner, whole)
  switch (node.of) {
    case 'string':
      return text(node)
    case 'number':
      return number(node)
    case 'boolean':
    case 'null':
    case 'never':
      return { boolean: z.boolean, null: z.null, never: z.never }[node.of]()
    case 'any':
      return z.unknown()
    case 'itself': // guarded: a datum ends
      return z.array(whole)
    case 'values':
      return z.literal([...node.values])
    case 'object':
      return objectOf(node, of)
    case 'record': {
      const names = node.names === undefined ? z.string() : z.enum(node.names)
      return node.partial === true ? z.partialRecord(names, of(node.each)) : z.record(names, of(node.each))
    }
    case 'list': {
      const list = z.array(of(node.each)).min(node.min ?? 0)
      return node.max === undefined ? list : list.max(node.max)
    }
    case 'tuple': {
      const items = node.items.map(of) as [z.ZodType, ...z.ZodType[]]
      return node.rest === undefined ? z.tuple(items) : z.tuple(items, of(node.rest))
    }
    case 'union':
      return z.union(node.members.map(of))
    case 'xor':
      return z.xor(node.members.map(of))
    case 'variants': {
      const members = Object.entries(node.members).map(([kind, fields]) =>
        z.object({ ...shapeOf(fields, of), kind: z.literal(kind) }),
      )
      return z.discriminatedUnion('kind', members as [(typeof members)[0], ...typeof members])
    }
    case 'both':
      return z.intersection(of(node.left), of(node.right))
    case 'refined':
      return of(node.inner).refine((data) => JSON.stringify(data) !== '1')
    case 'caught':
      return of(node.inner).catch('b')
    case 'nullable':
      return of(node.inner).nullable()
  }
}

function objectOf({ fields, others }: Described & { of: 'object' }, of: (node: Described) => z.ZodType): z.ZodType {
  const shape = shapeOf(fields, of)
  if (others === 'drop') return z.object(shape)
  if (others === 'refuse') return z.strictObject(shape)
  return others === 'keep' ? z.looseObject(shape) : z.object(shape).catchall(of(others))
}

function shapeOf(
  fields: Readonly<Record<string, Field>>,
  of: (node: Described) => z.ZodType,
): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(fields).map(([field, { is, may }]) => {
      const schema = of(is)
      if (may === 'be missing') return [field, schema.optional()]
      if (may === undefined) return [field, schema]
      // a default that its own schema refuses is no contract
      const usable = [null, 'a', 1, true, {}, []].find((each) => safely(schema, each))
      return [field, usable === undefined ? schema : schema.default(usable)]
    }),
  )
}

function safely(schema: z.ZodType, data: unknown): boolean {
  try {
    return schema.safeParse(data).success
  } catch {
    return false // it refers to the whole, which is not there yet
  }
}

function text({ min, max, form: of }: Described & { of: 'string' }): z.ZodType {
  const limited = (schema: z.ZodString): z.ZodString => {
    const from = min === undefined ? schema : schema.min(min)
    return max === undefined ? from : from.max(max)
  }
  if (of === 'email') return z.email()
  if (of === 'datetime') return z.iso.datetime()
  const plain = limited(z.string())
  if (of === 'a…') return plain.startsWith('a')
  if (of === '…b') return plain.startsWith('a').endsWith('b')
  if (of === '/b/') return plain.regex(/b/)
  if (of === '/b/i') return plain.regex(/b/i)
  return of === 'url' ? z.url() : plain
}

function number({ int, min, above, max, step }: Described & { of: 'number' }): z.ZodType {
  let schema: z.ZodNumber = int === true ? z.int() : z.number()
  if (min !== undefined) schema = schema.min(min)
  if (above !== undefined) schema = schema.gt(above)
  if (max !== undefined) schema = schema.max(max)
  return step === undefined ? schema : schema.multipleOf(step)
}

const anything: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, true, false, null),
    fc.array(tie('any'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'kind', 'z'), tie('any'), { maxKeys: 3 }),
  ),
})).any as fc.Arbitrary<unknown>

/** Data that may well be of a schema. */
export function dataFor(node: Described, depth = 0): fc.Arbitrary<unknown> {
  const near = depth > 4 ? anything : guided(node, (inner) => dataFor(inner, depth + 1))
  return fc.oneof({ weight: 12, arbitrary: near }, { weight: 1, arbitrary: anything })
}

function guided(node: Described, of: (inner: Described) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const fieldsOf = (fields: Readonly<Record<string, Field>>): Record<string, fc.Arbitrary<unknown>> =>
    Object.fromEntries(Object.entries(fields).map(([field, { is }]) => [field, of(is)]))
  const partly = (fields: Readonly<Record<string, Field>>, more: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => {
    const requiredKeys = Object.keys(fields).filter((field) => fields[field]?.may === undefined)
    const others = fc.oneof(fc.constant({}), fc.dictionary(fc.constantFrom(...NAMES, 'z'), more, { maxKeys: 2 }))
    return fc.tuple(others, fc.record(fieldsOf(fields), { requiredKeys })).map(([extra, own]) => ({ ...extra, ...own }))
  }
  switch (node.of) {
    case 'string':
      return fc.constantFrom(...TEXTS)
    case 'number':
      return fc.constantFrom(...NUMBERS)
    case 'values':
      return fc.constantFrom(...node.values)
    case 'null':
      return fc.constant(null)
    case 'object':
      return partly(node.fields, typeof node.others === 'string' ? anything : of(node.others))
    case 'record':
      return fc.dictionary(fc.constantFrom(...(node.names ?? NAMES)), of(node.each), { maxKeys: 3 })
    case 'list':
      return fc.array(of(node.each), { maxLength: 3 })
    case 'tuple':
      return fc
        .tuple(
          fc.tuple(...node.items.map(of)),
          fc.array(node.rest === undefined ? anything : of(node.rest), { maxLength: node.rest === undefined ? 0 : 2 }),
        )
        .map(([items, rest]) => [...items, ...rest])
    case 'union':
    case 'xor':
      return fc.oneof(...node.members.map(of))
    case 'variants':
      return fc.oneof(
        ...Object.entries(node.members).map(([kind, fields]) =>
          partly(fields, anything).map((data) => ({ ...(data as object), kind })),
        ),
      )
    case 'both':
      return fc.oneof(
        of(node.left),
        of(node.right),
        fc.tuple(of(node.left), of(node.right)).map(([left, right]) => merged(left, right)),
      )
    case 'nullable':
      return fc.oneof(of(node.inner), fc.constant(null))
    case 'refined':
    case 'caught':
      return of(node.inner)
    default:
      return anything
  }
}

function merged(left: unknown, right: unknown): unknown {
  const both = [left, right].every((each) => typeof each === 'object' && each !== null && !Array.isArray(each))
  return both ? { ...(left as object), ...(right as object) } : left
}
