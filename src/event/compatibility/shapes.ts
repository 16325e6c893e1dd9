import { CHECKS, DESCRIPTIVE, isNode, resolveReference, type SchemaNode } from './schema-node.js'

/** One kind of value that a schema takes. `checks`: what holds for it beyond what the keywords say. */
export type Shape = { readonly checks: readonly string[] } & (
  | { readonly kind: 'any' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | StringShape
  | NumberShape
  | ObjectShape
  | ListShape
  /** What all of the members take. */
  | { readonly kind: 'all'; readonly members: readonly SchemaNode[] }
  /** What is not understood. */
  | { readonly kind: 'opaque'; readonly why: string }
)

export interface StringShape {
  readonly kind: 'string'
  readonly min: number
  readonly max: number
  readonly patterns: readonly string[]
  readonly format: string | undefined
}

export interface NumberShape {
  readonly kind: 'number'
  readonly integer: boolean
  readonly min: number
  readonly minOpen: boolean
  readonly max: number
  readonly maxOpen: boolean
  readonly multiples: readonly number[]
}

export interface ObjectShape {
  readonly kind: 'object'
  readonly properties: Readonly<Record<string, SchemaNode>>
  readonly required: ReadonlySet<string>
  /** Fields that are not in properties: dropped when they are read, refused, or as described. */
  readonly others: 'dropped' | 'refused' | SchemaNode
  readonly names: SchemaNode | undefined
}

export interface ListShape {
  readonly kind: 'list'
  readonly first: readonly SchemaNode[]
  /** What follows; undefined: nothing may. */
  readonly rest: SchemaNode | undefined
  readonly min: number
  readonly max: number
}

/** Alternatives, and whether a value must be of one of them only. */
export interface Shapes {
  readonly shapes: readonly Shape[]
  readonly exclusive: boolean
}

const DEEPEST = 20
const KNOWN: ReadonlySet<string> = new Set(
  `$ref type const enum properties required additionalProperties propertyNames items additionalItems minItems maxItems
  minLength maxLength pattern format contentEncoding minimum maximum exclusiveMinimum exclusiveMaximum multipleOf allOf
  anyOf oneOf not default definitions ${CHECKS}`.split(/\s+/),
)
/** Checks beside which the keywords say nothing, or not all: what a catch puts in the place of data need not follow them. */
const BLIND: ReadonlySet<string> = new Set([
  'catch',
  'custom',
  'undefined',
  'void',
  'function',
  'success',
  'intersection',
])
const BESIDE: ReadonlySet<string> = new Set(['default', 'definitions', CHECKS])

/** A schema as alternatives of one kind each: unions taken apart, references followed. */
export function shapesOf(root: SchemaNode, node: SchemaNode, depth = 0): Shapes {
  const checks = node[CHECKS] ?? []
  const keywords = Object.keys(node).filter((name) => !DESCRIPTIVE.has(name) && !BESIDE.has(name))
  const opaque = (why: string): Shapes => ({ shapes: [{ kind: 'opaque', why, checks }], exclusive: false })
  const unknown = keywords.find((name) => !KNOWN.has(name))
  if (unknown !== undefined) return opaque(`the keyword ${unknown}`)
  const blind = checks.find((check) => BLIND.has(check))
  if (blind !== undefined) return opaque(`what zod calls ${blind}`)
  if (depth > DEEPEST) return opaque('a reference to itself')
  const union = node.anyOf ?? node.oneOf
  if (node.not !== undefined)
    return Object.keys(node.not).length === 0 ? { shapes: [], exclusive: false } : opaque('the keyword not')
  if (union !== undefined) {
    if (keywords.length > 1) return opaque('a union with keywords beside it')
    return withChecks(
      checks,
      union.map((part) => shapesOf(root, part, depth + 1)),
      node.oneOf !== undefined,
    )
  }
  if (node.$ref !== undefined) {
    const found = resolveReference(root, node.$ref)
    if (found === undefined || keywords.length > 1) return opaque(`the reference ${node.$ref}`)
    return withChecks(checks, [shapesOf(root, found, depth + 1)], false)
  }
  if (node.allOf !== undefined && node.type === undefined) {
    const [member, ...others] = node.allOf
    if (keywords.length > 1) return opaque('allOf with keywords beside it')
    if (member !== undefined && others.length === 0)
      return withChecks(checks, [shapesOf(root, member, depth + 1)], false)
    return { shapes: [{ kind: 'all', members: node.allOf, checks }], exclusive: false }
  }
  return { shapes: plain(node, keywords.length === 0, checks), exclusive: false }
}

function withChecks(checks: readonly string[], parts: readonly Shapes[], exclusive: boolean): Shapes {
  const shapes = parts.flatMap((part) => part.shapes)
  return {
    shapes: checks.length === 0 ? shapes : shapes.map((shape) => ({ ...shape, checks: [...shape.checks, ...checks] })),
    exclusive: exclusive || parts.some((part) => part.exclusive),
  }
}

function plain(node: SchemaNode, empty: boolean, checks: readonly string[]): readonly Shape[] {
  if (empty) return [{ kind: 'any', checks }]
  const values = 'const' in node ? [node.const] : node.enum
  if (values !== undefined) return values.map((value) => literal(value, checks))
  const types = Array.isArray(node.type) ? (node.type as readonly string[]) : [node.type as string | undefined]
  return types.flatMap((type): readonly Shape[] => ofType(node, type, checks))
}

function literal(value: unknown, checks: readonly string[]): Shape {
  if (typeof value === 'object' && value !== null) return { kind: 'opaque', why: 'a value that is no scalar', checks }
  return { kind: 'literal', value: value as string | number | boolean | null, checks }
}

function ofType(node: SchemaNode, type: string | undefined, checks: readonly string[]): readonly Shape[] {
  if (node.allOf !== undefined && type !== 'string' && type !== 'number' && type !== 'integer')
    return [{ kind: 'opaque', why: 'allOf with keywords beside it', checks }]
  switch (type) {
    case 'null':
      return [{ kind: 'literal', value: null, checks }]
    case 'boolean':
      return [true, false].map((value) => ({ kind: 'literal', value, checks }))
    case 'string':
      return stringOf(node, checks)
    case 'number':
    case 'integer':
      return numberOf(node, type === 'integer', checks)
    case 'object':
      return [{ ...objectOf(node), checks }]
    case 'array':
      return [{ ...listOf(node), checks }]
    default:
      return [{ kind: 'opaque', why: 'a schema without a type', checks }]
  }
}

function stringOf(node: SchemaNode, checks: readonly string[]): readonly Shape[] {
  const patterns = node.pattern === undefined ? [] : [node.pattern]
  for (const part of node.allOf ?? []) {
    if (part.pattern === undefined) return [{ kind: 'opaque', why: 'allOf of more than patterns', checks }]
    patterns.push(part.pattern)
  }
  const { minLength: min = 0, maxLength: max = Infinity, format = node.contentEncoding } = node
  return [{ kind: 'string', min, max, patterns, format, checks }]
}

function numberOf(node: SchemaNode, integer: boolean, checks: readonly string[]): readonly Shape[] {
  const multiples = node.multipleOf === undefined ? [] : [node.multipleOf]
  for (const part of node.allOf ?? []) {
    if (part.multipleOf === undefined) return [{ kind: 'opaque', why: 'allOf of more than multiples', checks }]
    multiples.push(part.multipleOf)
  }
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum, exclusiveMaximum } = node
  const minOpen = exclusiveMinimum !== undefined && exclusiveMinimum >= minimum
  const maxOpen = exclusiveMaximum !== undefined && exclusiveMaximum <= maximum
  return [
    {
      kind: 'number',
      integer,
      min: minOpen ? exclusiveMinimum : minimum,
      minOpen,
      max: maxOpen ? exclusiveMaximum : maximum,
      maxOpen,
      multiples,
      checks,
    },
  ]
}

function objectOf({ properties = {}, required = [], additionalProperties, propertyNames }: SchemaNode): ObjectShape {
  const others =
    additionalProperties === undefined
      ? 'dropped'
      : additionalProperties === false
        ? 'refused'
        : additionalProperties === true
          ? {}
          : additionalProperties
  return { kind: 'object', properties, required: new Set(required), others, names: propertyNames }
}

function listOf({ items, additionalItems, minItems: min = 0, maxItems: max = Infinity }: SchemaNode): ListShape {
  if (isNode(items)) return { kind: 'list', first: [], rest: items, min, max }
  const first = (items ?? []) as readonly SchemaNode[]
  const rest = additionalItems === false ? undefined : isNode(additionalItems) ? additionalItems : {}
  return { kind: 'list', first, rest, min, max: rest === undefined ? Math.min(max, first.length) : max }
}
